"""Chapter 3 of the rulebook, clause by clause, on both engines; events are written in words."""

from __future__ import annotations

from typing import Any

import pytest

from matching.api import Indicative, MatchingEngine
from matching.engine import Engine
from matching.records import (
    ANY_HUB,
    ANY_INSTRUMENT,
    CancelReason,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    Records,
    RejectCode,
    Side,
    StpMode,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
    publish_indicative,
)
from matching.reference import ReferenceEngine
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

LIMITS = EngineLimits(
    max_instruments=4, max_accounts=8, max_orders=40, max_levels=64, max_holdings=9, max_refreshes=12
)
RICH = AccountSpec(equity_fen=10**9)
SECOND_NS = 10**9
BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """An engine with accounts 1 to 4 and instrument 0 (90 to 110, reference 100), and its events in words.

    Orders are called #1, #2 … in the order of their acceptance.
    """

    def __init__(self, engine: MatchingEngine) -> None:
        self.engine = engine
        self.ids: list[int] = []
        self.seq = 0
        self.time_ns = 0
        engine.add_instrument(0, InstrumentSpec(90, 110, 100))
        for account in range(1, 5):
            engine.set_account(account, RICH)
        engine.set_phase(0, Phase.CONTINUOUS)

    def order(
        self, side: Side, quantity: int, price: int = 0, *, account: int = 1, **terms: Any
    ) -> list[str]:
        """Send a NEW command and return its events in words."""
        terms = {"instrument": 0, "stp": StpMode.NONE} | terms
        return self.send(new_order(account=account, side=side, quantity=quantity, price=price, **terms))

    def buy(self, quantity: int, price: int = 0, **terms: Any) -> list[str]:
        return self.order(BUY, quantity, price, **terms)

    def sell(self, quantity: int, price: int = 0, **terms: Any) -> list[str]:
        return self.order(SELL, quantity, price, **({"account": 2} | terms))

    def cancel(self, number: int, account: int = 1) -> list[str]:
        return self.send(cancel(account=account, order_id=self.ids[number - 1]))

    def amend(self, number: int, account: int = 1, **terms: int) -> list[str]:
        return self.send(amend(account=account, order_id=self.ids[number - 1], **terms))

    def send(self, command: Records) -> list[str]:
        """Apply one command."""
        self.seq += 1
        command["seq"], command["time_ns"] = self.seq, self.time_ns
        return self.words(self.engine.apply(command))

    def do(self, name: str, *arguments: Any, **options: Any) -> list[str]:
        """Carry out a control operation."""
        return self.words(getattr(self.engine, name)(*arguments, **options))

    def phase(self, phase: Phase) -> list[str]:
        return self.do("set_phase", 0, phase)

    def words(self, events: Records) -> list[str]:
        """Return events in words; the engine must be consistent after each command."""
        self.engine.check()
        said = []
        for event in events:
            if event["kind"] == EventKind.ACCEPTED:
                self.ids.append(int(event["order_id"]))
            said.append(self.say({name: int(event[name]) for name in event.dtype.names}))
        return said

    def name(self, order_id: int) -> str:
        return f"#{self.ids.index(order_id) + 1}"

    def say(self, event: dict[str, int]) -> str:
        """Return one event in words."""
        kind = EventKind(event["kind"])
        lots, price, left = event["quantity"], event["price"], event["remaining"]
        match kind:
            case EventKind.REJECTED:
                return RejectCode(event["code"]).name
            case EventKind.LEVEL:
                return f"{Side(event['side']).name} {price}: {lots} in {left}"
            case EventKind.PHASE:
                return f"phase {Phase(event['code']).name}"
            case EventKind.AUCTION | EventKind.INDICATIVE:
                return f"{kind.name.lower()} {lots} @ {price}, surplus {left}"
            case EventKind.MASS_CANCELLED:
                return f"mass-cancelled {lots}"
            case EventKind.ACCOUNT:
                return f"account {event['account']} {'on' if event['code'] else 'off'}"
            case EventKind.INSTRUMENT:
                return f"instrument {event['instrument']} {('removed', 'listed', 'changed')[event['code']]}"
        order = self.name(event["order_id"])
        match kind:
            case EventKind.TRADE:
                contra, others = self.name(event["contra_id"]), event["contra_remaining"]
                sign = "=" if event["flags"] & EventFlag.UNCROSS else "x"
                return f"{order} {sign} {contra} {lots} @ {price}, left {left} and {others}"
            case EventKind.CANCELLED:
                return f"{order} loses {lots}, left {left}: {CancelReason(event['code']).name}"
            case _:
                return f"{order} {kind.name.lower()} {lots} @ {price}"


