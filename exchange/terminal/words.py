"""The terminal's words in English and Chinese."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

WORDS: Final[dict[str, tuple[str, str]]] = {
    # panes
    "markets": ("Markets", "行情"),
    "ladder": ("Ladder", "深度"),
    "tape": ("Time & sales", "成交明细"),
    "chart": ("Chart", "走势"),
    "orders": ("Orders", "委托"),
    "fills": ("Fills", "成交"),
    "positions": ("Positions", "持仓"),
    "alerts": ("Alerts", "提醒"),
    "trade": ("Trade", "交易"),
    # columns
    "contract": ("contract", "合约"),
    "last": ("last", "最新"),
    "change": ("chg", "涨跌"),
    "bid": ("bid", "买价"),
    "ask": ("ask", "卖价"),
    "bid_lots": ("bids", "买量"),
    "ask_lots": ("asks", "卖量"),
    "mine": ("mine/ahead", "我的/在前"),
    "price": ("price", "价格"),
    "lots": ("lots", "手数"),
    "open_lots": ("open", "未成交"),
    "time": ("time", "时间"),
    "side": ("side", "方向"),
    "fee": ("fee CNY", "手续费"),
    "taker": ("role", "角色"),
    "state": ("state", "状态"),
    "settled": ("settled", "昨结算"),
    "profit": ("day P&L CNY", "当日盈亏"),
    "ahead": ("ahead", "在前"),
    # values
    "buy": ("buy", "买"),
    "sell": ("sell", "卖"),
    "auction": ("auction", "竞价"),
    "bought": ("Bought", "买入"),
    "sold": ("Sold", "卖出"),
    "working": ("working", "挂单中"),
    "sending": ("sending", "发送中"),
    "unknown": ("UNKNOWN", "结果未知"),
    "at_market": ("market", "市价"),
    "maker_word": ("maker", "挂单"),
    "taker_word": ("taker", "吃单"),
    "left_open": ("{} lots still open", "剩余 {} 手"),
    "all_done": ("all done", "全部成交"),
    # bars
    "equity": ("Equity", "权益"),
    "margin": ("Margin", "保证金"),
    "free": ("Free", "可用"),
    "used": ("used", "占用"),
    "day_profit": ("Day P&L", "当日盈亏"),
    "call_bar": ("MARGIN CALL {} CNY", "追加保证金 {} 元"),
    "not_known": ("not known", "未知"),
    "looking_only": ("no key: looking only", "未登录:仅看行情"),
    "unit": ("CNY/lot-hour · Asia/Shanghai", "元/手·时 · 北京时间"),
    "ticket_lots": ("Lots", "手数"),
    "limits": ("limits", "涨跌停"),
    "lot_worth": ("a lot is worth {} CNY", "一手价值 {} 元"),
    "halted": ("HALTED", "停牌"),
    "indicative": ("auction would match {} lots at {}", "集合竞价:{} 手 @ {}"),
    "keys_hint": ("? keys  / search  Tab pane  q quit", "? 按键  / 搜索  Tab 切换  q 退出"),
    "unknown_bar": (
        "{} order(s) UNKNOWN: being cleared up by client order id",
        "{} 笔委托结果未知:正按客户端委托号核对",
    ),
    # states
    "connecting": ("CONNECTING", "连接中"),
    "live": ("LIVE", "实时"),
    "stale": ("STALE {}", "已断 {}"),
    "wrong_key": ("WRONG KEY", "密钥错误"),
    "expired": ("SESSION EXPIRED", "登录已失效"),
    "refused": ("REFUSED", "被拒绝"),
    "is_live": ("Connected; what is shown is live.", "已连接,显示为实时数据。"),
    "is_stale": (
        "No connection ({}). Shown is what was; orders may have traded since. It comes back by itself.",
        "连接中断({})。所示为断线前数据;挂单可能已成交。将自动重连。",
    ),
    "is_wrong_key": (
        "The exchange doesn't take this key: {} `dongxi login` takes a new one.",
        "交易所不接受此密钥:{} 请用 `dongxi login` 重新登录。",
    ),
    "is_expired": (
        "The exchange no longer takes this key: {} Orders that stand stay. `dongxi login` takes a new one.",
        "此密钥已失效:{} 已有挂单仍有效。请用 `dongxi login` 重新登录。",
    ),
    "is_refused": ("The exchange refuses: {}", "交易所拒绝:{}"),
    # sentences
    "under_way": ("Under way; nothing is certain yet.", "已发出,结果未定。"),
    "resolved": ("Cleared up. {}", "已核实。{}"),
    "crossed": ("{} crossed {}: last {}", "{} 穿越 {}:最新 {}"),
    "watching": ("Watching {} for {}.", "已设提醒:{} @ {}。"),
    "not_watching": ("No longer watching {} for {}.", "已取消提醒:{} @ {}。"),
    "margin_called": ("Margin call of {} CNY, {}.", "追加保证金 {} 元,{}。"),
    "due_at": ("due at {}", "{} 前到账"),
    "due_next_day": ("due by the next trading day's deadline", "下一交易日截止前到账"),
    "margin_met": ("The margin call is met.", "追加保证金已满足。"),
    "cancelled_some": ("{} order(s) cancelled.", "已撤 {} 笔。"),
    "nothing_there": ("No own order at {}.", "{} 没有自己的委托。"),
    "no_contract": ("Choose a contract first: Enter in the markets.", "请先选择合约:行情中按 Enter。"),
    "no_price": ("There is no price to order at.", "没有可用价格。"),
    "no_key": ("There is no key: `dongxi login` takes one.", "没有密钥:请用 `dongxi login` 登录。"),
    "not_sent": ("Not sent: there is no live connection.", "未发送:没有实时连接。"),
    "cancel_doubt": ("The cancel got no answer: {}", "撤单未获答复:{}"),
    "no_history": ("No candles of before: {}", "没有历史K线:{}"),
    "bell_on": ("The bell is on.", "提示音已开。"),
    "bell_off": ("The bell is off.", "提示音已关。"),
    "red_up": ("Red is up, green is down.", "红涨绿跌。"),
    "green_up": ("Green is up, red is down.", "绿涨红跌。"),
    "confirm": (
        "{}\n\nworth {} CNY, more than {} lots.\n\ny sends it, any other key doesn't.",
        "{}\n\n价值 {} 元,超过 {} 手。\n\n按 y 发送,其他键放弃。",
    ),
    "search_hint": ("words of symbol, hub, period: h100 guian month", "合约、枢纽、期限:h100 贵安 month"),
    "found": ("{} contracts", "{} 个合约"),
    "no_rows": ("nothing here", "暂无"),
    "no_trades": ("no trade yet", "尚无成交"),
    "help_end": ("any key closes this", "任意键关闭"),
    "unknown_left": (
        "Left with orders whose outcome isn't known. `dongxi orders --id ID` looks one up:",
        "退出时仍有结果未知的委托,可用 `dongxi orders --id ID` 查询:",
    ),
}
"""Key → (English, Chinese); `{}` is filled in."""


PHASES: Final = {
    "settled": "已结算",
    "pre-open": "开盘前",
    "call": "集合竞价",
    "matched": "竞价成交",
    "continuous": "连续交易",
    "closed": "收盘",
    "break": "休市",
    "closing-call": "收盘竞价",
}
"""The market's phases in Chinese; in English they are as the exchange calls them."""


class Say:
    """Words of one language: `say("buy")`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, *values: object) -> str:
        """The words of a key, with values filled in."""
        return WORDS[key][self._column].format(*values)

    def phase(self, phase: str) -> str:
        """A phase of the market."""
        return PHASES.get(phase, phase) if self.language == "zh" else phase

    def either(self, texts: tuple[str, str]) -> str:
        """Of an English and a Chinese text the one that is meant."""
        return texts[self._column]


def language_of(environment: Mapping[str, str] | None = None) -> Language:
    """The language of the terminal's locale: Chinese if that says so, else English."""
    given = os.environ if environment is None else environment
    named = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if given.get(name)), "")
    return "zh" if named.lower().startswith("zh") else "en"
