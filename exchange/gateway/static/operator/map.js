// Hubs where they lie, without borders: size by what trades there, a ring by how much of it is certified and used.

import { drawn } from "../lib/dom.js";

const [WIDTH, HEIGHT, MARGIN] = [665, 460, 30];
const LABELS_X = 480; // the crowded coast has its labels in a column of their own
const COAST_X = 330;
const LEAST_R = 4;
const MOST_R = 15;
const LINE = 14;

export class HubMap {
  /** `nameOf` gives a hub's name. */
  constructor(svg, hubs, nameOf) {
    this.marks = new Map();
    const [west, east] = range(hubs.map((hub) => hub.lon));
    const [south, north] = range(hubs.map((hub) => hub.lat));
    const placed = hubs.map((hub) => ({
      hub,
      x: MARGIN + ((hub.lon - west) / (east - west)) * (LABELS_X - 2 * MARGIN),
      y: HEIGHT - MARGIN - ((hub.lat - south) / (north - south)) * (HEIGHT - 2 * MARGIN),
    })).sort((a, b) => a.y - b.y);
    for (const coast of [true, false]) spread(placed.filter((one) => one.x >= COAST_X === coast), coast);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.replaceChildren(...placed.map((one) => this.mark(one, nameOf(one.hub.code))));
  }

  mark({ hub, x, y, labelX, labelY }, name) {
    const title = drawn("title");
    const dot = drawn("circle", { class: `hub ${hub.kind}`, cx: x, cy: y, r: LEAST_R }, title);
    const ring = drawn("circle", { class: "used", cx: x, cy: y, r: LEAST_R + 3, pathLength: 100, "stroke-dasharray": "0 100" });
    const price = drawn("tspan", { class: "price" });
    const leader = drawn("line", { class: "leader", x1: x, y1: y, x2: labelX - 3, y2: labelY });
    const group = drawn("g", {}, leader, dot, ring, drawn("text", { x: labelX, y: labelY + 4 }, `${name} `, price));
    this.marks.set(hub.code, { group, dot, ring, price, title, x, y });
    return group;
  }

  /** Show a hub's share of the most that trades anywhere, the used share of what is certified, and words. */
  show(code, { size, used, price, title, halted }) {
    const mark = this.marks.get(code);
    const r = LEAST_R + Math.sqrt(size) * (MOST_R - LEAST_R);
    mark.dot.setAttribute("r", r);
    mark.ring.setAttribute("r", r + 3);
    mark.ring.setAttribute("stroke-dasharray", `${100 * used} 100`);
    mark.price.textContent = price;
    mark.title.textContent = title;
    mark.group.setAttribute("class", halted ? "halted" : "");
  }

  /** Something traded there just now. */
  pulse(code) {
    const { group, x, y } = this.marks.get(code);
    const pulse = drawn("circle", { class: "pulse", cx: x, cy: y, r: 4 });
    pulse.addEventListener("animationend", () => pulse.remove());
    if (!group.querySelector(".pulse")) group.append(pulse);
  }
}

// labels one below the other, each as near to its hub as those above leave it
function spread(placed, coast) {
  let next = MARGIN / 2;
  placed.forEach((one, index) => {
    const room = HEIGHT - MARGIN / 2 - LINE * (placed.length - 1 - index);
    const near = coast || placed.some((other) => other !== one && Math.abs(other.y - one.y) < LINE && Math.abs(other.x - one.x) < 150);
    one.labelX = coast ? LABELS_X : one.x + 20;
    one.labelY = near ? Math.min(Math.max(one.y, next), room) : one.y;
    next = one.labelY + LINE;
  });
}

const range = (numbers) => [Math.min(...numbers), Math.max(...numbers)];