@pytest.fixture(params=[Engine, ReferenceEngine], ids=["kernel", "reference"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param(LIMITS))


def levels(desk: Desk, side: Side) -> list[tuple[int, int, int]]:
    """Return what a side shows: price, lots, orders."""
    return [tuple(row) for row in desk.engine.depth(0, side).tolist()]


def depth_is(desk: Desk, bids: list[tuple[int, int, int]], asks: list[tuple[int, int, int]]) -> bool:
    return levels(desk, BUY) == bids and levels(desk, SELL) == asks


class TestInstrumentsAndPhases:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"price_low": 0},
            {"price_high": 1 << 24},
            {"reference_price": 89},
            {"reference_price": 111},
            {"hub": 0xFFFF},
            {"multiplier": 0},
            {"position_limit": -1},
            {"margin_long_fen": 1 << 31},
        ],
    )
    def test_terms_out_of_range_are_not_listed(self, desk: Desk, wrong: dict[str, int]) -> None:
        """Clause 3.1."""
        terms = {"price_low": 90, "price_high": 110, "reference_price": 100} | wrong
        assert desk.do("add_instrument", 1, InstrumentSpec(**terms)) == ["INVALID_INSTRUMENT"]

    def test_a_new_instrument_is_closed_and_refuses_orders(self, desk: Desk) -> None:
        """Clause 3.2."""
        assert desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100)) == ["instrument 1 listed"]
        assert desk.buy(1, 100, instrument=1) == ["MARKET_CLOSED"]
        assert desk.do("set_phase", 1, Phase.HALTED) == ["phase HALTED"]
        assert desk.buy(1, 100, instrument=1) == ["HALTED"]

    def test_cancelling_is_possible_in_every_phase_but_amending_is_not(self, desk: Desk) -> None:
        """Clauses 3.2, 3.20, 3.21."""
        for number, phase in enumerate((Phase.CLOSED, Phase.HALTED), 1):
            desk.phase(Phase.CONTINUOUS)
            desk.buy(5, 99)
            desk.phase(phase)
            assert desk.amend(number, quantity=3) == ["MARKET_CLOSED" if number == 1 else "HALTED"]
            assert desk.cancel(number) == [f"#{number} loses 5, left 0: REQUESTED", "BUY 99: 0 in 0"]

    def test_the_same_phase_again_says_nothing(self, desk: Desk) -> None:
        """Clause 3.3."""
        assert desk.phase(Phase.CONTINUOUS) == []
        assert desk.do("set_phase", 0, 77) == ["INVALID_PHASE"]
        assert desk.do("set_phase", (0, 3), Phase.HALTED) == ["UNKNOWN_INSTRUMENT"]
        assert desk.engine.l1(0).phase == Phase.CONTINUOUS

    def test_entering_continuous_uncrosses_even_an_empty_book(self, desk: Desk) -> None:
        """Clauses 3.3, 3.32."""
        desk.phase(Phase.HALTED)
        assert desk.phase(Phase.CONTINUOUS) == ["auction 0 @ 0, surplus 0", "phase CONTINUOUS"]

    def test_a_rebase_cancels_what_lies_outside_in_book_order(self, desk: Desk) -> None:
        """Clause 3.4."""
        desk.buy(1, 91)
        desk.buy(2, 95)
        desk.sell(3, 109)
        desk.buy(4, order_type=OrderType.STOP, trigger=108)
        assert desk.do("rebase", 0, 94, 106, 100) == [
            "#1 loses 1, left 0: PRICE_OUTSIDE_LIMITS",
            "BUY 91: 0 in 0",
            "#3 loses 3, left 0: PRICE_OUTSIDE_LIMITS",
            "SELL 109: 0 in 0",
            "#4 loses 4, left 0: PRICE_OUTSIDE_LIMITS",
            "instrument 0 changed",
        ]
        assert depth_is(desk, [(95, 2, 1)], [])
        assert desk.do("rebase", 0, 106, 94, 100) == ["INVALID_INSTRUMENT"]
        assert desk.do("rebase", 0, 94, 994, 100) == ["TOO_MANY_LEVELS"]

    def test_removing_an_instrument_forgets_its_holdings(self, desk: Desk) -> None:
        """Clause 3.4."""
        desk.buy(3, 100)
        desk.sell(2, 100)
        assert desk.engine.position(1, 0) == 2
        assert desk.do("remove_instrument", 0) == [
            "#1 loses 1, left 0: INSTRUMENT_REMOVED",
            "BUY 100: 0 in 0",
            "instrument 0 removed",
        ]
        assert desk.engine.instruments() == []
        assert desk.do("add_instrument", 0, InstrumentSpec(1, 2, 1)) == ["instrument 0 listed"]
        assert desk.do("add_instrument", 0, InstrumentSpec(1, 2, 1)) == ["INSTRUMENT_EXISTS"]
        assert desk.engine.position(1, 0) == 0
        assert desk.do("add_instrument", 4, InstrumentSpec(1, 2, 1)) == ["INVALID_INSTRUMENT"]

    def test_day_orders_and_due_gtd_orders_expire(self, desk: Desk) -> None:
        """Clause 3.5."""
        desk.buy(1, 99, tif=TimeInForce.GTC)
        desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=7)
        desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=8)
        desk.buy(1, 98)
        assert desk.do("end_of_day", 7) == [
            "#2 loses 1, left 0: EXPIRED",
            "BUY 99: 2 in 2",
            "#4 loses 1, left 0: EXPIRED",
            "BUY 98: 0 in 0",
        ]
        assert desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=7) == ["INVALID_EXPIRY"]


