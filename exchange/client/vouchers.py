"""Compute vouchers over HTTP (rulebook chapter 11)."""

from collections.abc import Awaitable, Callable
from typing import Any

from exchange.api import vouchers as api
from exchange.client.transport import segment


class VoucherClient:
    """A holder's vouchers, an issuer's programmes, and an operator's opening of them."""

    def __init__(self, get: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]) -> None:
        self._get, self._send = get, send

    async def mine(self) -> api.Vouchers:
        """The account's vouchers and their statement."""
        answer: api.Vouchers = await self._get("/v1/vouchers", api.Vouchers, signed=True)
        return answer

    async def programmes(self) -> list[api.Programme]:
        """All programmes."""
        answer: api.Programmes = await self._get("/v1/voucher-programmes", api.Programmes, signed=True)
        return answer.programmes

    async def issue(self, programme_id: str, member: str, amount_fen: int) -> str:
        """Gives a member vouchers of the account's own programme; gives the voucher's id."""
        path = f"/v1/voucher-programmes/{segment(programme_id)}/vouchers"
        body = api.IssueVoucher(member=member, amount_fen=amount_fen)
        answer: api.VoucherIssued = await self._send("POST", path, api.VoucherIssued, body)
        return answer.voucher_id

    async def open_programme(self, body: api.OpenProgramme) -> str:
        """An operator's: sets an issuer's cash aside; gives the programme's id."""
        path = "/v1/operator/voucher-programmes"
        answer: api.ProgrammeMade = await self._send("POST", path, api.ProgrammeMade, body)
        return answer.programme_id
