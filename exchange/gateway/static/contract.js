// The terms of one contract, each with the clause of the rulebook that says so: /contracts/SYMBOL.

import { get, Refused } from "./lib/api.js";
import { element, node } from "./lib/dom.js";
import { scrollingByKeys } from "./lib/scrolling.js";
import { mountShell } from "./lib/shell.js";
import { count, language, momentOf, percent, say, sayCode, yuan } from "./lib/words.js";

const inWords = (one) => (language === "zh" ? one.name_zh : one.name_en);
const priced = (text) => say("terms.price", { price: text });
const rate = (basisPoints) => percent(basisPoints / 10_000);
const clock = (hour) => `${String(hour).padStart(2, "0")}:00`;

// hours of a day as stretches of the clock
function stretches(hours) {
  const [starts, ends] = [hours.filter((hour) => !hours.includes(hour - 1)), hours.filter((hour) => !hours.includes(hour + 1))];
  return starts.map((start, at) => `${clock(start)}–${clock(ends[at] + 1)}`).join(", ") || say("none");
}

const lastingOf = ({ delivery_start, delivery_end }) => say("terms.from_to", { from: momentOf(delivery_start), to: momentOf(delivery_end) });

const delivered = ({ contract, grade, hub, ...told }) => [
  ["terms.grade", `${inWords(grade)}: ${grade.minimum}`, "2.3"],
  ["terms.hub", `${inWords(hub)} (${hub.code}), ${hub.city}, ${hub.province}`, "2.1"],
  ["terms.period", lastingOf(contract), "2.7"],
  ["terms.hours", stretches(told.hours_of_day), "2.9"],
  ["terms.lot", say("terms.lot_words", { cards: contract.cards_per_lot, hours: count(contract.hours), card_hours: count(told.card_hours) }), "2.5"],
  ["terms.standard", say("terms.standard_words", { units: count(told.card_hours * grade.h100_hour_per_card_hour) }), "2.6"],
  ["terms.peak", stretches(told.peak_hours), "2.9"],
  ["terms.valley", stretches(told.valley_hours), "2.9"],
];

const pricing = ({ contract, ...told }) => [
  ["terms.tick", say("terms.tick_words", { tick: priced(contract.tick), value: yuan(told.tick_value_fen) }), "1.2"],
  ["terms.reference", priced(contract.reference_price), "4.5"],
  ["terms.limits", say("terms.limits_words", { low: contract.price_low, high: priced(contract.price_high), rate: rate(told.limit_basis_points) }), "4.5"],
  ["terms.regime", `${sayCode("regime", told.regime)} ${[told.floor, told.ceiling].filter(Boolean).join(" – ")}`, "4.11"],
  ["terms.fees", say("terms.fees_words", { maker: told.maker_basis_points, taker: told.taker_basis_points }), "8.1"],
];

const risk = ({ contract, ...told }) => [
  ["terms.margin_long", yuan(contract.margin_long_fen), "5.1"],
  ["terms.margin_short", yuan(contract.margin_short_fen), "5.1"],
  ["terms.position_limit", told.position_limit === null ? say("none") : say("terms.lots", { lots: count(told.position_limit) }), "5.13"],
];

const end = ({ contract, becomes }) => [
  ["terms.last_day", contract.last_trading_day, "4.3"],
  ["terms.settlement", contract.settlement_price === null ? say("terms.not_settled") : priced(contract.settlement_price), "6.1"],
  ["terms.becomes", becomes.length ? node("span", {}, ...becomes.flatMap((symbol) => [node("a", { href: `/contracts/${symbol}`, text: symbol }), " "])) : say("terms.reservations"), becomes.length ? "6.4" : "7.3"],
];

function section(key, rows) {
  const title = `title-${key}`;
  return node("section", { className: "panel", "aria-labelledby": title }, node("h2", { id: title, text: say(`terms.${key}`) }),
    scrollingByKeys(node("div", { className: "scroll" }, node("table", { className: "terms" }, node("tbody", {}, ...rows.map(([name, value, clause]) =>
      node("tr", {}, node("th", { scope: "row", text: say(name) }), node("td", {}, value), node("td", { className: "quiet", text: say("clause", { clause }) }))))))));
}

function show(told) {
  const { contract } = told;
  document.title = `${contract.symbol} · Dongxi 东西`;
  element("state").textContent = contract.active ? (contract.halted ? say("halted") : "") : say("terms.ended");
  element("trade").href = `/#${contract.symbol}`;
  element("trade").hidden = !contract.active;
  element("terms").replaceChildren(section("delivered", delivered(told)), section("pricing", pricing(told)), section("risk", risk(told)), section("end", end(told)));
  element("note").textContent = say("terms.as_of", { seq: count(told.as_of_seq) });
}

await mountShell();
const symbol = decodeURIComponent(location.pathname.split("/").pop()).toUpperCase();
element("symbol").textContent = symbol;
try {
  show(await get(`/v1/contracts/${encodeURIComponent(symbol)}/specification`));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  element("note").textContent = error.message;
}