class TestPlacesAndIds:
    def test_better_price_then_longer_standing_goes_first(self, desk: Desk) -> None:
        """Clauses 3.6, 3.18."""
        desk.sell(2, 101)
        desk.sell(2, 100)
        desk.sell(2, 100, account=3)
        assert desk.buy(5, 101) == [
            "#4 accepted 5 @ 101",
            "#4 x #2 2 @ 100, left 3 and 0",
            "#4 x #3 2 @ 100, left 1 and 0",
            "SELL 100: 0 in 0",
            "#4 x #1 1 @ 101, left 0 and 1",
            "SELL 101: 1 in 1",
        ]

    def test_a_slot_is_used_again_with_a_new_generation(self, desk: Desk) -> None:
        """Clause 3.9."""
        desk.buy(1, 99)
        desk.buy(1, 98)
        desk.cancel(1)
        desk.buy(1, 97)
        assert desk.ids == [(1 << 32) + 1, (1 << 32) + 2, (2 << 32) + 1]
        assert desk.cancel(1) == ["UNKNOWN_ORDER"]
        assert desk.amend(1, quantity=2) == ["UNKNOWN_ORDER"]

    def test_an_incoming_order_frees_its_slot_after_the_resting_one(self, desk: Desk) -> None:
        """Clause 3.9."""
        desk.sell(1, 100)
        desk.buy(1, 100)
        desk.buy(1, 90)
        desk.buy(1, 90)
        assert desk.ids[2:] == [(2 << 32) + 2, (2 << 32) + 1]

    def test_book_order_and_acceptance_order(self, desk: Desk) -> None:
        """Clause 3.8."""
        desk.buy(1, order_type=OrderType.STOP, trigger=105)
        desk.sell(1, 103, account=1)
        desk.buy(1, 98)
        desk.buy(1, 98, tif=TimeInForce.AT_CLOSE)
        desk.buy(1, 99)
        desk.sell(1, account=1, order_type=OrderType.STOP, trigger=95)
        names = [desk.name(int(order_id)) for order_id in desk.engine.orders(0)["order_id"]]
        assert names == ["#5", "#3", "#2", "#6", "#1", "#4"]
        mine = [desk.name(int(order_id)) for order_id in desk.engine.open_orders(1)["order_id"]]
        assert mine == ["#1", "#2", "#3", "#4", "#5", "#6"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"account": 7}, "UNKNOWN_ACCOUNT"),
            ({"account": 99}, "UNKNOWN_ACCOUNT"),
            ({"account": -1}, "UNKNOWN_ACCOUNT"),
            ({"instrument": 3}, "UNKNOWN_INSTRUMENT"),
            ({"instrument": -1}, "UNKNOWN_INSTRUMENT"),
            ({"side": Side.ANY}, "INVALID_SIDE"),
            ({"order_type": 6}, "INVALID_TYPE"),
            ({"tif": 7}, "INVALID_TIME_IN_FORCE"),
            ({"stp": 5}, "INVALID_STP_MODE"),
            ({"flags": 3}, "INVALID_FLAGS"),
            ({"flags": 8}, "INVALID_FLAGS"),
            ({"quantity": 0}, "INVALID_QUANTITY"),
            ({"quantity": -5}, "INVALID_QUANTITY"),
            ({"quantity": (1 << 20) + 1}, "ORDER_TOO_LARGE"),
            ({"display": 6}, "INVALID_DISPLAY"),
            ({"display": -1}, "INVALID_DISPLAY"),
            ({"min_quantity": 6}, "INVALID_MIN_QUANTITY"),
            ({"min_quantity": -1}, "INVALID_MIN_QUANTITY"),
            ({"price": 89}, "PRICE_OUTSIDE_LIMITS"),
            ({"price": 111}, "PRICE_OUTSIDE_LIMITS"),
            ({"price": 0}, "PRICE_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.MARKET}, "PRICE_NOT_ALLOWED"),
            ({"order_type": OrderType.STOP_LIMIT, "trigger": 111}, "TRIGGER_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.STOP, "price": 0, "trigger": 0}, "TRIGGER_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.TRAILING_STOP, "price": 0}, "INVALID_OFFSET"),
            ({"tif": TimeInForce.GTD}, "INVALID_EXPIRY"),
            ({"tif": TimeInForce.AT_OPEN}, "NOT_IN_THIS_PHASE"),
        ],
    )
    def test_each_check_has_its_code(self, desk: Desk, terms: dict[str, int], code: str) -> None:
        """Clause 3.11."""
        before = desk.engine.state_hash()
        plain = {"account": 1, "instrument": 0, "side": BUY, "quantity": 5, "price": 99}
        assert desk.send(new_order(**(plain | terms))) == [code]
        if code in ("UNKNOWN_ACCOUNT", "UNKNOWN_INSTRUMENT") or code.startswith("INVALID_S"):
            assert desk.engine.state_hash() == before

    @pytest.mark.parametrize(
        "terms",
        [
            {"order_type": OrderType.STOP, "tif": TimeInForce.IOC},
            {"order_type": OrderType.TRAILING_STOP, "tif": TimeInForce.AT_CLOSE},
            {"order_type": OrderType.MARKET, "display": 1},
            {"display": 1, "tif": TimeInForce.FOK},
            {"min_quantity": 1, "order_type": OrderType.STOP_LIMIT},
            {"min_quantity": 1, "tif": TimeInForce.FOK},
            {"min_quantity": 1, "tif": TimeInForce.AT_OPEN},
            {"min_quantity": 1, "flags": OrderFlag.POST_ONLY},
            {"min_quantity": 1, "flags": OrderFlag.REDUCE_ONLY, "tif": TimeInForce.IOC},
            {"flags": OrderFlag.POST_ONLY, "order_type": OrderType.MARKET},
            {"flags": OrderFlag.POST_ONLY_SLIDE, "tif": TimeInForce.IOC},
            {"order_type": OrderType.MARKET_TO_LIMIT, "tif": TimeInForce.FOK},
            {"flags": OrderFlag.REDUCE_ONLY},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.STOP_LIMIT},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET, "tif": TimeInForce.AT_CLOSE},
        ],
    )
    def test_these_combinations_are_refused(self, desk: Desk, terms: dict[str, int]) -> None:
        """Clause 3.12."""
        assert desk.buy(5, 99, **terms) == ["INVALID_COMBINATION"]

    @pytest.mark.parametrize(
        "terms",
        [
            {"tif": TimeInForce.IOC},
            {"tif": TimeInForce.FOK},
            {"min_quantity": 1},
            {"flags": OrderFlag.POST_ONLY},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET, "price": 0},
        ],
    )
    def test_a_call_refuses_what_must_trade_at_once(self, desk: Desk, terms: dict[str, Any]) -> None:
        """Clause 3.13."""
        desk.phase(Phase.CLOSING_CALL)
        assert desk.buy(5, **({"price": 99} | terms)) == ["NOT_IN_THIS_PHASE"]

    def test_a_disabled_account_may_cancel_but_not_send(self, desk: Desk) -> None:
        """Clauses 3.11 (3), 3.20, 3.21."""
        desk.buy(5, 99)
        desk.do("set_account", 1, AccountSpec(enabled=False, equity_fen=10**9))
        assert desk.buy(5, 99) == ["ACCOUNT_DISABLED"]
        assert desk.amend(1, quantity=1) == ["ACCOUNT_DISABLED"]
        assert desk.cancel(1)[0] == "#1 loses 5, left 0: REQUESTED"

    def test_the_engine_is_full(self, desk: Desk) -> None:
        """Clause 3.11 (9)."""
        for _ in range(LIMITS.max_orders):
            desk.buy(1, 99)
        assert desk.buy(1, 99) == ["ENGINE_FULL"]
        desk.cancel(7)
        assert desk.buy(1, 99)[0] == "#41 accepted 1 @ 99"

    def test_holdings_are_bounded(self, desk: Desk) -> None:
        """Clauses 3.11 (9), 3.35."""
        for index in (1, 2):
            desk.do("add_instrument", index, InstrumentSpec(90, 110, 100))
            desk.do("set_phase", index, Phase.CONTINUOUS)
        for index in range(3):
            for account in (1, 2, 3):
                desk.buy(1, 99, instrument=index, account=account)
        assert desk.buy(1, 99, account=4) == ["TOO_MANY_HOLDINGS"]
        assert desk.do("set_position", 4, 0, 1) == ["TOO_MANY_HOLDINGS"]
        assert desk.buy(1, 99, account=3)[0] == "#10 accepted 1 @ 99"


