"""`dongxi statement`: an account's money of a day or of several, as text, CSV, or a page to hand on."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Annotated

import typer

from exchange.api.history import DaysQuery, LedgerQuery
from exchange.client import ExchangeClient
from exchange.commands.member.session import (
    AsJson,
    BaseUrl,
    ForClient,
    ProfileName,
    Wrong,
    print_json,
    run,
)
from exchange.commands.member.shown import ZONE, cny, show, table

KINDS_ZH = {
    "deposit": "入金",
    "withdrawal": "出金",
    "variation margin": "盯市盈亏",
    "fee": "手续费",
    "delivery payment": "交割货款",
    "fund contribution": "违约基金缴纳",
    "guarantee": "经纪担保",
    "default cover": "违约弥补",
    "assessment": "追加分摊",
    "uncovered loss": "未弥补损失",
    "adjustment": "资金调整",
    "shortfall": "交割短缺",
    "insurance premium": "保险费",
    "insurance payment": "保险赔付",
    "claim payment": "索赔支付",
    "dispute": "争议裁决",
    "claim repayment": "债权偿还",
    "collateral sale": "质押品变卖",
    "buy in": "补购",
    "resale": "转让",
    "commission": "佣金",
    "revenue share": "收益分成",
    "give up fee": "转移费",
    "voucher": "算力券抵付",
    "voucher budget": "算力券预算",
}
"""What an accountant in China calls each reason for which money moves."""


class Form(StrEnum):
    """How a statement is written."""

    TEXT = "text"
    CSV = "csv"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Line:
    """One movement: money in is positive."""

    day: str
    kind: str
    symbol: str | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account's money from day to day: opening + lines = closing, to the fen."""

    member: str
    account: str
    first_day: str
    last_day: str
    opening_fen: int
    lines: tuple[Line, ...]
    closing_fen: int


def statement(
    day: Annotated[str | None, typer.Option(help="One day; the current one if absent.")] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="First day, such as 2026-12-01 …")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="… and last day; both included.")] = None,
    form: Annotated[Form, typer.Option(help="text, csv or html.")] = Form.TEXT,
    out: Annotated[Path | None, typer.Option(help="File to write instead of the screen.")] = None,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the money of a day or of several: what it began with, every movement, what it ended with.

    dongxi statement --day 2026-12-04

    dongxi statement --from 2026-12-01 --to 2026-12-31 --form html --out december.html
    """
    if day is not None and (from_day or to_day):
        raise typer.BadParameter("give --day, or --from and --to")
    if (from_day is None) != (to_day is None):
        raise typer.BadParameter("--from and --to go together")

    async def ask(client: ExchangeClient) -> Account:
        member = client.profile.member if client.profile else ""
        member += f"/{for_client}" if for_client else ""
        if from_day is None or to_day is None:
            return await _of_a_day(client, member, day)
        return await _of_days(client, member, from_day, to_day)

    shown = run("statement", ask, profile, base_url, client=for_client)
    if shown.opening_fen + sum(line.amount_fen for line in shown.lines) != shown.closing_fen:
        raise AssertionError("a statement whose lines don't lead from opening to closing cash")
    if as_json:
        print_json(shown)
        return
    if form is Form.TEXT and out is None:
        _show(shown)
        return
    text = {Form.TEXT: _as_text, Form.CSV: as_csv, Form.HTML: as_html}[form](shown)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, "utf-8")
    typer.echo(f"The statement of {shown.first_day} … {shown.last_day} is in {out}.")


async def _of_a_day(client: ExchangeClient, member: str, day: str | None) -> Account:
    found = await client.statement(day)
    lines = tuple(Line(found.day, line.kind, line.symbol, line.amount_fen) for line in found.lines)
    return Account(
        member, found.account, found.day, found.day, found.opening_cash_fen, lines, found.closing_cash_fen
    )


async def _of_days(client: ExchangeClient, member: str, from_day: str, to_day: str) -> Account:
    """From the history, latest first there, earliest first here. Raises Wrong if nothing moved."""
    days = [
        day async for day in client.history.each_day(DaysQuery(from_day=from_day, to_day=to_day, limit=500))
    ]
    entries = [
        Line(entry.day, entry.kind, entry.symbol, entry.amount_fen)
        async for entry in client.history.each_entry(LedgerQuery(from_day=from_day, to_day=to_day, limit=500))
    ]
    if not days:
        raise Wrong(f"no money moved from {from_day} to {to_day}; `--day` shows the current day")
    account = (await client.balances()).account
    return Account(
        member,
        account,
        from_day,
        to_day,
        days[-1].opening_cash_fen,
        tuple(reversed(entries)),
        days[0].closing_cash_fen,
    )


def _rows(shown: Account) -> list[tuple[str, str, str, int, int]]:
    """Day, kind, contract, amount and cash afterwards of each movement."""
    cash_fen, rows = shown.opening_fen, []
    for line in shown.lines:
        cash_fen += line.amount_fen
        rows.append((line.day, line.kind, line.symbol or "", line.amount_fen, cash_fen))
    return rows


def _table(shown: Account) -> object:
    rows = [("", "opening cash", "", "", cny(shown.opening_fen))]
    rows += [(day, kind, symbol, cny(fen), cny(cash)) for day, kind, symbol, fen, cash in _rows(shown)]
    rows.append(("", "closing cash", "", "", cny(shown.closing_fen)))
    title = f"{shown.member}, account {shown.account}: {shown.first_day} … {shown.last_day} ({ZONE})"
    return table(title, ("day", "what", "contract", "CNY", "cash CNY"), rows, right=("CNY", "cash CNY"))


def _show(shown: Account) -> None:
    show(_table(shown))


def _as_text(shown: Account) -> str:
    rows = [f"{day}  {kind:<20}{symbol:<24}{cny(fen):>18}" for day, kind, symbol, fen, _ in _rows(shown)]
    head = f"{shown.member}, account {shown.account}: {shown.first_day} … {shown.last_day}, CNY\n"
    opening, closing = f"{'opening cash':<56}{cny(shown.opening_fen):>18}", ""
    closing = f"{'closing cash':<56}{cny(shown.closing_fen):>18}"
    return "\n".join([head, opening, *rows, closing, ""])


def as_csv(shown: Account) -> str:
    """Return a table that spreadsheets read: amounts in CNY with two places, no thousands separators."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(["day", "what", "contract", "amount_cny", "cash_cny"])
    rows.writerow([shown.first_day, "opening cash", "", "", _plain(shown.opening_fen)])
    rows.writerows(
        [day, kind, symbol, _plain(fen), _plain(cash)] for day, kind, symbol, fen, cash in _rows(shown)
    )
    rows.writerow([shown.last_day, "closing cash", "", "", _plain(shown.closing_fen)])
    return written.getvalue()


