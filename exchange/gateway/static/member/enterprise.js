// The enterprise's screen: what it bought, what that became, what runs on it, and plans for more.

import { ask, get, getAll } from "../lib/api.js";
import { element, node } from "../lib/dom.js";
import { chooseAmong, sending, telling } from "../lib/forms.js";
import { fact, fill } from "../lib/tables.js";
import { count, dayOf, percent, say, sayCode, yuan } from "../lib/words.js";
import { live } from "./live.js";
import { showStatement } from "./money.js";
import { Plans } from "./plans.js";

function showFacts(balances, reservations) {
  const over = reservations.filter((one) => one.finished);
  const delivered = over.reduce((sum, one) => sum + one.delivered_card_hours, 0);
  const short = over.reduce((sum, one) => sum + one.shortfall_card_hours, 0);
  const waiting = reservations.filter((one) => !one.finished).reduce((sum, one) => sum + one.cards, 0);
  element("facts").replaceChildren(
    fact("cash", yuan(balances.cash_fen)), fact("margin", yuan(balances.margin_fen)), fact("available", yuan(balances.available_fen)),
    fact("held_for_delivery", yuan(balances.delivery_hold_fen)), fact("cards_reserved", count(waiting)),
    fact("delivered_share", delivered + short ? percent(delivered / (delivered + short)) : "–"));
}

const choose = (form, reservations) => chooseAmong(element(form).elements.reservation_id,
  reservations.map((one) => [one.reservation_id, `${one.reservation_id}: ${one.symbol}, ${count(one.cards)}`]));

function button(key, note, action, done) {
  return node("button", { type: "button", className: "plain", text: say(key), onclick: async () => {
    if (await telling(element(note), action, () => say("done"))) done();
  } });
}

live(["enterprise", "market-maker", "broker"], async (opened, refreshed) => {
  const status = await get("/v1/status");
  const plans = new Plans(status.trading_day, refreshed);
  sending("nominate", "nominate-note", (given) => ask("POST", `/v1/reservations/${given.reservation_id.value}/nominations`, {
    workload: given.workload.value, use: given.use.value, cards: Number(given.cards.value), first_hour: Number(given.first_hour.value), hours: Number(given.hours.value),
  }), ({ nomination_id }) => say("nominated_as", { id: nomination_id }), refreshed);
  sending("resell", "resell-note", (given) => ask("POST", `/v1/reservations/${given.reservation_id.value}/offers`, {
    quantity: Number(given.quantity.value), price: Number(given.price.value).toFixed(2), ...(given.to_member.value && { to_member: given.to_member.value }),
  }), ({ offer_id }) => say("offered_as", { id: offer_id }), refreshed);

  return async () => {
    const [balances, { positions }, reservations, { nominations }, { offers }] = await Promise.all([
      get("/v1/balances"), get("/v1/positions"), getAll("/v1/reservations", "reservations"), get("/v1/nominations"), get("/v1/offers"), showStatement(), plans.look()]);
    const own = reservations.filter((one) => one.role === "buyer");
    const open = own.filter((one) => !one.finished);
    showFacts(balances, own);
    fill("positions", ["contract", "position", "settlement"], positions.map((one) => [one.symbol, count(one.quantity), one.settlement_price]));
    const nominated = new Map();
    const hoursOf = new Map(own.map((one) => [one.reservation_id, one.hours]));
    for (const one of nominations) {
      const hours = (hoursOf.get(one.reservation_id) ?? []).filter((hour) => hour >= one.first_hour && hour < one.first_hour + one.hours);
      nominated.set(one.reservation_id, (nominated.get(one.reservation_id) ?? 0) + one.cards * hours.length);
    }
    fill("reservations", ["id", "contract", "cards", "day", "delivered_hours", "nominated", "state"], own.map((one) => [
      one.reservation_id, one.symbol, count(one.cards), dayOf(one.start), count(one.delivered_card_hours), count(nominated.get(one.reservation_id) ?? 0),
      sayCode("delivery", one.finished ? "finished" : "open")]));
    choose("nominate", open);
    choose("resell", open);
    fill("nominations", ["id", "reservation", "workload", "use_of_it", "cards", "hours", ""], nominations.map((one) => [
      one.nomination_id, one.reservation_id, one.workload, one.use, count(one.cards), `${one.first_hour} – ${one.first_hour + one.hours}`,
      button("take_back", "nominate-note", () => ask("DELETE", `/v1/nominations/${one.nomination_id}`), refreshed)]));
    fill("offers", ["id", "contract", "day", "lots", "price", ""], offers.map((one) => [
      one.offer_id, one.symbol, dayOf(one.start), count(one.quantity), one.price, one.seller === opened.account
        ? button("take_back", "resell-note", () => ask("DELETE", `/v1/offers/${one.offer_id}`), refreshed)
        : button("take_over", "resell-note", () => ask("POST", `/v1/offers/${one.offer_id}/acceptances`, { quantity: one.quantity }), refreshed)]));
  };
});
