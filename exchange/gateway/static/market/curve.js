// The forward curve: what each hub's contracts of one grade cost over their delivery periods.

import { drawn } from "../lib/dom.js";
import { dayOf, price } from "../lib/words.js";
import { standing } from "./grid.js";

const [HEIGHT, LEFT, BOTTOM, DATE] = [190, 44, 22, 46];
const DAY_MS = 86_400_000;

// a step per contract, the finer period before the coarser one where both deliver
function steps(contracts, tops) {
  const byStart = [...contracts].sort((a, b) => a.hours - b.hours);
  const taken = [];
  for (const one of byStart) {
    const [from, to] = [Date.parse(one.delivery_start), Date.parse(one.delivery_end)];
    const free = taken.filter((step) => step.from < to && step.to > from).reduce((start, step) => Math.max(start, step.to), from);
    if (free < to) taken.push({ from: free, to, ticks: standing(one, tops.get(one.symbol)) });
  }
  return taken.sort((a, b) => a.from - b.from);
}

// the times whose dates stand beside each other without touching
function spaced(times, x) {
  return times.reduce((shown, time) => (shown.length && x(time) < x(shown.at(-1)) + DATE ? shown : [...shown, time]), []);
}

/** Draw the curves of all hubs into an SVG, the chosen hub's on top. Time runs by its root: near days have room. */
export function drawCurve(svg, contracts, tops, hub, hubName) {
  const hubs = [...new Set(contracts.map((one) => one.hub))];
  const curves = new Map(hubs.map((one) => [one, steps(contracts.filter((contract) => contract.hub === one), tops)]));
  const all = [...curves.values()].flat();
  if (!all.length) return svg.replaceChildren();
  const [first, last] = [Math.min(...all.map((step) => step.from)), Math.max(...all.map((step) => step.to))];
  const [low, high] = [Math.min(...all.map((step) => step.ticks)), Math.max(...all.map((step) => step.ticks))];
  const width = svg.clientWidth;
  const room = Math.max(2, (high - low) * 0.06);
  const x = (time) => LEFT + Math.sqrt((time - first) / (last - first)) * (width - LEFT - 8);
  const y = (ticks) => HEIGHT - BOTTOM - ((ticks - low + room) / (high - low + 2 * room)) * (HEIGHT - BOTTOM - 8);
  const path = (curve) => curve.map((step, at) => `${at ? "L" : "M"}${x(step.from)} ${y(step.ticks)}H${x(step.to)}`).join("");
  const scale = [low, Math.round((low + high) / 2), high].map((ticks) => drawn("text", { x: LEFT - 6, y: y(ticks) + 4, "text-anchor": "end" }, price(ticks)));
  const times = spaced([0, 7, 30, 90].map((days) => first + days * DAY_MS).filter((time) => time < last), x)
    .map((time) => drawn("text", { x: x(time), y: HEIGHT - 6 }, dayOf(new Date(time).toISOString())));
  const others = hubs.filter((one) => one !== hub).map((one) => drawn("path", { d: path(curves.get(one)), class: "other" }, drawn("title", {}, hubName(one))));
  const own = curves.has(hub) ? [drawn("path", { d: path(curves.get(hub)), class: "chosen" }, drawn("title", {}, hubName(hub)))] : [];
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  return svg.replaceChildren(...scale, ...times, ...others, ...own);
}
