"""Views of members and of what lets them in: keys, passwords, nonces, proposals of operators."""

from __future__ import annotations

from exchange.service.coreviews import CoreViews
from exchange.service.proposalviews import proposal_views
from exchange.service.state import Key, Member
from exchange.service.viewtypes import KeyView, MemberView, ProposalView


class MemberViews(CoreViews):
    """Who may do what."""

    def members(self) -> list[MemberView]:
        """Return all members in the order of their accounts."""
        return [self._member_view(member) for member in self._state.members.values()]

    def member(self, name: str) -> MemberView | None:
        """Return a member by name."""
        member = self._state.members.get(name)
        return None if member is None else self._member_view(member)

    def member_of(self, account: int) -> MemberView | None:
        """Return the member whose account this is; the house has none."""
        member = self._state.members_by_account.get(account)
        return None if member is None else self._member_view(member)

    def key(self, key_id: str) -> KeyView | None:
        """Return an API key; `enabled` is False for one that was revoked."""
        key = self._state.keys.get(key_id)
        return None if key is None else self._key_view(key)

    def api_keys(self) -> list[KeyView]:
        """Return all API keys in the order in which they were added."""
        return [self._key_view(key) for key in self._state.keys.values()]

    def password_hash(self, name: str) -> str | None:
        """Return the Argon2id hash of a member's password; None if it has none."""
        return self._state.passwords.get(name)

    def proposals(self) -> list[ProposalView]:
        """Return what operators proposed, oldest first."""
        return proposal_views(self._state)

    def nonces(self) -> list[tuple[bytes, int]]:
        """Return the journaled nonces that may still be replayed: (digest, wall-clock timestamp in ms)."""
        return list(self._state.nonces)

    def _member_view(self, member: Member) -> MemberView:
        broker = member if member.broker is None else self._state.members[member.broker]
        standing = broker.state if member.state == "approved" else member.state
        cash = int(self._state.cash[member.account])
        return MemberView(
            member.name, member.account, member.kind, standing, member.roles, member.broker, cash
        )

    def _key_view(self, key: Key) -> KeyView:
        member = self._state.members[key.member]
        return KeyView(
            key.key_id,
            member.name,
            member.account,
            member.kind,
            member.roles if member.state == "approved" else (),
            key.scopes,
            key.ciphertext,
            key.networks,
            key.enabled,
        )
