// Plans of workloads: what is searched, what came out, and its acceptance.

import { ask, get } from "../lib/api.js";
import { element, node } from "../lib/dom.js";
import { chooseAmong, sending, telling } from "../lib/forms.js";
import { scrollingByKeys } from "../lib/scrolling.js";
import { fact, fill } from "../lib/tables.js";
import { count, dayAfter, dayOf, percent, say, sayCode, yuan } from "../lib/words.js";
import { readCsv } from "./csv.js";

const LOOK_MS = 700;
const GOING_ON = ["queued", "running"];
const SAMPLE = "id,origin,class,grade,cards,latency_ms,hours,data_gb\nchat,Shanghai,ai_infer_int,L20,12,,,\nrobot,Shanghai,tele_robot,L20,3.5,10,,\ntrain,Shanghai,ai_train,H100,16,,6,200\n";

export class Plans {
  /** `changed` is called when orders or nominations were made. */
  constructor(tradingDay, changed) {
    this.changed = changed;
    this.shown = null;
    const { workloads, first_day } = element("plan").elements;
    workloads.value = SAMPLE;
    first_day.value = dayAfter(tradingDay, 1);
    element("file").addEventListener("change", async (event) => { workloads.value = await event.target.files[0].text(); });
    sending("plan", "plan-note", (given) => ask("POST", "/v1/plans", {
      workloads: readCsv(given.workloads.value), first_day: given.first_day.value, days: Number(given.days.value), time_limit_s: Number(given.time_limit_s.value),
      failed: given.failed.value.split(/[\s,，、]+/).filter(Boolean), migration_cny: Number(given.migration_cny.value),
      ...(given.after.value && { after: given.after.value }), ...(given.moves_max.value && { moves_max: Number(given.moves_max.value) }),
    }).then((answer) => {
      this.shown = answer.plan.plan_id;
      return answer;
    }), ({ plan }) => say("plan_begun", { id: plan.plan_id }), () => this.look());
  }

  /** Show the jobs and the chosen one's result; look again while one is searched. */
  async look() {
    const { plans } = await get("/v1/plans");
    this.shown ??= plans.at(-1)?.plan_id ?? null;
    fill("plans", ["id", "state", "workloads", "progress", "cost", "gap", ""], plans.map((one) => [
      this.chooser(one), sayCode("plan", one.state), count(one.workloads), progressOf(one),
      one.progress ? yuan(one.progress.incumbent_fen) : "", gapText(one.progress?.gap), this.canceller(one)]));
    const followed = plans.filter((one) => !GOING_ON.includes(one.state) && one.accepted.length + one.nominated.length);
    chooseAmong(element("plan").elements.after, [["", say("no_plan_before")], ...followed.map((one) => [one.plan_id, say("plan_of_days", { id: one.plan_id, day: dayOf(one.first_day), days: one.days })])]);
    const chosen = plans.find((one) => one.plan_id === this.shown);
    if (chosen) await this.show(chosen);
    clearTimeout(this.timer);
    if (plans.some((one) => GOING_ON.includes(one.state))) this.timer = setTimeout(() => this.look(), LOOK_MS);
  }

  chooser(plan) {
    return node("button", { type: "button", className: "plain", text: plan.plan_id, onclick: () => {
      this.shown = plan.plan_id;
      this.look();
    } });
  }

  canceller(plan) {
    if (!GOING_ON.includes(plan.state)) return "";
    return node("button", { type: "button", className: "plain", text: say("end_search"),
      onclick: () => this.act(() => ask("DELETE", `/v1/plans/${plan.plan_id}`), () => say("search_ended")) });
  }

  async act(action, told) {
    if (await telling(element("plan-note"), action, told)) this.changed();
    await this.look();
  }

