"""Pricing regimes of grades at hubs, which two operators set (clauses 4.11 to 4.14)."""

from __future__ import annotations

from exchange.domain.regimes import REASON_MAX, SetRegime
from exchange.domain.rejects import RejectCode
from exchange.service.state import DONE, Outcome, State


def senseless_regime(state: State, action: SetRegime) -> RejectCode | None:
    """Return why nobody could ever approve the regime."""
    if (action.regime.grade, action.regime.hub) not in state.products:
        return RejectCode.UNKNOWN_PRODUCT
    sound = action.regime.sound() and 1 <= len(action.reason) <= REASON_MAX
    return None if sound else RejectCode.INVALID_REGIME


def set_regime(state: State, action: SetRegime) -> Outcome:
    """Set it; the limits follow at the next settlement."""
    regime = action.regime
    state.regimes[regime.grade, regime.hub] = regime
    return DONE
