// Facts and tables, as every screen shows them.

import { element, node } from "./dom.js";
import { say } from "./words.js";

/** A figure under its name. */
export const fact = (key, value) => node("div", {}, node("span", { text: say(key) }), node("b", { text: value }));

/** Fill a table: keys of its columns' names (empty: none), and rows of texts or elements. */
export function fill(id, heads, rows) {
  const head = node("tr", {}, ...heads.map((key) => node("th", { scope: "col", text: key && say(key) })));
  const body = rows.map((row) => node("tr", {}, ...row.map((value) => node("td", {}, value))));
  const none = node("tr", {}, node("td", { colSpan: heads.length, className: "quiet", text: say("none") }));
  element(id).replaceChildren(node("thead", {}, head), node("tbody", {}, ...(rows.length ? body : [none])));
}
