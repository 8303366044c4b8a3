"""Plan jobs: workloads placed on the account's reservations and the book."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

import aiohttp
import msgspec

from exchange.api import plans as planning
from exchange.api import stock as planned_on
from exchange.api.signing import signed_headers
from exchange.client.transport import Transport, refused_error, segment


class PlanCalls(Transport):
    """A job waits, runs, and ends with a plan whose orders can be accepted."""

    async def plan(self, new: planning.NewPlan) -> planning.PlanAnswer:
        """Posts workloads to be planned on the account's reservations and the book; the job waits or runs."""
        return await self.send("POST", "/v1/plans", planning.PlanAnswer, new)

    async def plans(self) -> list[planning.PlanJob]:
        """The account's plan jobs."""
        return (await self.get("/v1/plans", planning.Plans, signed=True)).plans

    async def planned(self, plan_id: str) -> planning.PlanAnswer:
        """A plan job and the best plan so far."""
        return await self.get(f"/v1/plans/{segment(plan_id)}", planning.PlanAnswer, signed=True)

    async def cancel_plan(self, plan_id: str) -> planning.PlanAnswer:
        """Ends a plan job; the best plan so far stays its result."""
        return await self.send("DELETE", f"/v1/plans/{segment(plan_id)}", planning.PlanAnswer)

    async def accept_plan(self, plan_id: str, orders: Sequence[int] | None = None) -> planning.Acceptance:
        """Places the plan's orders, those at these positions or all that are left; look at each result."""
        body = planning.AcceptPlan(orders=None if orders is None else list(orders))
        return await self.send("POST", f"/v1/plans/{segment(plan_id)}/accept", planning.Acceptance, body)

    async def nominate_plan(
        self, plan_id: str, nominations: Sequence[int] | None = None
    ) -> planning.PlanNominations:
        """Nominates the plan's work on reservations, at these positions or all left; look at each result."""
        body = planning.NominatePlan(nominations=None if nominations is None else list(nominations))
        path = f"/v1/plans/{segment(plan_id)}/nominate"
        return await self.send("POST", path, planning.PlanNominations, body)

    async def stock(self, first_day: date, days: int = 1) -> planned_on.Stock:
        """What a plan of so many days may use: reservations, open positions and the books' asks."""
        query = planned_on.StockQuery(first_day=first_day.isoformat(), days=days)
        return await self.get("/v1/stock", planned_on.Stock, query, signed=True)

    async def plan_events(self, plan_id: str) -> AsyncIterator[planning.PlanJob]:
        """The job now and after each change, until it ends."""
        if self.profile is None:
            raise ValueError("watching a plan needs a profile")
        path = f"/v1/plans/{segment(plan_id)}/events"
        headers = signed_headers(self.profile.key_id, self.profile.secret_bytes, "GET", path, b"")
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session().get(self.base_url + path, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                raise refused_error(answer.status, await answer.read())
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield msgspec.json.decode(line[6:], type=planning.PlanEvent).plan
