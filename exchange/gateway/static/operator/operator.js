// One screen sees it all: the map, alerts, load, defaults, deliveries, and what an operator may do about it.

import { get, getAll, Refused } from "../lib/api.js";
import { conflated, element, node } from "../lib/dom.js";
import { liveFeed, mountShell } from "../lib/shell.js";
import { agentOf } from "../lib/sites.js";
import { fact, fill } from "../lib/tables.js";
import { count, language, momentOf, percent, price, say, sayCode, shortName, yuan, yuanRoughly } from "../lib/words.js";
import { settled, standing } from "../market/grid.js";
import { Actions } from "./actions.js";
import { Certification } from "./certification.js";
import { showHealth } from "./health.js";
import { Load } from "./load.js";
import { HubMap } from "./map.js";

const REFRESH_MS = 2_000;
const CONTRACTS_MS = 15_000;
const LAYERS = ["broker", "own fund", "house", "mutual fund", "assessment", "uncovered"];
const GOOD_SCORE = 9_500; // basis points delivered of what was reserved

class Operator {
  constructor(opened, hubs, grades) {
    this.hubs = hubs;
    this.names = new Map(hubs.map((hub) => [hub.code, shortName(hub)]));
    this.grades = grades;
    this.contracts = new Map();
    this.lots = new Map(); // hub → lots traded since the page was opened
    this.tops = new Map();
    this.used = new Map();
    this.health = new Map();
    const nameOf = (code) => this.names.get(code);
    this.map = new HubMap(element("map"), hubs, nameOf);
    this.actions = new Actions(opened, hubs, nameOf, () => Promise.all([this.loadContracts(), this.refresh()]));
    this.certification = new Certification((...what) => this.actions.act(...what));
    this.load = new Load();
    this.drawHubs = conflated(() => this.showHubs());
    element("grade").addEventListener("change", () => this.chooseGrade());
    this.feed = liveFeed(null); // nothing here is of the operator's own account
    this.feed.on("trade", (message) => this.heardTrade(message));
    this.feed.on("l1", (message) => {
      this.tops.set(message.symbol, message);
      this.drawHubs();
    });
    this.feed.on("status", () => this.loadContracts());
    this.feed.follow(["status"]);
    this.feed.follow(["trades"], ["*"]);
    this.again();
    setInterval(() => this.loadContracts(), CONTRACTS_MS); // halts of other operators
  }

  async loadContracts() {
    const found = await getAll("/v1/contracts?active=true", "contracts");
    this.contracts = new Map(found.map((one) => [one.symbol, one]));
    const listed = new Set(found.map((one) => one.grade));
    const select = element("grade");
    const before = select.value;
    select.replaceChildren(...this.grades.filter((one) => listed.has(one.code)).map((one) =>
      node("option", { value: one.code, text: language === "zh" ? one.name_zh : one.name_en })));
    if (listed.has(before)) select.value = before;
    this.chooseGrade();
  }

  // the nearest base contract of the grade stands for a hub
  chooseGrade() {
    const nearest = new Map();
    for (const one of this.contracts.values()) {
      const known = nearest.get(one.hub);
      if (one.kind !== "hour" && one.profile === "base" && one.grade === element("grade").value && (!known || one.delivery_start < known.delivery_start)) nearest.set(one.hub, one);
    }
    const before = new Set([...(this.nearest?.values() ?? [])].map((one) => one.symbol));
    const now = new Set([...nearest.values()].map((one) => one.symbol));
    this.nearest = nearest;
    const [gone, come] = [[...before].filter((one) => !now.has(one)), [...now].filter((one) => !before.has(one))];
    if (gone.length) this.feed.leave(["l1"], gone);
    if (come.length) this.feed.follow(["l1"], come);
    this.drawHubs();
  }

  heardTrade(message) {
    const hub = message.symbol.split(".")[1];
    this.lots.set(hub, (this.lots.get(hub) ?? 0) + message.quantity);
    if (!document.hidden) this.map.pulse(hub);
    this.drawHubs();
  }

