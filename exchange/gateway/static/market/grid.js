// Contracts of one grade as a heat grid, hub × delivery period. Colour says how far the price is from the last settlement.

import { node, setText } from "../lib/dom.js";
import { ticksOf } from "../lib/book.js";
import { dayOf, percent, price, say, shortName } from "../lib/words.js";

const HEAT_STEPS = 4;
const HEAT_FULL = 0.02; // a move of 2 % and more has the strongest colour

const KINDS = ["hour", "day", "week", "month", "quarter"];

export const periodOf = (contract) => contract.symbol.split(".").pop();

/** Which grid a contract is in: "hour" for single hours, else its profile: "base", "peak" or "valley". */
export const partOf = (contract) => (contract.kind === "hour" ? "hour" : contract.profile);

/** Name of a delivery period: its kind by its form, and the days. */
export function periodName(contract) {
  const last = new Date(new Date(contract.delivery_end).getTime() - 1).toISOString();
  const days = ["hour", "day"].includes(contract.kind) ? dayOf(contract.delivery_start) : `${dayOf(contract.delivery_start)} – ${dayOf(last)}`;
  return `${say(`kind.${contract.kind}`)} ${periodOf(contract)}: ${days}`;
}

/** The price that stands for a contract now, in ticks: the last, else the middle of the book, else the settlement. */
export function standing(contract, top) {
  if (top?.last) return ticksOf(top.last);
  if (top?.bid && top?.ask) return Math.round((ticksOf(top.bid[0]) + ticksOf(top.ask[0])) / 2);
  return settled(contract);
}

export const settled = (contract) => ticksOf(contract.settlement_price ?? contract.reference_price);

export class Grid {
  /** `chosen` is called with the symbol that the reader picks. */
  constructor(table, hubs, chosen) {
    this.table = table;
    this.hubNames = new Map(hubs.map((hub) => [hub.code, shortName(hub)]));
    this.chosen = chosen;
    this.cells = new Map();
    table.addEventListener("click", (event) => this.pick(event.target.closest("[data-symbol]")));
    table.addEventListener("keydown", (event) => this.move(event));
  }

  /** Show these contracts, all of one grade. */
  build(contracts, symbol) {
    const periods = [...new Map(contracts.map((one) => [periodOf(one), one])).values()];
    periods.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.delivery_start.localeCompare(b.delivery_start));
    const at = new Map(contracts.map((one) => [`${one.hub}.${periodOf(one)}`, one]));
    const hubs = [...this.hubNames.keys()].filter((hub) => contracts.some((one) => one.hub === hub));
    this.cells.clear();
    const head = node("tr", {}, node("th", { scope: "col", text: say("hub") }),
      ...periods.map((one) => node("th", { scope: "col", text: periodOf(one), title: periodName(one) })));
    const rows = hubs.map((hub) => node("tr", {}, node("th", { scope: "row", text: this.hubNames.get(hub), title: hub }),
      ...periods.map((period) => this.cell(at.get(`${hub}.${periodOf(period)}`)))));
    this.table.replaceChildren(node("thead", {}, head), node("tbody", {}, ...rows));
    this.mark(symbol);
  }

  cell(contract) {
    if (!contract) return node("td");
    const cell = node("td", { tabIndex: -1, dataset: { symbol: contract.symbol } });
    this.cells.set(contract.symbol, cell);
    return cell;
  }

  /** Show a contract's price and how far it moved. */
  show(contract, top) {
    const cell = this.cells.get(contract.symbol);
    if (!cell) return;
    const ticks = standing(contract, top);
    const move = ticks / settled(contract) - 1;
    const heat = Math.max(-HEAT_STEPS, Math.min(HEAT_STEPS, Math.round((move / HEAT_FULL) * HEAT_STEPS)));
    setText(cell, price(ticks));
    cell.dataset.heat = heat;
    cell.classList.toggle("live", Boolean(top?.bid || top?.ask || top?.last));
    cell.classList.toggle("halted", contract.halted);
    const side = (row) => (row ? `${row[0]} × ${row[1]}` : "–");
    cell.title = `${contract.symbol}: ${side(top?.bid)} / ${side(top?.ask)}, ${percent(move)}`;
  }

  /** Mark the contract that the rest of the screen is about. */
  mark(symbol) {
    for (const [one, cell] of this.cells) {
      cell.tabIndex = one === symbol ? 0 : -1;
      cell.ariaSelected = one === symbol;
    }
  }

  pick(cell) {
    if (cell) this.chosen(cell.dataset.symbol);
  }

  move(event) {
    const cell = event.target.closest("[data-symbol]");
    if (!cell) return;
    const row = cell.parentElement;
    const beside = {
      ArrowRight: () => cell.nextElementSibling,
      ArrowLeft: () => cell.previousElementSibling,
      ArrowDown: () => row.nextElementSibling?.children[cell.cellIndex],
      ArrowUp: () => row.previousElementSibling?.children[cell.cellIndex],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.pick(cell);
    else if (!beside) return;
    else if (beside()?.dataset.symbol) beside().focus();
    event.preventDefault();
  }
}
