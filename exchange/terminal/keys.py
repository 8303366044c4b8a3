"""The keyboard: which key does what, and how the help says it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """A key, or several that do alike, by Textual's names; the action's name; and its help."""

    names: tuple[str, ...]
    action: str
    shown: str
    says: tuple[str, str]
    """English, Chinese."""


GROUPS: Final[dict[tuple[str, str], tuple[Key, ...]]] = {
    ("Trade (b s B S in the ladder only)", "交易(b s B S 仅在深度窗格)"): (
        Key(("b",), "buy", "b", ("buy at the selected price", "按所选价买入")),
        Key(("s",), "sell", "s", ("sell at the selected price", "按所选价卖出")),
        Key(("B",), "buy_market", "B", ("buy, market to limit", "市价转限价买入")),
        Key(("S",), "sell_market", "S", ("sell, market to limit", "市价转限价卖出")),
        Key(("x",), "cancel", "x", ("cancel at price, or as marked", "撤所选价(或所选)委托")),
        Key(("X",), "cancel_all", "X", ("cancel all, everywhere", "撤全部委托")),
    ),
    ("Quantity", "手数"): (
        Key(("1", "2", "3", "4", "5", "6", "7", "8", "9"), "preset", "1 … 9", ("a preset", "预设手数")),
        Key(("plus", "equals_sign"), "more", "+", ("one lot more", "加一手")),
        Key(("minus",), "fewer", "-", ("one lot fewer", "减一手")),
    ),
    ("Move", "移动"): (
        Key(("up", "k"), "up", "↑ k", ("up", "上移")),
        Key(("down", "j"), "down", "↓ j", ("down", "下移")),
        Key(("pageup",), "page_up", "PgUp", ("a page up", "上翻页")),
        Key(("pagedown",), "page_down", "PgDn", ("a page down", "下翻页")),
        Key(("left",), "best_bid", "←", ("the best bid", "买一")),
        Key(("right",), "best_ask", "→", ("the best ask", "卖一")),
        Key(("c",), "centre", "c", ("centre on the market", "居中")),
        Key(("z",), "compact", "z", ("every tick, or with orders", "全部价位/仅有挂单价位")),
        Key(("enter",), "choose", "Enter", ("trade the marked contract", "选择合约")),
    ),
    ("Panes", "窗格"): (
        Key(("tab",), "next_pane", "Tab", ("the next pane", "下一窗格")),
        Key(("shift+tab",), "previous_pane", "Shift-Tab", ("the one before", "上一窗格")),
        Key(("w",), "go_markets", "w", ("markets", "行情")),
        Key(("l",), "go_ladder", "l", ("ladder", "深度")),
        Key(("h",), "go_chart", "h", ("chart", "走势")),
        Key(("o",), "go_orders", "o", ("orders", "委托")),
        Key(("f",), "go_fills", "f", ("fills", "成交")),
        Key(("p",), "go_positions", "p", ("positions", "持仓")),
        Key(("a",), "go_alerts", "a", ("alerts", "提醒")),
    ),
    ("Find and watch", "查找与提醒"): (
        Key(("slash",), "search", "/", ("search contracts", "搜索合约")),
        Key(("escape",), "clear", "Esc", ("end the search", "结束搜索")),
        Key(("g",), "grade", "g", ("the next grade", "下一档算力")),
        Key(("i",), "interval", "i", ("candles of 1m, 5m, 1h, 1d", "K线周期")),
        Key(("exclamation_mark",), "watch", "!", ("alert at the price, or none", "到价提醒")),
        Key(("m",), "bell", "m", ("bell on or off", "提示音")),
        Key(("r",), "colours", "r", ("red up, or green up", "红涨绿跌/绿涨红跌")),
        Key(("question_mark",), "help", "?", ("these keys", "按键说明")),
        Key(("q", "ctrl+q"), "leave", "q", ("quit; orders stay", "退出(挂单保留)")),
    ),
}
"""Title of a group → its keys."""

ACTIONS: Final = {name: key.action for keys in GROUPS.values() for key in keys for name in key.names}
"""Textual's name of a key → action."""