  async again() {
    try {
      await this.refresh();
    } finally {
      setTimeout(() => this.again(), REFRESH_MS); // what went wrong is said in the header
    }
  }

  async refresh() {
    const [status, proposals, certificates, deliveries, disputes, calls, claims, health] = await Promise.all([
      get("/v1/status"), get("/v1/operator/proposals"), get("/v1/operator/certificates"), get("/v1/operator/deliveries"),
      get("/v1/operator/disputes"), allowed("/v1/operator/margin-calls", { calls: [] }), allowed("/v1/operator/claims", { claims: [] }),
      showHealth(), this.load.refresh()]);
    this.health = health;
    const uncertified = await this.certification.refresh(certificates.certificates);
    const { sites } = await get("/v1/operator/sites");
    fill("sites", ["id", "account", "name", "hub", "cards", "agent"], sites.map((one) => [one.site_id, one.account, one.name, this.names.get(one.hub),
      one.installed.map((grade) => `${grade.grade} ${count(grade.cards)}`).join(", "), agentOf(one)]));
    this.countUsed(certificates.certificates, status.trading_day);
    this.showFacts(status);
    this.actions.showProposals(proposals.proposals);
    this.showDefaults(calls.calls, claims.claims);
    this.showDeliveries(deliveries, disputes.disputes);
    this.showAlerts({ status, proposals: proposals.proposals, certificates: certificates.certificates, deliveries,
      disputes: disputes.disputes, calls: calls.calls, claims: claims.claims, uncertified, sites });
    this.drawHubs();
  }

  countUsed(certificates, tradingDay) {
    this.used = new Map();
    for (const { hub, days, revoked } of certificates) {
      const day = revoked === null ? days.find((one) => one.day > tradingDay) : undefined;
      if (!day) continue;
      const known = this.used.get(hub) ?? { cards: 0, used: 0 };
      this.used.set(hub, { cards: known.cards + day.cards, used: known.used + day.delivering + day.backed });
    }
  }

  showFacts(status) {
    const halted = [...this.contracts.values()].filter((one) => one.halted).length;
    element("facts").replaceChildren(
      fact("market_time", momentOf(status.market_time)), fact("trading_day", status.trading_day), fact("phase", sayCode("phase", status.phase)),
      fact("contracts", count(status.contracts_active)), fact("halted_contracts", count(halted)), fact("members", count(status.members)),
      fact("cash_total", yuanRoughly(status.cash_total_fen)), fact("commands", count(status.as_of_seq)));
  }

  showHubs() {
    const most = Math.max(1, ...this.lots.values());
    const rows = [];
    for (const { code } of this.hubs) {
      const contract = this.nearest?.get(code);
      const now = contract ? standing(contract, this.tops.get(contract.symbol)) : null;
      const lots = this.lots.get(code) ?? 0;
      const { cards, used } = this.used.get(code) ?? { cards: 0, used: 0 };
      const halted = [...this.contracts.values()].some((one) => one.hub === code && one.halted);
      const shown = now === null ? "" : price(now);
      const move = now === null ? "" : percent(now / settled(contract) - 1);
      this.map.show(code, { size: lots / most, used: cards ? used / cards : 0, price: shown, halted,
        title: say("hub_title", { hub: this.names.get(code), price: shown || "–", move: move || "–", lots: count(lots), used: count(used), cards: count(cards) }) });
      rows.push([this.names.get(code), shown, move, count(lots), count(cards), cards ? percent(used / cards) : "", this.health.get(code)?.toFixed(2) ?? ""]);
    }
    fill("hubs", ["hub", "price", "move", "lots_traded", "cards_certified", "used", "health"], rows);
  }

