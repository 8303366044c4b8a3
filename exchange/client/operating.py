"""An operator's side: members, keys, cash, halts, and decisions that need two."""

from collections.abc import Sequence
from typing import Literal

from exchange.api import brokerage, listing, positions, requests
from exchange.api.access import Key, KeyAnswer, Keys, Member, MemberAnswer, Members
from exchange.api.answers import Done
from exchange.api.calendar import ClosedDays, SessionTimes
from exchange.api.defaults import Claim, Claims, MarginCall, MarginCalls
from exchange.api.margins import MarginTerms, SetMarginRules
from exchange.api.operating import Halted, MarketKilled, Proposal, ProposalAnswer, Proposals
from exchange.api.regimes import ProposeRegime
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
    ) -> MemberAnswer:
        """Takes in a member, as an applicant unless it is approved at once, and makes its first key."""
        wanted = None if scopes is None else list(scopes)
        body = requests.AddMember(name=name, kind=kind, state=state, scopes=wanted, roles=list(roles))
        return await self.send("POST", "/v1/operator/members", MemberAnswer, body)

    async def set_member_state(self, name: str, state: Literal["approved", "suspended"]) -> Done:
        """Approves an applicant, or suspends it and cancels its open orders."""
        body = requests.MemberState(state=state)
        return await self.send("POST", f"/v1/operator/members/{segment(name)}/state", Done, body)

    async def members(self) -> list[Member]:
        """All members."""
        return (await self.get("/v1/operator/members", Members, signed=True)).members

    async def set_password(self, member: str, password: str) -> Done:
        """Sets the password that a member logs in to the screens with."""
        body = requests.SetPassword(member=member, password=password)
        return await self.send("POST", "/v1/operator/passwords", Done, body)

    async def set_sessions(self, sessions: SessionTimes) -> Done:
        """Sets the sessions of the days to come."""
        return await self.send("POST", "/v1/operator/sessions", Done, sessions)

    async def set_closed_days(self, closed_days: Sequence[str], calendar_end: str) -> Done:
        """Sets the closed days, "2026-12-04", complete up to `calendar_end`."""
        body = ClosedDays(closed_days=list(closed_days), calendar_end=calendar_end)
        return await self.send("POST", "/v1/operator/closed-days", Done, body)

    async def set_listing_rules(self, rules: Sequence[listing.ListingRule]) -> Done:
        """Sets what is listed from the next day that is opened on."""
        body = listing.SetListingRules(rules=list(rules))
        return await self.send("POST", "/v1/operator/listing-rules", Done, body)

    async def set_load_profiles(self, from_month: str, hubs: Sequence[listing.HubHours]) -> Done:
        """Sets hubs' peak and valley hours for deliveries from a month on, "2027-01-01"."""
        body = listing.SetLoadProfiles(from_month=from_month, hubs=list(hubs))
        return await self.send("POST", "/v1/operator/load-profiles", Done, body)

    async def proposals(self) -> list[Proposal]:
        """What operators proposed, newest first."""
        return (await self.get("/v1/operator/proposals", Proposals, signed=True)).proposals

    async def propose_cash(self, member: str, amount_fen: int, reason: str) -> Proposal:
        """Proposes a correction of cash for a second operator to decide."""
        body = requests.ProposeCash(member=member, amount_fen=amount_fen, reason=reason)
        return (await self.send("POST", f"{_PROPOSALS}/cash", ProposalAnswer, body)).proposal

    async def propose_restore(self, member: str) -> Proposal:
        """Proposes the end of a suspension for a second operator to decide."""
        body = requests.ProposeRestore(member=member)
        return (await self.send("POST", f"{_PROPOSALS}/restore", ProposalAnswer, body)).proposal

    async def propose_regime(self, body: ProposeRegime) -> Proposal:
        """Proposes a pricing regime for a second operator to decide."""
        return (await self.send("POST", f"{_PROPOSALS}/regime", ProposalAnswer, body)).proposal

    async def decide(self, proposal: Proposal, approve: bool) -> Proposal:
        """Approves or rejects what another operator proposed."""
        path = f"{_PROPOSALS}/{segment(proposal.kind)}/{segment(proposal.proposal_id)}"
        body = requests.DecideProposal(approve=approve)
        return (await self.send("POST", path, ProposalAnswer, body)).proposal

    async def keys(self) -> list[Key]:
        """All keys, without secrets."""
        return (await self.get("/v1/operator/keys", Keys, signed=True)).keys

    async def add_key(
        self, member: str, scopes: Sequence[requests.Scope], networks: Sequence[str] = ()
    ) -> KeyAnswer:
        """Makes another key for a member; with `networks` it is good only from there."""
        body = requests.AddKey(member=member, scopes=list(scopes), networks=list(networks))
        return await self.send("POST", "/v1/operator/keys", KeyAnswer, body)

    async def revoke_key(self, key_id: str) -> Done:
        """Ends a key at once."""
        return await self.send("DELETE", f"/v1/operator/keys/{segment(key_id)}", Done)

    async def all_margin_calls(self) -> list[MarginCall]:
        """All margin calls that aren't met."""
        return (await self.get("/v1/operator/margin-calls", MarginCalls, signed=True)).calls

    async def run_margin(self, call_minutes: int) -> list[MarginCall]:
        """Runs margin now, and calls who lacks some at the present prices; gives all calls."""
        body = requests.MarginRun(call_minutes=call_minutes)
        return (await self.send("POST", "/v1/operator/margin-runs", MarginCalls, body)).calls

    async def claims(self) -> list[Claim]:
        """What defaulters owe to those who paid for them."""
        return (await self.get("/v1/operator/claims", Claims, signed=True)).claims

    async def set_contribution(self, member: str | None, amount_fen: int) -> Done:
        """Sets a member's contribution to the default fund, or the house's capital tranche."""
        body = requests.Contribution(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/contributions", Done, body)

    async def large_positions(self) -> positions.LargePositions:
        """Positions that are large by the rules, and the rules."""
        return await self.get("/v1/operator/large-positions", positions.LargePositions, signed=True)

    async def set_position_rules(self, rules: positions.SetPositionRules) -> Done:
        """Sets position limits, for what trades from the next settlement on, and what is reported."""
        return await self.send("POST", "/v1/operator/position-rules", Done, rules)

    async def set_margin_rules(self, rules: MarginTerms) -> Done:
        """Sets what margin is computed from: of lots from the next settlement on, of netting from the next
        run on.
        """
        return await self.send("POST", "/v1/operator/margin-rules", Done, SetMarginRules(rules=rules))

    async def set_revenue_split(self, provider: int, broker: int, platform: int) -> Done:
        """Sets in which proportion fees are shared from the next settlement on."""
        body = brokerage.SetRevenueSplit(provider=provider, broker=broker, platform=platform)
        return await self.send("POST", "/v1/operator/revenue-split", Done, body)

    async def deposit(self, member: str, amount_fen: int) -> Done:
        """Pays cash into a member's account."""
        body = requests.Deposit(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/deposits", Done, body)

    async def withdraw(self, member: str, amount_fen: int) -> Done:
        """Pays cash out of a member's account."""
        body = requests.Withdrawal(member=member, amount_fen=amount_fen)
        return await self.send("POST", "/v1/operator/withdrawals", Done, body)

    async def halt(self, halted: bool, *, symbol: str | None = None, hub: str | None = None) -> Halted:
        """Halts or resumes a contract, all contracts of a hub, or all."""
        body = requests.Halt(halted=halted, symbol=symbol, hub=hub)
        return await self.send("POST", "/v1/operator/halts", Halted, body)

    async def kill_market(self, *, cancel_orders: bool = False) -> MarketKilled:
        """Halts every contract, and cancels every order if asked."""
        body = requests.KillMarket(cancel_orders=cancel_orders)
        return await self.send("POST", "/v1/operator/kill", MarketKilled, body)
