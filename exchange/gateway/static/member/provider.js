// The provider's screen: capacity, what is certified of it and sold, what was delivered, and the money.

import { ask, get, getAll } from "../lib/api.js";
import { drawn, element, node } from "../lib/dom.js";
import { chooseAmong, sending, telling } from "../lib/forms.js";
import { agentOf } from "../lib/sites.js";
import { fact, fill } from "../lib/tables.js";
import { count, dayAfter, dayOf, language, percent, say, sayCode, shortName, yuan } from "../lib/words.js";
import { live } from "./live.js";
import { showStatement } from "./money.js";

const DAYS_SHOWN = 60;
const USES = ["delivering", "backed", "pledged", "free"];

const offer = (form, name, choices) => chooseAmong(element(form).elements[name], choices);

// cards of a certificate day by day, one bar a day: what they are used for
function daysOf(certificate) {
  const days = certificate.days.slice(0, DAYS_SHOWN);
  const most = Math.max(1, ...days.map((day) => day.cards));
  const width = 100 / Math.max(days.length, 1);
  const bars = days.flatMap((day, at) => {
    let top = 100;
    return USES.map((use) => {
      const height = (100 * day[use]) / most;
      top -= height;
      return drawn("rect", { class: use, x: at * width, y: top, width: width * 0.86, height });
    });
  });
  const today = days[0];
  const words = today ? say("use_words", { day: dayOf(today.day), delivering: count(today.delivering), backed: count(today.backed), pledged: count(today.pledged), free: count(today.free) }) : "";
  return drawn("svg", { class: "days", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": words }, ...bars, drawn("title", {}, words));
}

function showFacts(balances, certificates, reservations) {
  const valid = certificates.filter((one) => one.revoked === null && one.days.length);
  const first = valid.map((one) => one.days[0]);
  const sum = (use) => first.reduce((total, day) => total + day[use], 0);
  const over = reservations.filter((one) => one.finished);
  const delivered = over.reduce((total, one) => total + one.delivered_card_hours, 0);
  const promised = over.reduce((total, one) => total + one.delivered_card_hours + one.shortfall_card_hours, 0);
  element("facts").replaceChildren(
    fact("cash", yuan(balances.cash_fen)), fact("available", yuan(balances.available_fen)), fact("cards_certified", count(sum("cards"))),
    fact("cards_sold", count(sum("backed") + sum("delivering"))), fact("cards_free", count(sum("free"))),
    fact("delivered_share", promised ? percent(delivered / promised) : "–"), fact("invoiced", yuan(over.reduce((total, one) => total + one.invoiced_fen, 0))));
}

// how far posted capacity is on its way to a certificate
function stageOf(posted, certificates) {
  const own = certificates.filter((one) => one.capacity_id === posted.capacity_id);
  if (own.some((one) => one.revoked === null)) return say("stage.certified");
  if (own.length) return say("stage.revoked");
  if (posted.attested) return say("stage.attested");
  return say(posted.site_id ? "stage.posted" : "stage.without_site");
}

function showCapacity(capacity, certificates, note, refreshed) {
  const withdraw = (one) => node("button", { type: "button", className: "plain", text: say("withdraw"), onclick: async () => {
    if (await telling(note, () => ask("DELETE", `/v1/capacity/${one.capacity_id}`), () => say("withdrawn", { id: one.capacity_id }))) refreshed();
  } });
  fill("capacity", ["id", "grade", "hub", "cards", "days", "reserve_price", "state", ""], capacity.map((one) => [
    one.capacity_id, one.grade, one.hub, count(one.cards), `${dayOf(one.first_day)} – ${dayOf(one.last_day)}`, one.reserve_price, stageOf(one, certificates), withdraw(one)]));
}

live(["provider"], async (_, refreshed) => {
  const [{ hubs }, { grades }, status] = await Promise.all([get("/v1/hubs"), get("/v1/grades"), get("/v1/status")]);
  const gradeChoices = grades.map((one) => [one.code, language === "zh" ? one.name_zh : one.name_en]);
  const hubChoices = hubs.map((one) => [one.code, shortName(one)]);
  for (const form of ["post", "sale", "site"]) {
    offer(form, "grade", gradeChoices);
    offer(form, "hub", hubChoices);
  }
  const { first_day, last_day } = element("post").elements;
  first_day.value = first_day.min = last_day.min = dayAfter(status.trading_day, 1);
  last_day.value = dayAfter(status.trading_day, 30);
  sending("post", "post-note", (given) => ask("POST", "/v1/capacity", {
    grade: given.grade.value, hub: given.hub.value, cards: Number(given.cards.value), first_day: given.first_day.value, last_day: given.last_day.value,
    reserve_price: Number(given.reserve_price.value).toFixed(2), ...(given.site_id.value && { site_id: given.site_id.value }),
  }), ({ capacity }) => say("posted_as", { id: capacity.capacity_id }), refreshed);
  sending("sale", "sale-note", (given) => ask("POST", "/v1/sales", {
    grade: given.grade.value, hub: given.hub.value, kind: given.kind.value, price: Number(given.price.value).toFixed(2),
  }), () => say("sale_set"), refreshed);
  sending("site", "site-note", (given) => ask("POST", "/v1/sites", {
    name: given.name.value, hub: given.hub.value, installed: [{ grade: given.grade.value, cards: Number(given.cards.value) }], agent_key: given.agent_key.value,
  }), ({ site }) => say("registered_as", { id: site.site_id }), refreshed);

  return async () => {
    const [balances, { capacity }, { certificates }, { sales }, { sites }, reservations] = await Promise.all([
      get("/v1/balances"), get("/v1/capacity"), get("/v1/certificates"), get("/v1/sales"), get("/v1/sites"), getAll("/v1/reservations", "reservations"), showStatement()]);
    const own = reservations.filter((one) => one.role === "provider");
    showFacts(balances, certificates, own);
    showCapacity(capacity, certificates, element("post-note"), refreshed);
    fill("certificates", ["id", "grade", "hub", "capacity", "sold_and_free"], certificates.map((one) => [
      one.certificate_id, one.grade, one.hub, one.capacity_id, one.revoked === null ? daysOf(one) : say("revoked_for", { why: one.revoked })]));
    fill("deliveries", ["reservation", "contract", "cards", "day", "delivered_hours", "shortfall", "invoiced", "state"], own.map((one) => [
      one.reservation_id, one.symbol, count(one.cards), dayOf(one.start), count(one.delivered_card_hours), count(one.shortfall_card_hours), yuan(one.invoiced_fen),
      sayCode("delivery", one.finished ? "finished" : "open")]));
    fill("sales", ["grade", "hub", "contract", "price"], sales.map((one) =>
      [one.grade, one.hub, `${say(`kind.${one.kind}`)}, ${say(`profile.${one.profile}`)}`, one.price]));
    offer("post", "site_id", [["", say("no_site")], ...sites.map((one) => [one.site_id, one.name])]);
    fill("sites", ["id", "name", "hub", "cards", "agent"], sites.map((one) => [one.site_id, one.name, one.hub,
      one.installed.map((grade) => `${grade.grade} ${count(grade.cards)}`).join(", "), agentOf(one)]));
  };
});