  showDefaults(calls, claims) {
    element("ladder").replaceChildren(...LAYERS.map((layer) => {
      const own = claims.filter((one) => one.layer === layer);
      const [paid, open] = [own.reduce((sum, one) => sum + one.amount_fen, 0), own.reduce((sum, one) => sum + one.open_fen, 0)];
      return node("li", {}, `${sayCode("layer", layer)} `, node("b", { text: own.length ? say("paid_open", { paid: yuan(paid), open: yuan(open) }) : "–" }));
    }));
    fill("calls", ["account", "amount", "issued", "due", "state"], calls.map((one) => [
      one.account, yuan(one.amount_fen), momentOf(one.issued), one.due_at ? momentOf(one.due_at) : say("next_trading_day"), say(one.restricted ? "restricted" : "called")]));
    fill("claims", ["debtor", "creditor", "layer", "amount", "still_open"], claims.map((one) => [
      one.debtor, one.creditor === "0" ? say("house") : one.creditor, sayCode("layer", one.layer), yuan(one.amount_fen), yuan(one.open_fen)]));
  }

  showDeliveries(deliveries, disputes) {
    element("fund").replaceChildren(fact("insurance_fund", yuan(deliveries.fund_fen)), fact("open_claims", count(deliveries.claims.length)));
    fill("reliability", ["provider", "reserved_hours", "delivered_hours", "score"], deliveries.reliability.map((one) => [
      one.account, count(one.reserved_card_hours), count(one.delivered_card_hours), percent(one.score_basis_points / 10_000)]));
    fill("disputes", ["reservation", "card_hours", "why", "decision"], disputes.map((one) => [
      one.reservation_id, count(one.card_hours), one.reason, one.decision ?? say("undecided")]));
  }

  showAlerts(known) {
    const alerts = alertsOf(known, [...this.contracts.values()]);
    element("alerts").replaceChildren(...(alerts.length ? alerts.map(([level, text]) => node("li", { className: level, text })) : [node("li", { className: "quiet", text: say("all_quiet") })]));
  }
}

/** What an operator should look at, the gravest first: pairs of level and sentence. */
function alertsOf({ proposals, certificates, deliveries, disputes, calls, claims, uncertified, sites }, contracts) {
  const halted = contracts.filter((one) => one.halted).length;
  const restricted = calls.filter((one) => one.restricted);
  const open = claims.filter((one) => one.open_fen);
  const weak = deliveries.reliability.filter((one) => one.score_basis_points < GOOD_SCORE);
  const revoked = certificates.filter((one) => one.revoked !== null).length;
  const waiting = proposals.filter((one) => one.decided_by === null).length;
  const undecided = disputes.filter((one) => one.decision === null).length;
  return [
    open.length && ["serious", say("alert_claims", { count: count(open.length), open: yuan(open.reduce((sum, one) => sum + one.open_fen, 0)) })],
    ...restricted.map((one) => ["serious", say("alert_restricted", { account: one.account, amount: yuan(one.amount_fen) })]),
    halted && ["serious", say("alert_halted", { count: count(halted) })],
    ...calls.filter((one) => !one.restricted).map((one) => ["notable", say("alert_call", { account: one.account, amount: yuan(one.amount_fen) })]),
    ...weak.map((one) => ["notable", say("alert_delivery", { account: one.account, score: percent(one.score_basis_points / 10_000) })]),
    ...sites.filter((one) => one.silent).map((one) => ["notable", say("alert_silent", { site: one.name, account: one.account, hub: one.hub })]),
    undecided && ["notable", say("alert_disputes", { count: count(undecided) })],
    waiting && ["notable", say("alert_proposals", { count: count(waiting) })],
    uncertified && ["notable", say("alert_uncertified", { count: count(uncertified) })],
    revoked && ["", say("alert_revoked", { count: count(revoked) })],
  ].filter(Boolean);
}

// an operator's role may not let it see everything
async function allowed(path, otherwise) {
  try {
    return await get(path);
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return otherwise;
    throw error;
  }
}

const opened = await mountShell();
const isOperator = opened?.kind === "operator";
element(isOperator ? "open" : "closed").hidden = false;
if (isOperator) {
  const [{ hubs }, { grades }] = await Promise.all([get("/v1/hubs"), get("/v1/grades")]);
  new Operator(opened, hubs, grades);
}
