// The account's own side: money, positions, open orders, fills.

import { ask, get, getAll } from "../lib/api.js";
import { conflated, element, node } from "../lib/dom.js";
import { fact, fill } from "../lib/tables.js";
import { count, price, say, sayCode, timeOf, yuan } from "../lib/words.js";

const FILLS = 50;
const SETTLE_MS = 150;

export class Desk {
  /** `changed` is called when the open orders are other ones, `chosen` with the symbol of a row; `standingOf` gives a
   * contract's price in ticks, `valueOf` the value of one lot in fen. */
  constructor(opened, { changed, chosen, standingOf, valueOf }) {
    this.account = opened;
    this.changed = changed;
    this.chosen = chosen;
    this.standingOf = standingOf;
    this.valueOf = valueOf;
    this.orders = [];
    this.positions = [];
    this.fills = [];
    this.balances = null;
    this.draw = conflated(() => this.show());
    element("desk").hidden = !opened;
    element("cancel-all").addEventListener("click", () => this.tell(() => ask("POST", "/v1/orders/cancel", {}), "cancelled_all"));
  }

  /** Ask for everything, once what happens now has happened. */
  refresh() {
    if (!this.account) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SETTLE_MS);
  }

  async load() {
    const [orders, positions, balances, fills] = await Promise.all([
      getAll("/v1/orders", "orders"), get("/v1/positions"), get("/v1/balances"), get(`/v1/fills?limit=${FILLS}`)]);
    this.orders = orders;
    this.positions = positions.positions;
    this.balances = balances;
    this.fills = fills.fills;
    this.changed();
    this.draw();
  }

  async tell(action, done) {
    try {
      const answer = await action();
      element("desk-note").textContent = say(done, { count: count(answer.cancelled ?? 1) });
    } catch (error) {
      element("desk-note").textContent = error.message;
    }
    this.refresh();
  }

  show() {
    const equity = this.balances.margin_fen + this.balances.available_fen;
    element("money").replaceChildren(
      fact("cash", yuan(this.balances.cash_fen)),
      fact("margin", yuan(this.balances.margin_fen)),
      fact("available", yuan(this.balances.available_fen)),
      fact("equity", yuan(equity)),
      node("meter", { max: Math.max(1, equity), value: this.balances.margin_fen, title: say("margin_share"), "aria-label": say("margin_share") }),
    );
    fill("positions", ["contract", "position", "settlement", "now", "value"], this.positions.map((one) => [
      this.link(one.symbol), count(one.quantity), one.settlement_price, price(this.standingOf(one.symbol)),
      yuan(this.valueOf(one.symbol) * one.quantity)]));
    fill("orders", ["contract", "side", "price", "open", "kind_of_order", ""], this.orders.map((one) => [
      this.link(one.symbol), say(`side.${one.side}`), one.price ?? say("at_market"), `${count(one.open_quantity)} / ${count(one.quantity)}`,
      sayCode("tif", one.time_in_force), this.cancelButton(one)]));
    fill("fills", ["time", "contract", "side", "price", "lots", "fee"], this.fills.map((one) => [
      timeOf(one.time), this.link(one.symbol), say(`side.${one.side}`), one.price, count(one.quantity), yuan(one.fee_fen)]));
  }

  link(symbol) {
    return node("button", { type: "button", className: "plain", text: symbol, onclick: () => this.chosen(symbol) });
  }

  cancelButton(order) {
    return node("button", { type: "button", className: "plain", text: say("cancel"), "aria-label": say("cancel_order", { id: order.order_id }),
      onclick: () => this.tell(() => ask("DELETE", `/v1/orders/${order.order_id}`), "cancelled_one") });
  }
}
