// The book of one contract as a price ladder, with the account's own orders; a price clicked goes to the ticket.

import { node, setText } from "../lib/dom.js";
import { ticksOf } from "../lib/book.js";
import { count, price, say } from "../lib/words.js";

const ROWS = 10;
const ROWS_OF_A_THIN_SIDE = 4;

export class Ladder {
  /** `chosen(side, price)` is called for the price of a row: whoever takes it, is on the other side. */
  constructor(table, chosen) {
    this.rows = [];
    const head = node("tr", {}, ...["own", "bid_lots", "price", "ask_lots", "own"].map((key) => node("th", { scope: "col", text: say(key) })));
    const body = node("tbody");
    for (let index = 0; index < 2 * ROWS; index++) {
      const side = index < ROWS ? "sell" : "buy";
      const cells = Array.from({ length: 5 }, () => node("td"));
      const button = node("button", { type: "button", className: "plain", tabIndex: -1 });
      button.addEventListener("click", () => chosen(side === "sell" ? "buy" : "sell", button.textContent));
      cells[2].append(button);
      const row = node("tr", { className: side }, ...cells);
      body.append(row);
      this.rows.push({ side, cells, button, row });
    }
    this.clear();
    this.spread = node("tr", { className: "spread" }, node("td", { colSpan: 5 }));
    body.children[ROWS].before(this.spread);
    table.replaceChildren(node("thead", {}, head), body);
  }

  /** Another contract comes: rows are hidden until its book needs them. */
  clear() {
    this.deepest = { sell: ROWS_OF_A_THIN_SIDE, buy: ROWS_OF_A_THIN_SIDE };
  }

  /** Show a book, and the lots of one's own orders: Map of "side price-in-ticks" → lots. */
  show(book, own) {
    const asks = book.best("sell", ROWS);
    const bids = book.best("buy", ROWS);
    const most = Math.max(1, ...asks.map((row) => row.quantity), ...bids.map((row) => row.quantity));
    // a side has as many rows as its book was deep so far: what came once leaves its place empty, and nothing jumps
    this.deepest = { sell: Math.max(this.deepest.sell, asks.length), buy: Math.max(this.deepest.buy, bids.length) };
    this.rows.forEach(({ side, cells, button, row }, index) => {
      row.hidden = (side === "sell" ? ROWS - 1 - index : index - ROWS) >= this.deepest[side];
      const level = side === "sell" ? asks[ROWS - 1 - index] : bids[index - ROWS];
      const [lots, mine] = side === "sell" ? [cells[3], cells[4]] : [cells[1], cells[0]];
      setText(button, level ? price(level.price) : "");
      button.hidden = !level;
      setText(lots, level ? count(level.quantity) : "");
      lots.style.setProperty("--depth", level ? `${(100 * level.quantity) / most}%` : "0%");
      lots.title = level ? say("orders_at", { orders: count(level.orders) }) : "";
      setText(mine, level && own.has(`${side} ${level.price}`) ? count(own.get(`${side} ${level.price}`)) : "");
    });
    setText(this.spread.firstChild, between(asks, bids));
  }
}

function between(asks, bids) {
  if (asks.length && bids.length) return say("spread", { spread: price(asks[0].price - bids[0].price) });
  return say(asks.length || bids.length ? "no_spread" : "no_orders");
}

/** Lots of open orders by side and price. */
export function ownLots(orders, symbol) {
  const lots = new Map();
  for (const order of orders) {
    if (order.symbol !== symbol || order.price === null || !order.shown_quantity) continue;
    const key = `${order.side} ${ticksOf(order.price)}`;
    lots.set(key, (lots.get(key) ?? 0) + order.open_quantity);
  }
  return lots;
}
