"""An operator's side: members, keys, cash, halts, and decisions that need two."""

from collections.abc import Sequence
from typing import Literal

from exchange.api import answers, requests
from exchange.client.transport import Transport, segment

_PROPOSALS = "/v1/operator/proposals"


class OperatorCalls(Transport):
    """Each call needs the scope and the role that its endpoint names."""

    async def add_member(
        self,
        name: str,
        kind: requests.MemberKind,
        scopes: Sequence[requests.Scope] | None = None,
        *,
        state: Literal["applied", "approved"] = "applied",
        roles: Sequence[requests.Role] = (),
    ) -> answers.MemberAnswer:
        """Takes in a member, as an applicant unless it is approved at once, and makes its first key."""
        wanted = None if scopes is None else list(scopes)
        body = requests.AddMember(name=name, kind=kind, state=state, scopes=wanted, roles=list(roles))
        return await self.send("POST", "/v1/operator/members", answers.MemberAnswer, body)

    async def set_member_state(self, name: str, state: Literal["approved", "suspended"]) -> answers.Done:
        """Approves an applicant, or suspends it and cancels its open orders."""
        body = requests.MemberState(state=state)
        return await self.send("POST", f"/v1/operator/members/{segment(name)}/state", answers.Done, body)

    async def members(self) -> list[answers.Member]:
        """All members."""
        return (await self.get("/v1/operator/members", answers.Members, signed=True)).members

    async def set_password(self, member: str, password: str) -> answers.Done:
        """Sets the password that a member logs in to the screens with."""
        body = requests.SetPassword(member=member, password=password)
        return await self.send("POST", "/v1/operator/passwords", answers.Done, body)

    async def proposals(self) -> list[answers.Proposal]:
        """What operators proposed, newest first."""
        return (await self.get("/v1/operator/proposals", answers.Proposals, signed=True)).proposals

    async def propose_cash(self, member: str, amount_fen: int, reason: str) -> answers.Proposal:
        """Proposes a correction of cash for a second operator to decide."""
        body = requests.ProposeCash(member=member, amount_fen=amount_fen, reason=reason)
        return (await self.send("POST", f"{_PROPOSALS}/cash", answers.ProposalAnswer, body)).proposal

    async def propose_restore(self, member: str) -> answers.Proposal:
        """Proposes the end of a suspension for a second operator to decide."""
        body = requests.ProposeRestore(member=member)
        return (await self.send("POST", f"{_PROPOSALS}/restore", answers.ProposalAnswer, body)).proposal

    async def decide(self, proposal: answers.Proposal, approve: bool) -> answers.Proposal:
        """Approves or rejects what another operator proposed."""
        path = f"{_PROPOSALS}/{segment(proposal.kind)}/{segment(proposal.proposal_id)}"
        body = requests.DecideProposal(approve=approve)
        return (await self.send("POST", path, answers.ProposalAnswer, body)).proposal

    async def keys(self) -> list[answers.Key]:
        """All keys, without secrets."""
        return (await self.get("/v1/operator/keys", answers.Keys, signed=True)).keys

    async def add_key(
        self, member: str, scopes: Sequence[requests.Scope], networks: Sequence[str] = ()
    ) -> answers.KeyAnswer:
        """Makes another key for a member; with `networks` it is good only from there."""
        body = requests.AddKey(member=member, scopes=list(scopes), networks=list(networks))
        return await self.send("POST", "/v1/operator/keys", answers.KeyAnswer, body)

    async def revoke_key(self, key_id: str) -> answers.Done:
        """Ends a key at once."""
        return await self.send("DELETE", f"/v1/operator/keys/{segment(key_id)}", answers.Done)

    async def all_margin_calls(self) -> list[answers.MarginCall]:
        """All margin calls that aren't met."""
        return (await self.get("/v1/operator/margin-calls", answers.MarginCalls, signed=True)).calls

    async def run_margin(self, call_minutes: int) -> list[answers.MarginCall]:
        """Runs margin now, and calls who lacks some at the present prices; gives all calls."""
        body = requests.MarginRun(call_minutes=call_minutes)
        return (await self.send("POST", "/v1/operator/margin-runs", answers.MarginCalls, body)).calls

    async def claims(self) -> list[answers.Claim]:
        """What defaulters owe to those who paid for them."""
        return (await self.get("/v1/operator/claims", answers.Claims, signed=True)).claims

    async def set_contribution(self, member: str | None, amount_fen: int) -> answers.Done:
        """Sets a member's contribution to the default fund, or the house's capital tranche."""
        body = requests.Contribution(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/contributions", answers.Done, body)

    async def deposit(self, member: str, amount_fen: int) -> answers.Done:
        """Pays cash into a member's account."""
        body = requests.Deposit(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/deposits", answers.Done, body)

    async def withdraw(self, member: str, amount_fen: int) -> answers.Done:
        """Pays cash out of a member's account."""
        body = requests.Withdrawal(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/withdrawals", answers.Done, body)

    async def halt(
        self, halted: bool, *, symbol: str | None = None, hub: str | None = None
    ) -> answers.Halted:
        """Halts or resumes a contract, all contracts of a hub, or all."""
        body = requests.Halt(halted=halted, symbol=symbol, hub=hub)
        return await self.send("POST", "/v1/operator/halts", answers.Halted, body)

    async def kill_market(self, *, cancel_orders: bool = False) -> answers.MarketKilled:
        """Halts every contract, and cancels every order if asked."""
        body = requests.KillMarket(cancel_orders=cancel_orders)
        return await self.send("POST", "/v1/operator/kill", answers.MarketKilled, body)