class TestRestingAndTrading:
    def test_what_remains_of_each_kind(self, desk: Desk) -> None:
        """Clauses 3.14, 3.18."""
        for _ in range(4):
            desk.sell(1, 100)
        assert desk.buy(2, 100, tif=TimeInForce.IOC)[3:] == ["SELL 100: 2 in 2"]
        assert desk.buy(3, 100, tif=TimeInForce.IOC)[-1] == "#6 loses 1, left 0: IMMEDIATE_OR_CANCEL"
        desk.sell(1, 100)
        market = {"order_type": OrderType.MARKET}
        assert desk.buy(2, **market)[-2:] == ["SELL 100: 0 in 0", "#8 loses 1, left 0: UNFILLED"]
        desk.sell(1, 100)
        assert desk.buy(2, tif=TimeInForce.IOC, **market)[-1] == "#10 loses 1, left 0: IMMEDIATE_OR_CANCEL"
        desk.sell(1, 100)
        assert desk.buy(2, 102)[-2:] == ["SELL 100: 0 in 0", "BUY 102: 1 in 1"]

    def test_market_to_limit_takes_the_best_price_and_rests_there(self, desk: Desk) -> None:
        """Clause 3.18."""
        kind = {"order_type": OrderType.MARKET_TO_LIMIT}
        assert desk.buy(5, **kind) == ["#1 accepted 5 @ 0", "#1 loses 5, left 0: UNFILLED"]
        desk.sell(2, 101)
        desk.sell(2, 102)
        assert desk.buy(5, **kind) == [
            "#4 accepted 5 @ 0",
            "#4 x #2 2 @ 101, left 3 and 0",
            "SELL 101: 0 in 0",
            "BUY 101: 3 in 1",
        ]
        assert desk.engine.orders(0)[0]["type"] == OrderType.LIMIT

    def test_an_iceberg_refreshes_at_the_tail(self, desk: Desk) -> None:
        """Clause 3.15."""
        assert desk.sell(7, 100, display=3)[-1] == "SELL 100: 3 in 1"
        desk.sell(2, 100, account=3)
        assert desk.buy(6, 100) == [
            "#3 accepted 6 @ 100",
            "#3 x #1 3 @ 100, left 3 and 4",
            "#3 x #2 2 @ 100, left 1 and 0",
            "#3 x #1 1 @ 100, left 0 and 3",
            "SELL 100: 2 in 1",
        ]

    def test_an_incoming_iceberg_trades_whole(self, desk: Desk) -> None:
        """Clause 3.15."""
        desk.sell(6, 100)
        assert desk.buy(10, 100, display=3)[1:] == [
            "#2 x #1 6 @ 100, left 4 and 0",
            "SELL 100: 0 in 0",
            "BUY 100: 3 in 1",
        ]

    def test_iceberg_slices_are_bounded(self, desk: Desk) -> None:
        """Clause 3.15."""
        desk.sell(13, 100, display=1)
        assert desk.sell(2, 100, display=1) == ["TOO_MANY_REFRESHES"]
        assert desk.amend(1, account=2, quantity=14) == ["TOO_MANY_REFRESHES"]
        desk.buy(1, 100)
        assert desk.sell(2, 100, display=1)[0] == "#3 accepted 2 @ 100"

    def test_post_only_is_refused_or_slides(self, desk: Desk) -> None:
        """Clause 3.16."""
        desk.sell(1, 100)
        assert desk.buy(1, 100, flags=OrderFlag.POST_ONLY) == ["POST_ONLY_WOULD_TRADE"]
        assert desk.buy(1, 99, flags=OrderFlag.POST_ONLY)[0] == "#2 accepted 1 @ 99"
        assert desk.buy(1, 105, flags=OrderFlag.POST_ONLY_SLIDE)[0] == "#3 accepted 1 @ 99"
        assert desk.sell(1, 95, flags=OrderFlag.POST_ONLY_SLIDE)[0] == "#4 accepted 1 @ 100"

    def test_post_only_cannot_slide_beyond_the_limits(self, desk: Desk) -> None:
        """Clause 3.16."""
        desk.sell(1, 90)
        assert desk.buy(1, 95, flags=OrderFlag.POST_ONLY_SLIDE) == ["POST_ONLY_WOULD_TRADE"]

    def test_reduce_only_cuts_to_the_position(self, desk: Desk) -> None:
        """Clause 3.17."""
        reduce = {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET}
        assert desk.sell(5, account=1, **reduce) == ["NOTHING_TO_REDUCE"]
        desk.do("set_position", 1, 0, 3)
        desk.buy(9, 100, account=2)
        assert desk.buy(5, **reduce) == ["NOTHING_TO_REDUCE"]
        assert desk.sell(5, account=1, **reduce) == [
            "#2 accepted 5 @ 0",
            "#2 loses 2, left 3: REDUCE_ONLY",
            "#2 x #1 3 @ 100, left 0 and 6",
            "BUY 100: 6 in 1",
        ]
        assert desk.engine.position(1, 0) == 0

    def test_fill_or_kill_counts_reserves(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(5, 100, display=1)
        desk.sell(2, 101)
        fok = {"tif": TimeInForce.FOK}
        assert desk.buy(6, 100, **fok) == ["#3 accepted 6 @ 100", "#3 loses 6, left 0: FILL_OR_KILL"]
        assert desk.buy(7, 101, **fok)[-1] == "SELL 101: 0 in 0"

    def test_a_minimum_quantity_must_trade_at_once(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        assert desk.buy(9, 100, min_quantity=4)[-1] == "#2 loses 9, left 0: MIN_QUANTITY"
        assert desk.buy(9, 100, min_quantity=3)[-1] == "BUY 100: 6 in 1"

    @pytest.mark.parametrize(
        ("mode", "fills"),
        [
            (StpMode.NONE, True),
            (StpMode.CANCEL_RESTING, False),
            (StpMode.CANCEL_TAKING, False),
            (StpMode.CANCEL_BOTH, False),
            (StpMode.DECREMENT, False),
        ],
    )
    def test_own_orders_do_not_make_a_fill(self, desk: Desk, mode: StpMode, fills: bool) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        desk.sell(2, 100, account=1)
        desk.sell(1, 100)
        ended = desk.buy(5, 100, tif=TimeInForce.FOK, stp=mode)[-1]
        assert (ended != "#4 loses 5, left 0: FILL_OR_KILL") == fills

    def test_cancel_resting_reaches_beyond_own_orders(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        desk.sell(2, 100, account=1)
        desk.sell(2, 101)
        resting, taking = StpMode.CANCEL_RESTING, StpMode.CANCEL_TAKING
        fok = {"tif": TimeInForce.FOK}
        assert desk.buy(4, 101, stp=taking, **fok)[-1] == "#4 loses 4, left 0: FILL_OR_KILL"
        assert desk.buy(5, 101, stp=resting, **fok)[-1] == "SELL 101: 0 in 0"


class TestAmending:
    def test_down_keeps_the_place_and_up_loses_it(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.buy(5, 99, account=3)
        assert desk.amend(1, quantity=4) == ["#1 amended 4 @ 99", "BUY 99: 9 in 2"]
        assert desk.sell(1, 99)[1] == "#3 x #1 1 @ 99, left 0 and 3"
        assert desk.amend(1, quantity=6) == ["#1 amended 5 @ 99", "BUY 99: 5 in 1", "BUY 99: 10 in 2"]
        assert desk.sell(1, 99)[1] == "#4 x #2 1 @ 99, left 0 and 4"

    def test_below_the_executed_quantity_cancels(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.sell(2, 99)
        assert desk.amend(1, quantity=2) == ["#1 loses 3, left 0: AMENDED_AWAY", "BUY 99: 0 in 0"]

    def test_a_new_price_may_trade(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.sell(2, 101)
        desk.buy(5, 99)
        assert desk.amend(2, price=101) == [
            "#2 amended 5 @ 101",
            "BUY 99: 0 in 0",
            "#2 x #1 2 @ 101, left 3 and 0",
            "SELL 101: 0 in 0",
            "BUY 101: 3 in 1",
        ]

    def test_an_icebergs_reserve_is_reduced_first(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(9, 99, display=4)
        assert desk.amend(1, quantity=5) == ["#1 amended 5 @ 99", "BUY 99: 4 in 1"]
        assert desk.amend(1, quantity=2) == ["#1 amended 2 @ 99", "BUY 99: 2 in 1"]

    def test_post_only_is_judged_again(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.sell(1, 101)
        desk.buy(5, 99, flags=OrderFlag.POST_ONLY)
        desk.buy(5, 98, flags=OrderFlag.POST_ONLY_SLIDE)
        assert desk.amend(2, price=101) == ["POST_ONLY_WOULD_TRADE"]
        assert desk.amend(3, price=103) == ["#3 amended 5 @ 100", "BUY 98: 0 in 0", "BUY 100: 5 in 1"]

    def test_what_cannot_be_amended(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.buy(5, order_type=OrderType.STOP, trigger=105)
        desk.buy(5, order_type=OrderType.TRAILING_STOP, trigger=3)
        assert desk.amend(1, quantity=-1) == ["INVALID_QUANTITY"]
        assert desk.amend(1, quantity=(1 << 20) + 1) == ["ORDER_TOO_LARGE"]
        assert desk.amend(1, price=111) == ["PRICE_OUTSIDE_LIMITS"]
        assert desk.amend(1, trigger=100) == ["INVALID_COMBINATION"]
        assert desk.amend(2, price=100) == ["PRICE_NOT_ALLOWED"]
        assert desk.amend(2, trigger=111) == ["TRIGGER_OUTSIDE_LIMITS"]
        assert desk.amend(3, trigger=4) == ["INVALID_COMBINATION"]
        assert desk.amend(1, account=2, quantity=1) == ["UNKNOWN_ORDER"]
        assert desk.amend(1, account=7, quantity=1) == ["UNKNOWN_ACCOUNT"]
        assert desk.amend(2, trigger=106) == ["#2 amended 5 @ 0"]

    def test_nobody_elses_order_can_be_cancelled(self, desk: Desk) -> None:
        """Clause 3.21."""
        desk.buy(5, 99)
        assert desk.cancel(1, account=2) == ["UNKNOWN_ORDER"]
        assert desk.send(cancel(account=1, order_id=99)) == ["UNKNOWN_ORDER"]
        assert desk.send(cancel(account=1, order_id=-1)) == ["UNKNOWN_ORDER"]


class TestSelfTradePrevention:
    @pytest.fixture
    def book(self, desk: Desk) -> Desk:
        """#1 of account 2, #2 an iceberg of account 1, #3 of account 2: all for sale at 100."""
        desk.sell(1, 100)
        desk.sell(5, 100, account=1, display=2)
        desk.sell(4, 100)
        return desk

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            (
                StpMode.NONE,
                [
                    "#4 x #2 2 @ 100, left 5 and 3",
                    "#4 x #3 4 @ 100, left 1 and 0",
                    "#4 x #2 1 @ 100, left 0 and 2",
                    "SELL 100: 1 in 1",
                ],
            ),
            (
                StpMode.CANCEL_RESTING,
                [
                    "#2 loses 5, left 0: SELF_TRADE",
                    "#4 x #3 4 @ 100, left 3 and 0",
                    "SELL 100: 0 in 0",
                    "BUY 100: 3 in 1",
                ],
            ),
            (StpMode.CANCEL_TAKING, ["#4 loses 7, left 0: SELF_TRADE", "SELL 100: 6 in 2"]),
            (
                StpMode.CANCEL_BOTH,
                ["#2 loses 5, left 0: SELF_TRADE", "#4 loses 7, left 0: SELF_TRADE", "SELL 100: 4 in 1"],
            ),
            (
                StpMode.DECREMENT,
                [
                    "#2 loses 5, left 0: SELF_TRADE",
                    "#4 loses 5, left 2: SELF_TRADE",
                    "#4 x #3 2 @ 100, left 0 and 2",
                    "SELL 100: 2 in 1",
                ],
            ),
        ],
    )
    def test_each_mode(self, book: Desk, mode: StpMode, expected: list[str]) -> None:
        """Clause 3.22."""
        accepted = ["#4 accepted 8 @ 100", "#4 x #1 1 @ 100, left 7 and 0"]
        assert book.buy(8, 100, stp=mode) == accepted + expected

    def test_decrement_leaves_the_rest_in_its_place_reserve_first(self, desk: Desk) -> None:
        """Clause 3.22."""
        desk.sell(5, 100, account=1, display=2)
        desk.sell(4, 100)
        assert desk.buy(2, 100, stp=StpMode.DECREMENT) == [
            "#3 accepted 2 @ 100",
            "#1 loses 2, left 3: SELF_TRADE",
            "#3 loses 2, left 0: SELF_TRADE",
            "SELL 100: 6 in 2",
        ]
        assert desk.buy(1, 100, account=3)[1] == "#4 x #1 1 @ 100, left 0 and 2"

    def test_cancel_taking_changes_no_level_that_it_only_looked_at(self, desk: Desk) -> None:
        """Clauses 3.10, 3.22."""
        desk.sell(5, 100, account=1)
        assert desk.buy(2, 100, stp=StpMode.CANCEL_TAKING) == [
            "#2 accepted 2 @ 100",
            "#2 loses 2, left 0: SELF_TRADE",
        ]


class TestDynamicBand:
    @pytest.fixture
    def banded(self, desk: Desk) -> Desk:
        """Instrument 0 with a band of 3 ticks, sellers at 102 and 104; nothing has traded."""
        desk.do("remove_instrument", 0)
        desk.do("add_instrument", 0, InstrumentSpec(90, 110, 100, band_ticks=3))
        desk.phase(Phase.CONTINUOUS)
        desk.sell(1, 102)
        desk.sell(1, 104)
        return desk

    def test_a_level_outside_the_band_stops_the_market(self, banded: Desk) -> None:
        """Clause 3.23: around the reference price, as nothing has traded."""
        assert banded.buy(2, 105) == [
            "#3 accepted 2 @ 105",
            "#3 x #1 1 @ 102, left 1 and 0",
            "SELL 102: 0 in 0",
            "phase VOLATILITY_CALL",
            "BUY 105: 1 in 1",
        ]
        assert banded.phase(Phase.CONTINUOUS)[:2] == [
            "auction 1 @ 104, surplus 0",
            "#3 = #2 1 @ 104, left 0 and 0",
        ]

    def test_the_band_lies_around_the_last_price_before_the_order(self, banded: Desk) -> None:
        """Clause 3.23."""
        banded.buy(1, 102)
        assert banded.buy(1, 105)[-2] == "#4 x #2 1 @ 104, left 0 and 0"

    @pytest.mark.parametrize(
        "terms", [{"order_type": OrderType.MARKET}, {"price": 105, "tif": TimeInForce.IOC}]
    )
    def test_what_cannot_rest_is_cancelled(self, banded: Desk, terms: dict[str, Any]) -> None:
        """Clause 3.23."""
        said = banded.buy(2, **terms)
        assert said[-2:] == ["phase VOLATILITY_CALL", "#3 loses 1, left 0: VOLATILITY"]

    def test_fill_or_kill_does_not_count_beyond_the_band(self, banded: Desk) -> None:
        """Clause 3.19."""
        assert banded.buy(2, 105, tif=TimeInForce.FOK)[-1] == "#3 loses 2, left 0: FILL_OR_KILL"
        assert banded.engine.l1(0).phase == Phase.CONTINUOUS


class TestStops:
    def trade_at(self, desk: Desk, price: int) -> list[str]:
        """Let accounts 3 and 4 trade one lot; return what follows the trade's own events."""
        desk.sell(1, price, account=3)
        return desk.buy(1, price, account=4)[3:]

    def test_stops_are_elected_in_their_order_and_activated_one_by_one(self, desk: Desk) -> None:
        """Clauses 3.7, 3.24, 3.26."""
        desk.buy(1, order_type=OrderType.STOP, trigger=102)
        desk.buy(2, 103, order_type=OrderType.STOP_LIMIT, trigger=101)
        desk.buy(3, order_type=OrderType.STOP, trigger=103)
        assert self.trade_at(desk, 102) == [
            "#2 triggered 2 @ 101",
            "BUY 103: 2 in 1",
            "#1 triggered 1 @ 102",
            "#1 loses 1, left 0: UNFILLED",
        ]

    def test_an_activated_stop_can_elect_others(self, desk: Desk) -> None:
        """Clause 3.26."""
        desk.sell(5, 104)
        desk.buy(1, order_type=OrderType.STOP, trigger=102)
        desk.buy(1, order_type=OrderType.STOP, trigger=104)
        assert self.trade_at(desk, 102) == [
            "#2 triggered 1 @ 102",
            "#2 x #1 1 @ 104, left 0 and 4",
            "SELL 104: 4 in 1",
            "#3 triggered 1 @ 104",
            "#3 x #1 1 @ 104, left 0 and 3",
            "SELL 104: 3 in 1",
        ]

    def test_a_stop_that_is_due_goes_off_at_once(self, desk: Desk) -> None:
        """Clause 3.24."""
        self.trade_at(desk, 100)
        said = desk.sell(1, order_type=OrderType.STOP, trigger=101)
        assert said == ["#3 accepted 1 @ 0", "#3 triggered 1 @ 101", "#3 loses 1, left 0: UNFILLED"]

    def test_a_trailing_stop_follows_the_price_one_way(self, desk: Desk) -> None:
        """Clauses 3.24, 3.25."""
        desk.sell(1, order_type=OrderType.TRAILING_STOP, trigger=3)
        triggers = []
        for price in (100, 104, 103):
            self.trade_at(desk, price)
            triggers.append(int(desk.engine.open_orders(2)["trigger"][0]))
        assert triggers == [97, 101, 101]
        assert self.trade_at(desk, 101)[0] == "#1 triggered 1 @ 101"

    def test_a_trailing_stop_starts_within_the_limits(self, desk: Desk) -> None:
        """Clause 3.25."""
        desk.sell(1, order_type=OrderType.TRAILING_STOP, trigger=50)
        desk.buy(1, order_type=OrderType.TRAILING_STOP, trigger=50)
        assert desk.engine.open_orders(2)["trigger"].tolist() == [90]
        assert desk.engine.open_orders(1)["trigger"].tolist() == [110]

    def test_a_reduce_only_stop_is_cut_when_it_goes_off(self, desk: Desk) -> None:
        """Clauses 3.17, 3.26."""
        desk.do("set_position", 1, 0, 2)
        reduce = {"account": 1, "order_type": OrderType.STOP, "flags": OrderFlag.REDUCE_ONLY}
        desk.sell(5, trigger=99, **reduce)
        desk.sell(5, trigger=98, **reduce)
        desk.buy(2, 96, account=3)
        assert self.trade_at(desk, 98) == [
            "#1 triggered 5 @ 99",
            "#1 loses 3, left 2: REDUCE_ONLY",
            "#1 x #3 2 @ 96, left 0 and 0",
            "BUY 96: 0 in 0",
            "#2 triggered 5 @ 98",
            "#2 loses 5, left 0: REDUCE_ONLY",
        ]

    def test_a_stop_iceberg_shows_its_slice_when_it_enters_the_book(self, desk: Desk) -> None:
        """Clauses 3.15, 3.26."""
        desk.buy(5, 103, order_type=OrderType.STOP_LIMIT, trigger=101, display=2)
        assert self.trade_at(desk, 101) == ["#1 triggered 5 @ 101", "BUY 103: 2 in 1"]


class TestMassCancelAndKillSwitch:
    def test_filters(self, desk: Desk) -> None:
        """Clause 3.27."""
        desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100, hub=5))
        desk.do("set_phase", 1, Phase.CONTINUOUS)
        orders = [(0, BUY, 99, 1), (1, BUY, 99, 2), (0, SELL, 101, 1), (1, SELL, 101, 1)]
        chosen = [
            ({}, [1, 2, 3, 4]),
            ({"instrument": 1}, [2, 4]),
            ({"hub": 5, "side": BUY}, [2]),
            ({"group": 1}, [1, 3, 4]),
            ({"side": SELL, "instrument": ANY_INSTRUMENT, "hub": ANY_HUB}, [3, 4]),
        ]
        for filters, expected in chosen:
            desk.ids.clear()
            for instrument, side, price, group in orders:
                desk.order(side, 1, price, instrument=instrument, group=group)
            said = desk.send(mass_cancel(account=1, **filters))
            assert said[-1] == f"mass-cancelled {len(expected)}"
            assert said[:-1:2] == [f"#{number} loses 1, left 0: MASS_CANCEL" for number in expected]
            desk.send(mass_cancel(account=1))

    def test_refusals(self, desk: Desk) -> None:
        """Clause 3.27."""
        assert desk.send(mass_cancel(account=7)) == ["UNKNOWN_ACCOUNT"]
        assert desk.send(mass_cancel(account=1, instrument=2)) == ["UNKNOWN_INSTRUMENT"]
        assert desk.send(mass_cancel(account=1, side=3)) == ["INVALID_SIDE"]  # type: ignore[arg-type]

    def test_killing_an_account(self, desk: Desk) -> None:
        """Clause 3.28."""
        desk.buy(1, 99)
        desk.buy(2, 99, account=3)
        desk.buy(3, order_type=OrderType.STOP, trigger=105)
        assert desk.do("kill_account", 1) == [
            "account 1 off",
            "#1 loses 1, left 0: KILL_SWITCH",
            "BUY 99: 2 in 1",
            "#3 loses 3, left 0: KILL_SWITCH",
            "mass-cancelled 2",
        ]
        assert desk.buy(1, 99) == ["ACCOUNT_DISABLED"]
        assert desk.do("kill_account", 7) == ["UNKNOWN_ACCOUNT"]

    def test_killing_the_market(self, desk: Desk) -> None:
        """Clause 3.28."""
        desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100))
        desk.buy(1, 99)
        assert desk.do("kill_market") == ["phase HALTED"]
        said = desk.do("kill_market", cancel_orders=True)
        assert said == ["#1 loses 1, left 0: KILL_SWITCH", "BUY 99: 0 in 0"]


class TestAuctions:
    @pytest.fixture
    def call(self, desk: Desk) -> Desk:
        """Instrument 0 in its opening call."""
        desk.phase(Phase.OPENING_CALL)
        return desk

    def open(self, desk: Desk) -> list[str]:
        """Open the market; the indicative result must be the actual one (clause 3.29)."""
        announced = desk.send(publish_indicative(instrument=0))
        said = desk.phase(Phase.CONTINUOUS)
        assert announced == [said[0].replace("auction", "indicative")]
        return said

    @pytest.mark.parametrize(
        ("buys", "sells", "expected"),
        [
            ([(5, 101)], [(5, 99)], "auction 5 @ 100, surplus 0"),  # nearest to the reference
            ([(5, 104)], [(5, 102)], "auction 5 @ 102, surplus 0"),
            ([(9, 103)], [(5, 99)], "auction 5 @ 103, surplus 4"),  # buyers press
            ([(5, 103)], [(9, 98)], "auction 5 @ 98, surplus -4"),  # sellers press
            ([(5, 102), (5, 101)], [(5, 101), (2, 102)], "auction 5 @ 102, surplus -2"),  # least surplus
            ([(5, 105)], [(5, 95)], "auction 5 @ 100, surplus 0"),
            ([(3, 99)], [(3, 101)], "auction 0 @ 0, surplus 0"),
            ([], [], "auction 0 @ 0, surplus 0"),
            ([(4, 0)], [(3, 0)], "auction 3 @ 100, surplus 1"),  # market orders alone
        ],
    )
    def test_the_auction_price(
        self, call: Desk, buys: list[tuple[int, int]], sells: list[tuple[int, int]], expected: str
    ) -> None:
        """Clause 3.31."""
        for quantity, price in buys:
            call.buy(quantity, price, order_type=OrderType.LIMIT if price else OrderType.MARKET)
        for quantity, price in sells:
            call.sell(quantity, price, order_type=OrderType.LIMIT if price else OrderType.MARKET)
        assert self.open(call)[0] == expected

    def test_market_orders_first_then_prices_and_icebergs_by_turn(self, call: Desk) -> None:
        """Clauses 3.6, 3.30, 3.32."""
        assert call.sell(6, 99, display=2)[-1] == "SELL 99: 2 in 1"
        call.sell(2, 99, account=3)
        assert call.buy(3, order_type=OrderType.MARKET)[-1] == "BUY 0: 3 in 1"
        call.buy(4, 101)
        assert self.open(call) == [
            "auction 7 @ 99, surplus -1",
            "#3 = #1 2 @ 99, left 1 and 4",
            "#3 = #2 1 @ 99, left 0 and 1",
            "BUY 0: 0 in 0",
            "#4 = #2 1 @ 99, left 3 and 0",
            "#4 = #1 2 @ 99, left 1 and 2",
            "#4 = #1 1 @ 99, left 0 and 1",
            "BUY 101: 0 in 0",
            "SELL 99: 1 in 1",
            "phase CONTINUOUS",
        ]

    def test_the_buyer_frees_its_slot_before_the_seller(self, call: Desk) -> None:
        """Clause 3.34: the slot that was freed last is used first (3.9)."""
        call.sell(1, 100)
        call.buy(1, 100)
        self.open(call)
        call.buy(1, 90)
        call.buy(1, 90)
        assert call.ids[2:] == [(2 << 32) + 1, (2 << 32) + 2]

    def test_what_is_left_of_market_orders(self, call: Desk) -> None:
        """Clause 3.33."""
        call.buy(3, order_type=OrderType.MARKET)
        call.buy(4, order_type=OrderType.MARKET_TO_LIMIT)
        call.sell(2, 98)
        assert self.open(call)[4:] == [
            "#1 loses 1, left 0: UNFILLED",
            "BUY 0: 4 in 1",
            "BUY 0: 0 in 0",
            "BUY 100: 4 in 1",
            "phase CONTINUOUS",
        ]

    def test_at_open_orders_end_with_the_auction(self, call: Desk) -> None:
        """Clause 3.33."""
        call.buy(3, 99, tif=TimeInForce.AT_OPEN)
        call.sell(3, 101, tif=TimeInForce.AT_OPEN)
        call.sell(1, 99)
        assert self.open(call)[3:] == [
            "BUY 99: 2 in 1",
            "#1 loses 2, left 0: AUCTION_ENDED",
            "BUY 99: 0 in 0",
            "#2 loses 3, left 0: AUCTION_ENDED",
            "SELL 101: 0 in 0",
            "phase CONTINUOUS",
        ]

    def test_at_close_orders_wait_parked_for_the_closing_call(self, desk: Desk) -> None:
        """Clauses 3.3, 3.13."""
        assert desk.buy(3, 99, tif=TimeInForce.AT_CLOSE) == ["#1 accepted 3 @ 99"]
        assert desk.sell(2, tif=TimeInForce.AT_CLOSE, order_type=OrderType.MARKET) == ["#2 accepted 2 @ 0"]
        assert depth_is(desk, [], [])
        assert desk.phase(Phase.CLOSING_CALL) == [
            "phase CLOSING_CALL",
            "#1 triggered 3 @ 0",
            "BUY 99: 3 in 1",
            "#2 triggered 2 @ 0",
            "SELL 0: 2 in 1",
        ]
        assert desk.phase(Phase.CLOSED) == [
            "auction 2 @ 99, surplus 1",
            "#1 = #2 2 @ 99, left 1 and 0",
            "SELL 0: 0 in 0",
            "BUY 99: 1 in 1",
            "#1 loses 1, left 0: AUCTION_ENDED",
            "BUY 99: 0 in 0",
            "phase CLOSED",
        ]

    def test_there_is_no_self_trade_prevention_in_an_uncross(self, call: Desk) -> None:
        """Clause 3.22."""
        call.buy(1, 100, stp=StpMode.CANCEL_BOTH)
        call.sell(1, 100, account=1, stp=StpMode.CANCEL_BOTH)
        assert self.open(call)[1] == "#1 = #2 1 @ 100, left 0 and 0"

    def test_an_auction_elects_stops(self, call: Desk) -> None:
        """Clauses 3.3, 3.24."""
        call.buy(1, 105, order_type=OrderType.STOP_LIMIT, trigger=100)
        call.buy(1, 100)
        call.sell(1, 100)
        assert self.open(call)[-2:] == ["#1 triggered 1 @ 100", "BUY 105: 1 in 1"]

    def test_nothing_is_indicated_outside_a_call(self, desk: Desk) -> None:
        """Clause 3.29."""
        desk.buy(5, 100)
        assert desk.send(publish_indicative(instrument=0)) == ["indicative 0 @ 0, surplus 0"]
        assert desk.send(publish_indicative(instrument=3)) == ["UNKNOWN_INSTRUMENT"]
        assert desk.engine.indicative(0) == Indicative(price=0, quantity=0, surplus=0)


class TestExposure:
    def test_requirement_and_equity(self, desk: Desk) -> None:
        """Clause 3.36."""
        desk.do("remove_instrument", 0)
        spec = InstrumentSpec(90, 110, 100, multiplier=10, margin_long_fen=70, margin_short_fen=50)
        desk.do("add_instrument", 0, spec)
        desk.phase(Phase.CONTINUOUS)
        desk.buy(4, 103)
        assert desk.engine.exposure(1).requirement_fen == 4 * 70 + 4 * 10 * 3
        desk.sell(9, 99, account=1)
        # the buyer's own lots traded with itself; 5 remain for sale at 99, one tick below the reference
        assert desk.engine.exposure(1).requirement_fen == 5 * 50 + 5 * 10 * 1
        desk.buy(5, 99, account=3)
        assert desk.engine.exposure(1).requirement_fen == 5 * 50
        assert desk.engine.exposure(3).equity_fen == 10**9 + 5 * 10 * 1
        assert desk.engine.exposure(1).equity_fen == 10**9 - 5 * 10 * 1

    def test_market_orders_count_at_the_worst_price(self, desk: Desk) -> None:
        """Clause 3.35."""
        desk.phase(Phase.OPENING_CALL)
        desk.buy(2, order_type=OrderType.MARKET)
        desk.sell(3, account=1, order_type=OrderType.STOP, trigger=95)
        assert desk.engine.exposure(1).requirement_fen == 2 * 10 + 3 * 10

    def test_margin_is_checked_before_the_trade(self, desk: Desk) -> None:
        """Clause 3.36."""
        desk.do("set_margins", 0, 10, 10)
        desk.do("set_account", 1, AccountSpec(equity_fen=40, offset_fen=10))
        assert desk.buy(6, 100) == ["MARGIN"]
        desk.buy(5, 100)
        assert desk.buy(1, 95) == ["MARGIN"]
        assert desk.sell(5, 101, account=1)[0] == "#2 accepted 5 @ 101"
        desk.do("adjust_equity", 1, -30)
        assert desk.amend(1, quantity=4)[0] == "#1 amended 4 @ 100"
        assert desk.amend(1, quantity=6) == ["MARGIN"]
        assert desk.amend(1, price=101) == ["MARGIN"]
        desk.do("set_offset", 1, 1000)
        assert desk.amend(1, quantity=6)[0] == "#1 amended 6 @ 100"

    def test_the_other_limits(self, desk: Desk) -> None:
        """Clause 3.37."""
        spec = AccountSpec(equity_fen=10**9, max_order_notional_fen=1000, max_open_orders=2)
        desk.do("set_account", 1, spec)
        assert desk.buy(11, 91) == ["ORDER_NOTIONAL"]
        assert desk.buy(10, order_type=OrderType.MARKET) == ["ORDER_NOTIONAL"]  # counted at 110
        desk.buy(10, 100)
        desk.buy(1, 99)
        assert desk.buy(1, 99) == ["OPEN_ORDER_LIMIT"]
        assert desk.amend(1, quantity=11) == ["ORDER_NOTIONAL"]

    def test_the_position_limit(self, desk: Desk) -> None:
        """Clause 3.37."""
        desk.do("remove_instrument", 0)
        desk.do("add_instrument", 0, InstrumentSpec(90, 110, 100, position_limit=5, max_order_size=9))
        desk.phase(Phase.CONTINUOUS)
        assert desk.buy(10, 99) == ["ORDER_TOO_LARGE"]
        assert desk.buy(6, 99) == ["POSITION_LIMIT"]
        desk.buy(5, 99)
        assert desk.buy(1, 99) == ["POSITION_LIMIT"]
        assert desk.amend(1, quantity=6) == ["POSITION_LIMIT"]
        desk.do("set_position", 1, 0, 3)
        assert desk.amend(1, quantity=4)[0] == "#1 amended 4 @ 99"
        assert desk.sell(8, 101, account=1)[0] == "#2 accepted 8 @ 101"
        assert desk.sell(1, 101, account=1) == ["POSITION_LIMIT"]

    def test_reduce_only_is_exempt_from_margin_and_position_limit(self, desk: Desk) -> None:
        """Clause 3.17."""
        desk.do("set_position", 1, 0, 5)
        desk.do("set_margins", 0, 10, 10)
        desk.do("set_account", 1, AccountSpec(equity_fen=-(10**6)))
        desk.buy(9, 99, account=2)
        ioc = {"tif": TimeInForce.IOC, "account": 1}
        assert desk.sell(9, 95, **ioc) == ["MARGIN"]
        assert desk.sell(5, 99, flags=OrderFlag.REDUCE_ONLY, **ioc)[0] == "#2 accepted 5 @ 99"

    def test_the_order_rate_counts_whole_seconds(self, desk: Desk) -> None:
        """Clause 3.38."""
        desk.do("set_account", 1, AccountSpec(equity_fen=10**9, max_orders_per_second=3))
        desk.time_ns = 5 * SECOND_NS
        desk.buy(1, 99)
        assert desk.buy(0, 99) == ["INVALID_QUANTITY"]
        desk.time_ns = 6 * SECOND_NS - 1
        assert desk.amend(1, quantity=2)[0] == "#1 amended 2 @ 99"
        assert desk.buy(1, 99) == ["ORDER_RATE"]
        assert desk.amend(1, quantity=1) == ["ORDER_RATE"]
        desk.time_ns = 6 * SECOND_NS
        assert desk.buy(1, 99)[0] == "#2 accepted 1 @ 99"

    def test_limit_lock(self, desk: Desk) -> None:
        """Clause 3.39."""
        assert desk.engine.l1(0).limit_lock == 0
        desk.buy(1, 110)
        assert desk.engine.l1(0).limit_lock == 1
        desk.sell(1, 110)
        desk.sell(1, 90)
        assert desk.engine.l1(0).limit_lock == -1
        desk.buy(1, 89 + 2)
        assert desk.engine.l1(0).limit_lock == 0


class TestViewsAndState:
    def test_the_level_changes_rebuild_the_book(self, desk: Desk) -> None:
        """Clause 3.10."""
        book: dict[tuple[str, str], str] = {}
        said: list[str] = []
        for turn in range(60):
            price = 95 + turn * 7 % 11
            said += desk.order(
                Side(turn % 2), 1 + turn % 5, price, account=1 + turn % 4, display=turn % 3 % 2
            )
        for line in said:
            if line.startswith(("BUY", "SELL")):
                side, price_text, lots, _, orders = line.replace(":", "").split()
                book[side, price_text] = f"{lots} in {orders}"
        shown = {
            (side.name, str(price)): f"{lots} in {orders}"
            for side in (BUY, SELL)
            for price, lots, orders in levels(desk, side)
        }
        assert {level: what for level, what in book.items() if what != "0 in 0"} == shown

    def test_top_of_book(self, desk: Desk) -> None:
        desk.buy(2, 99)
        desk.buy(1, 98)
        desk.sell(5, 102, display=3)
        top = desk.engine.l1(0)
        assert (top.bid_price, top.bid_quantity, top.ask_price, top.ask_quantity) == (99, 2, 102, 3)
        assert levels(desk, BUY) == [(99, 2, 1), (98, 1, 1)]
        assert desk.engine.depth(0, BUY, 1).tolist() == [(99, 2, 1)]

    def test_views_of_what_does_not_exist(self, desk: Desk) -> None:
        engine = desk.engine
        for view in (engine.l1, engine.orders, engine.indicative, engine.instrument, engine.positions):
            with pytest.raises(KeyError):
                view(3)
        with pytest.raises(KeyError):
            engine.position(1, 3)
        with pytest.raises(KeyError):
            desk.engine.exposure(7)

    def test_positions(self, desk: Desk) -> None:
        desk.buy(3, 100)
        desk.sell(3, 100)
        desk.buy(1, 90, account=3)
        assert desk.engine.positions(0).tolist() == [(1, 3), (2, -3)]
        assert desk.engine.position(3, 0) == 0

    def test_snapshots_that_do_not_fit_are_refused_and_change_nothing(self, desk: Desk) -> None:
        desk.buy(3, 100)
        good = desk.engine.snapshot()
        before = desk.engine.state_hash()
        for name, column, value in (
            ("orders", "remaining", 0),
            ("orders", "price", 111),
            ("accounts", "requirement_fen", 5),
            ("holdings", "open_buy", 4),
            ("engine", "used_slots", 7),
        ):
            spoilt = {table: rows.copy() for table, rows in good.items()}
            spoilt[name][column][0] = value
            with pytest.raises(ValueError, match=r"."):
                desk.engine.restore(spoilt)
            assert desk.engine.state_hash() == before
        desk.engine.restore(good)
        assert desk.engine.state_hash() == before

    def test_commands_of_another_layout_are_a_type_error(self, desk: Desk) -> None:
        with pytest.raises(TypeError):
            desk.engine.apply(desk.engine.snapshot()["orders"])

    def test_an_unknown_kind_of_command(self, desk: Desk) -> None:
        command = new_order(account=1, instrument=0, side=BUY, quantity=1, price=100)
        command["kind"] = 6
        assert desk.send(command) == ["UNKNOWN_COMMAND"]
