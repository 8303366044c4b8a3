// The market health index (docs/health.md): the latest measurement by group and component, and how it went.

import { get, Refused } from "../lib/api.js";
import { drawn, element, node } from "../lib/dom.js";
import { count, say, sayCode, timeOf } from "../lib/words.js";

const POINTS = 96;

/** Show the index, and return it by hub: Map of code → index. It is null while it isn't measured. */
export async function showHealth() {
  let found;
  let history;
  try {
    [found, history] = await Promise.all([get("/v1/health-index"), get(`/v1/health-index/overall?limit=${POINTS}`)]);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 503) throw error; // the history is being built
    found = { overall: null, hubs: [] };
    history = { measurements: [] };
  }
  const { overall } = found;
  element("health-index").textContent = overall ? overall.index.toFixed(2) : "–";
  element("health-index").title = overall ? say("measured_at", { time: timeOf(overall.time) }) : say("not_measured");
  element("health").replaceChildren(...(overall?.groups ?? []).map(group));
  drawLine(history.measurements.map((one) => one.index).reverse());
  return new Map(found.hubs.map((one) => [one.hub, one.index]));
}

function group({ name, score, components }) {
  return node("section", {}, node("h3", { text: `${sayCode("group", name)} ${score.toFixed(2)}` }), node("dl", {}, ...components.flatMap((one) => [
    node("dt", { text: sayCode("component", one.name), title: `${count(one.numerator)} / ${count(one.denominator)}` }),
    node("dd", {}, node("meter", { max: 100, value: one.score, "aria-label": sayCode("component", one.name) })),
    node("dd", { text: one.score.toFixed(2) })])));
}

function drawLine(points) {
  const line = element("health-line");
  line.setAttribute("viewBox", `0 0 ${Math.max(1, points.length - 1)} 100`);
  line.setAttribute("preserveAspectRatio", "none");
  line.replaceChildren(...(points.length > 1 ? [drawn("path", { d: points.map((one, at) => `${at ? "L" : "M"}${at} ${100 - one}`).join("") })] : []));
}
