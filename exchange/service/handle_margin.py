"""Handlers of margin: its rules, and runs within the day (chapter 5)."""

from __future__ import annotations

from itertools import pairwise

from exchange.domain.calendar import NS_PER_MINUTE
from exchange.domain.messages import RunMargin, SetMarginRules
from exchange.domain.money import BASIS_POINT
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.backing import back_shorts
from exchange.service.calls import call_at_present_prices
from exchange.service.margins import set_offsets
from exchange.service.state import DONE, LOCK_STEPS_MAX, Outcome, Stamp, State, refused

NETTING_MAX = 2 * BASIS_POINT
"""What netting takes off both legs: calendar charge and twice the credit between hubs stay within it."""
FAILURE_MAX = BASIS_POINT // 2
"""A month's short lot at the highest listing price stays within the kernel's margins."""
STEPS_MAX = 8
CALL_MINUTES_MAX = 24 * 60


def set_margin_rules(state: State, message: SetMarginRules, stamp: Stamp) -> Outcome:
    """Set what margin is computed from."""
    fault = _fault(message)
    if fault:
        return refused(RejectCode.INVALID_RULE, fault)
    state.margin_rules = message
    return DONE


def _fault(rules: SetMarginRules) -> str:
    """Return which rule can't be, or nothing."""
    rates = {
        "roll_basis_points": rules.roll_basis_points,
        "concentration_share_basis_points": rules.concentration_share_basis_points,
        "concentration_basis_points": rules.concentration_basis_points,
        "lock_limit_basis_points": rules.lock_limit_basis_points * LOCK_STEPS_MAX,
        "assessment_basis_points": rules.assessment_basis_points // 10,
        "lock_margin_basis_points": rules.lock_margin_basis_points,
        "calendar_basis_points": rules.calendar_basis_points // 2,
        "inter_hub_basis_points": rules.inter_hub_basis_points,
        **{f"near_delivery[{i}]": step.basis_points for i, step in enumerate(rules.near_delivery)},
    }
    for name, rate in rates.items():
        if not 0 <= rate <= BASIS_POINT:
            return name
    if rules.calendar_basis_points + 2 * rules.inter_hub_basis_points > NETTING_MAX:
        return "calendar charge and twice the credit between hubs exceed 20,000"
    if min(rules.buy_in_basis_points, rules.damages_basis_points) < 0:
        return "buy_in_basis_points"
    if rules.buy_in_basis_points + rules.damages_basis_points > FAILURE_MAX:
        return f"mark-up and damages exceed {FAILURE_MAX:,}"
    if min(rules.roll_after_days, rules.concentration_floor_fen, rules.model_neighbours) < 0:
        return "roll_after_days"
    return _steps_fault(rules)


def _steps_fault(rules: SetMarginRules) -> str:
    steps = rules.near_delivery
    days = [step.trading_days_left for step in steps]
    falling = all(a.basis_points > b.basis_points for a, b in pairwise(steps))
    if len(steps) > STEPS_MAX or any(a >= b for a, b in pairwise(days)) or not falling:
        return "near_delivery"
    return "near_delivery" if days and days[0] < 0 else ""


def run_margin(state: State, message: RunMargin, stamp: Stamp) -> Outcome:
    """Compute every account's offset anew and tell the kernel."""
    if state.day.phase in (MarketPhase.SETTLED, MarketPhase.CLOSED):
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    if not 0 <= message.call_minutes <= CALL_MINUTES_MAX:
        return refused(RejectCode.INVALID_DEADLINE, f"{message.call_minutes} minutes")
    back_shorts(state)
    before = [state.offset(account) for account in state.members_by_account]
    set_offsets(state)
    state.day.margin_runs += not message.extra
    events = [
        state.engine.set_offset(account, state.offset(account), seq=stamp.seq)
        for account, offset in zip(state.members_by_account, before, strict=True)
        if state.offset(account) != offset
    ]
    due_ns = stamp.time_ns + message.call_minutes * NS_PER_MINUTE
    called = call_at_present_prices(state, due_ns) if message.call_minutes else 0
    return Outcome(data={"changed": len(events), "called": called}, events=events)
