"""Admits the demonstration's members: an account, a key, a profile file, and cash, each exactly once."""

from pathlib import Path

from exchange.api.requests import Scope
from exchange.client.client import ExchangeClient
from exchange.client.profiles import Profile, load_profile, profile_path, save_profile
from sims.demo.settings import Cash
from sims.demo.world import Cast

PROVIDER_SCOPES: tuple[Scope, ...] = ("read", "trade", "provide")
ENTERPRISE_SCOPES: tuple[Scope, ...] = ("read", "trade")


async def admit(base_url: str, keys_dir: Path, cast: Cast, cash: Cash) -> int:
    """Do what is missing for every member, with the operator's key; returns how many members were new.

    A run that was killed half-way is made good: a member without a profile file gets another key, one without
    cash its deposit. Raises ExchangeError, and what `load_profile` raises for the operator.
    """
    async with ExchangeClient(base_url, load_profile(keys_dir, "operator")) as operator:
        known = {member.member: member.cash_fen for member in await operator.members()}
        for name in cast.members:
            provider = name in cast.providers
            await _equip(operator, keys_dir, name, known=name in known, provider=provider)
            if not known.get(name):
                await operator.deposit(name, cash.provider_fen if provider else cash.enterprise_fen)
    return len(set(cast.members) - set(known))


async def _equip(operator: ExchangeClient, keys_dir: Path, name: str, *, known: bool, provider: bool) -> None:
    """Make the account and its key, or only the key, unless the profile file shows that both are there."""
    if known and profile_path(keys_dir, name).exists():
        return
    scopes = PROVIDER_SCOPES if provider else ENTERPRISE_SCOPES
    if known:
        made = await operator.add_key(name, scopes)
        profile = (made.account, made.key_id, made.secret)
    else:
        new = await operator.add_member(
            name, "provider" if provider else "enterprise", scopes, state="approved"
        )
        profile = (new.account, new.key_id, new.secret)
    account, key_id, secret = profile
    save_profile(
        keys_dir,
        Profile(member=name, account=account, key_id=key_id, secret=secret, base_url=operator.base_url),
    )