  async show(job) {
    const { result } = await get(`/v1/plans/${job.plan_id}`);
    const faults = [...(job.message ? [job.message] : []), ...job.faults].map((text) => node("p", { className: "refused", text }));
    if (!result) return element("result").replaceChildren(...faults);
    const tables = ["runs", "left", "orders", "classes", "baselines", "changes"].map((name) => node("table", { id: `plan-${name}` }));
    const orders = result.orders.filter((_, at) => !job.accepted.includes(at));
    const nominations = result.nominations.filter((_, at) => !job.nominated.includes(at));
    const accept = (path, key) => this.act(() => ask("POST", `/v1/plans/${job.plan_id}/${path}`, {}), (answer) =>
      say(key, { count: count(answer.results.filter((one) => !one.error).length), of: count(answer.results.length) }));
    element("result").replaceChildren(...faults,
      node("div", { className: "facts" }, fact("placed", `${count(result.placed)} / ${count(job.workloads)}`), fact("new_money", yuan(result.new_money_fen)),
        fact("carbon", say("kg", { amount: count(result.kgco2) })), fact("gap", gapText(result.gap)), fact("model", result.model)),
      node("p", { className: "quiet", text: result.why }),
      ...(result.rule_fen ? [node("p", { className: "quiet", text: say("rule_costs", { cost: yuan(result.rule_fen) }) })] : []),
      titled("savings", tables[4]), node("p", { className: "quiet", text: say(result.baselines ? "savings_words" : "savings_later") }),
      ...(result.changes ? [titled("changes", tables[5]), node("p", { className: "quiet", text: say("goes_on", { count: count(result.changes.goes_on) }) })] : []),
      titled("latency_classes", tables[3]), titled("runs", tables[0]), titled("left_out", tables[1]), titled("orders_of_plan", tables[2]),
      node("p", {},
        node("button", { type: "button", disabled: !orders.length, text: say("place_orders", { count: count(orders.length) }), onclick: () => accept("accept", "orders_placed") }), " ",
        node("button", { type: "button", disabled: !nominations.length, text: say("make_nominations", { count: count(nominations.length) }), onclick: () => accept("nominate", "nominations_made") })));
    fill("plan-baselines", ["baseline", "baseline_cost", "plan_cost", "saved", "carbon_saved", "unserved"], (result.baselines ?? []).map((one) => [
      sayCode("baseline", one.name), yuan(one.cost_fen), yuan(one.plan_cost_fen), percent(one.cost_saving), percent(one.carbon_saving), count(one.unserved)]));
    if (result.changes) fill("plan-changes", ["workload", "becomes", "hub", "gain", "moving_costs"], changesOf(result.changes));
    fill("plan-classes", ["latency_class", "limit_ms", "workloads", "placed", "longest_round_trip"], result.classes.map((one) => [
      one.latency_class || "–", msText(one.limit_ms), count(one.workloads), count(one.placed), msText(one.longest_round_trip_ms)]));
    fill("plan-runs", ["workload", "hub", "hours", "members", "cards", "round_trip"], result.runs.map((one) => [
      one.workload, one.hub, `${one.first_hour} – ${one.end_hour}`, count(one.members),
      Object.entries(one.cards).map(([grade, cards]) => `${grade} ${cards}`).join(", "), say("ms", { ms: one.round_trip_ms.toFixed(1) })]));
    fill("plan-left", ["workload", "why", "change"], result.left_out.map((one) => [one.workload, one.detail || one.reason, one.change]));
    fill("plan-orders", ["contract", "lots", "limit", "cost"], result.orders.map((one) => [one.symbol, count(one.quantity), one.price, yuan(one.cost_at_limit_fen)]));
  }
}

/** What becomes of work that had begun and doesn't go on as it was: rows of a table. */
function changesOf(changes) {
  const told = (key, one) => [one.workload ?? one, say(`change.${key}`, { hour: one.resumes_hour }), one.site ?? "", "", ""];
  return [
    ...changes.moved.map((one) => [one.workload, say(`change.${one.reason}`, { hour: one.first_hour }), `${one.before} → ${one.after}`, one.gain_fen === null ? "–" : yuan(one.gain_fen), yuan(one.cost_fen)]),
    ...["paused", "waits", "stopped", "ended", "expired", "withdrawn"].flatMap((key) => changes[key].map((one) => told(key, one)))];
}

const gapText = (gap) => (gap === null || gap === undefined ? "–" : percent(gap));

const msText = (ms) => (ms === null ? "–" : say("ms", { ms: ms.toFixed(1) }));

const titled = (key, table) => node("section", {}, node("h3", { text: say(key) }), scrollingByKeys(node("div", { className: "scroll" }, table)));

function progressOf(plan) {
  if (!GOING_ON.includes(plan.state)) return "";
  return node("progress", { "aria-label": plan.progress?.stage ?? plan.state, title: plan.progress?.stage ?? "" });
}
