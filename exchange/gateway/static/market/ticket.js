// The order ticket: what the order would do is previewed as it is typed; an order whose answer is lost is asked for again.

import { ask, isUnknown, Refused } from "../lib/api.js";
import { element, node } from "../lib/dom.js";
import { count, say, sayCode, yuan } from "../lib/words.js";

const PREVIEW_WAIT_MS = 250;

// the same id with the same order gets the first answer again, so sending again is safe (clause 9.9)
const newId = () => (crypto.getRandomValues(new BigUint64Array(1))[0] >> 2n).toString();

export class Ticket {
  /** `sent` is called with the result of each order; `opened` says who is logged in, or null. */
  constructor(opened, sent) {
    this.form = element("ticket");
    this.note = element("ticket-note");
    this.sent = sent;
    this.symbol = "";
    this.unanswered = null;
    this.may = Boolean(opened?.scopes.includes("trade"));
    element("ticket-closed").hidden = this.may;
    this.form.hidden = !this.may;
    this.form.addEventListener("input", () => this.changed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(this.order());
    });
    element("ask-again").addEventListener("click", () => this.send(this.unanswered));
  }

  /** The ticket is for this contract now. */
  choose(contract) {
    this.symbol = contract.symbol;
    const price = this.form.elements.price;
    [price.min, price.max] = [contract.price_low, contract.price_high];
    price.value = "";
    element("limits").textContent = say("limits", { low: contract.price_low, high: contract.price_high });
    element("preview").replaceChildren();
    this.previewed = null;
    this.changed();
  }

  /** Take over a price of the ladder. */
  take(side, price) {
    if (!this.may) return;
    this.form.elements.side.value = side;
    this.form.elements.type.value = "limit";
    this.form.elements.price.value = price;
    this.changed();
    this.form.elements.quantity.focus();
  }

  order() {
    const { side, type, price, quantity, time_in_force } = this.form.elements;
    const order = { symbol: this.symbol, side: side.value, type: type.value, quantity: Number(quantity.value), time_in_force: time_in_force.value };
    return type.value === "limit" ? { ...order, price: Number(price.value).toFixed(2) } : order;
  }

  changed() {
    const { side, type, price, quantity } = this.form.elements;
    price.disabled = type.value !== "limit";
    price.required = !price.disabled;
    const at = price.disabled ? say("at_market") : say("at_price", { price: price.value || "–" });
    const button = element("send");
    button.textContent = say(`send.${side.value}`, { lots: quantity.value || "–", at });
    button.className = side.value;
    clearTimeout(this.timer);
    if (this.may && this.symbol) this.timer = setTimeout(() => this.preview(), PREVIEW_WAIT_MS);
  }

  async preview() {
    const where = element("preview");
    if (!this.form.checkValidity()) return where.replaceChildren();
    const order = (this.previewed = this.order());
    const shown = await previewOf(order);
    if (order === this.previewed) where.replaceChildren(...shown); // else the ticket says something else by now
  }

  async send(order) {
    if (!order) return;
    const body = order.client_order_id ? order : { ...order, client_order_id: newId() };
    const button = element("send");
    button.disabled = true;
    try {
      const { order: result } = await ask("POST", "/v1/orders", body);
      this.unanswered = null;
      this.note.textContent = told(result);
      this.sent(result);
    } catch (error) {
      this.unanswered = isUnknown(error) ? body : null;
      this.note.textContent = this.unanswered ? say("outcome_unknown") : error.message;
    }
    element("ask-again").hidden = !this.unanswered;
    button.disabled = Boolean(this.unanswered); // one thing at a time: first what became of this one
    this.changed();
  }
}

async function previewOf(order) {
  try {
    const answer = await ask("POST", "/v1/orders/preview", { items: [{ action: "new", ...order }] });
    const [result] = answer.results;
    return result.error ? [node("p", { className: "refused", text: result.error.message })] : facts(result.order, answer);
  } catch (error) {
    return [node("p", { className: "quiet", text: error instanceof Refused ? error.message : say("no_preview") })];
  }
}

function facts(order, { before, after }) {
  const rows = [
    ["would", told(order)],
    order.filled_quantity ? ["value", yuan(order.value_fen)] : null,
    order.filled_quantity ? ["fee", yuan(order.fee_fen)] : null,
    order.open_value_fen !== null && order.open_quantity ? ["open_value", yuan(order.open_value_fen)] : null,
    ["margin", `${yuan(before.margin_fen)} → ${yuan(after.margin_fen)}`],
    ["available", `${yuan(before.available_fen)} → ${yuan(after.available_fen)}`],
  ];
  return [node("dl", {}, ...rows.filter(Boolean).flatMap(([key, value]) => [node("dt", { text: say(key) }), node("dd", { text: value })]))];
}

/** What became of an order, or would. */
function told(result) {
  const parts = [];
  if (result.filled_quantity) {
    parts.push(say("filled_of", { filled: count(result.filled_quantity), price: averageOf(result.fills) }));
  }
  if (result.status === "resting") parts.push(say("rests", { open: count(result.open_quantity) }));
  if (result.status === "cancelled") parts.push(say("cancelled_for", { reason: sayCode("reason", result.reason) }));
  return parts.join("; ");
}

// to a hundredth of a tick, if it isn't a whole one
function averageOf(fills) {
  const lots = fills.reduce((sum, fill) => sum + fill.quantity, 0);
  const average = fills.reduce((sum, fill) => sum + fill.quantity * Number(fill.price), 0) / lots;
  return average.toFixed(4).replace(/00$/, "");
}