def _plain(fen: int) -> str:
    return cny(fen).replace(",", "")


def as_html(shown: Account) -> str:
    """Return one page, complete in itself, in English and Chinese, that prints on A4."""
    sums: dict[str, int] = {}
    for line in shown.lines:
        sums[line.kind] = sums.get(line.kind, 0) + line.amount_fen
    movements = "".join(
        _row(escape(day), _named(kind), escape(symbol), cny(fen), cny(cash))
        for day, kind, symbol, fen, cash in _rows(shown)
    )
    totals = "".join(
        f"<tr><td>{_named(kind)}</td><td class=n>{cny(fen)}</td></tr>" for kind, fen in sorted(sums.items())
    )
    moved = shown.closing_fen - shown.opening_fen
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Statement of {escape(shown.member)}, {shown.first_day} … {shown.last_day}</title>
<style>
body {{ font: 14px/1.45 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 60rem; margin: 2.5rem auto; padding: 0 1rem; color: #14202b }}
h1 {{ font-size: 1.5rem; margin: 0 }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .4rem }}
table {{ border-collapse: collapse; width: 100% }} th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d5dce2 }}
th {{ border-bottom: 2px solid #14202b; font-weight: 600 }} .n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }}
tr.sum td {{ font-weight: 600; border-top: 2px solid #14202b }} dl {{ display: grid; grid-template-columns: max-content auto; gap: .2rem 1.2rem }}
dd {{ margin: 0 }} footer {{ margin-top: 2.5rem; color: #5a6772; font-size: .9em }}
@page {{ size: A4; margin: 18mm }} @media print {{ body {{ margin: 0; max-width: none }} thead {{ display: table-header-group }} tr {{ break-inside: avoid }} }}
</style></head><body>
<h1>Account statement 账户结算单</h1>
<dl><dt>Member 会员</dt><dd>{escape(shown.member)}</dd><dt>Account 账户</dt><dd>{escape(shown.account)}</dd>
<dt>Period 期间</dt><dd>{shown.first_day} … {shown.last_day} ({ZONE})</dd><dt>Currency 币种</dt><dd>CNY 人民币元</dd></dl>
<h2>Summary 汇总</h2>
<table><tbody><tr><td>Opening cash 期初资金</td><td class=n>{cny(shown.opening_fen)}</td></tr>{totals}
<tr><td>Change 变动</td><td class=n>{cny(moved)}</td></tr>
<tr class=sum><td>Closing cash 期末资金</td><td class=n>{cny(shown.closing_fen)}</td></tr></tbody></table>
<h2>Movements 明细</h2>
<table><thead><tr><th>Day 日期</th><th>What 摘要</th><th>Contract 合约</th><th class=n>Amount 金额</th><th class=n>Cash 余额</th></tr></thead>
<tbody>{movements or '<tr><td colspan="5">No movements. 无发生额。</td></tr>'}</tbody></table>
<footer>Positive amounts came in, negative ones went out. Opening cash and all movements add up to closing cash, to the fen.
金额为正表示流入，为负表示流出；期初资金加全部发生额等于期末资金，精确到分。</footer>
</body></html>
"""


def _named(kind: str) -> str:
    return escape(f"{kind[:1].upper()}{kind[1:]} {KINDS_ZH.get(kind, '')}".strip())


def _row(day: str, kind: str, symbol: str, amount: str, cash: str) -> str:
    return (
        f"<tr><td>{day}</td><td>{kind}</td><td>{symbol}</td>"
        f"<td class=n>{amount}</td><td class=n>{cash}</td></tr>"
    )
