"""The line on top (how things stand) and the two at the bottom (money; what to press)."""

from __future__ import annotations

from exchange.terminal.paint.cells import Ground, Ink, Line, Span, between, cny, cut, moved_ink
from exchange.terminal.paint.lists import clock
from exchange.terminal.state.connection import State
from exchange.terminal.state.model import TradingModel

WARN_SHARE, ALARM_SHARE = 0.6, 0.85
"""Of the equity in use as margin, from which on the bar is yellow, and red."""
BAR_CELLS = 12
SHORT_CELLS = 100
"""On a narrower screen amounts are whole CNY."""

_STATE_INKS: dict[State, Ink] = {State.CONNECTING: "warn", State.LIVE: "ok"}


def paint_status(model: TradingModel, width: int, now_s: float) -> Line:
    """The connection, whose account it is, the market's phase and time."""
    say, state = model.say, model.connection.state
    ink = _STATE_INKS.get(state, "alarm")
    left = [Span(" Dongxi 东西 ", "title", "band"), Span(" "), Span(f"● {state_text(model, now_s)}", ink)]
    left.append(Span(f"  {model.member or say('looking_only')}", "plain" if model.member else "warn"))
    time = model.market_time(now_s)
    right = [Span(f" {say.phase(model.phase)} ", "last"), Span(f" {time[:10]} {clock(time)} ", "dim")]
    if width >= 110:
        right.append(Span(f" {say('unit')} ", "dim"))
    return between(left, right, width)


def state_text(model: TradingModel, now_s: float) -> str:
    """The connection's state in a word or two; of a stale one, for how long."""
    connection = model.connection
    since_s = max(now_s - connection.since_s, 0)
    long = f"{since_s / 60:.0f} min" if since_s >= 90 else f"{since_s:.0f} s"
    return model.say(connection.state.name.lower(), long)


def paint_money(model: TradingModel, width: int) -> Line:
    """Equity, margin on a bar, free money, and the day's profit; in colours of how much is in use."""
    say, account = model.say, model.account
    if not model.member or account.seq < 0:
        return cut((Span(f" {say('equity')} {say('not_known')}", "dim"),), width)
    fen = day_profit_fen(model)
    short = width < SHORT_CELLS
    unknown = Span(say("not_known"), "dim")
    profit = unknown if fen is None else Span(_money(fen, short, signed=True), moved_ink(fen))
    share = used_share(model)
    ground: Ground = "ok_bar" if share < WARN_SHARE else "warn_bar" if share < ALARM_SHARE else "alarm_bar"
    filled = min(BAR_CELLS, round(share * BAR_CELLS))
    text = f"{say('used')} {100 * share:.0f}%".center(BAR_CELLS)
    if account.calls:
        owed = cny(sum(call.amount_fen for call in account.calls))
        head = [Span(f" {say('call_bar', owed)} ", "alarm", "band"), Span(" ")]
    else:
        head = [Span(f" {say('equity')} ", "dim"), Span(_money(account.equity_fen, short))]
    spans = [
        *head,
        Span(f" {say('margin')} ", "dim"),
        Span(_money(account.margin_fen, short)),
        Span(" "),
        Span(text[:filled], "plain", ground),
        Span(text[filled:], "plain", "rest_bar"),
        Span(f" {say('free')} ", "dim"),
        Span(_money(account.available_fen, short), "alarm" if account.available_fen < 0 else "plain"),
    ]
    return between(
        [one for one in spans if one.text], [Span(f" {say('day_profit')} ", "dim"), profit, Span(" ")], width
    )


def _money(fen: int, short: bool, *, signed: bool = False) -> str:
    """An amount in CNY; on a narrow screen without the fen, rounded down."""
    return cny(fen - fen % 100, signed=signed)[:-3] if short else cny(fen, signed=signed)


def used_share(model: TradingModel) -> float:
    """Margin as a share of the equity; 1 where there is margin and no equity."""
    equity, margin = model.account.equity_fen, model.account.margin_fen
    if equity <= 0:
        return 1.0 if margin > 0 else 0.0
    return margin / equity


def day_profit_fen(model: TradingModel) -> int | None:
    """The day's profit over all contracts; None where a snapshot was too short."""
    account, quotes = model.account, model.quotes.by_symbol
    symbols = {*account.positions, *account.traded}
    if not account.traded_complete or not account.traded.keys() <= quotes.keys():
        return None
    # a contract that is no longer listed was settled for the last time
    return sum(account.profit_fen(symbol, quotes[symbol]) for symbol in symbols & quotes.keys())


def paint_hint(model: TradingModel, width: int) -> Line:
    """Orders in doubt, else the latest alert, and the keys that lead to all others."""
    say, alerts = model.say, model.alerts.log
    unknown = sum(one.unknown for one in model.outgoing.values())
    left: list[Span] = []
    if unknown:
        left = [Span(f" {say('unknown_bar', unknown)}", "alarm")]
    elif alerts:
        latest = alerts[0]
        left = [
            Span(f" {clock(latest.time)} ", "dim"),
            Span(latest.text, "alarm" if latest.grave else "plain"),
        ]
    return between(left, [Span(f" {say('keys_hint')} ", "dim")], width)
