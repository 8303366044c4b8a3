// Facts and tables, as every screen shows them.

import { element, node } from "./dom.js";
import { say } from "./words.js";

/** A figure under its name. */
export const fact = (key, value) => node("div", {}, node("span", { text: say(key) }), node("b", { text: value }));

const shown = new WeakMap(); // table → what it shows, as markup

/**
 * Fill a table: keys of its columns' names (empty: none), and rows of texts or elements. A table that says the
 * same is left alone, and one that changes keeps the focus where it is.
 */
export function fill(id, heads, rows) {
  const head = node("tr", {}, ...heads.map((key) => node(key ? "th" : "td", { scope: key ? "col" : null, text: key && say(key) })));
  const body = rows.map((row) => node("tr", {}, ...row.map((value) => node("td", {}, value))));
  const none = node("tr", {}, node("td", { colSpan: heads.length, className: "quiet", text: say("none") }));
  const made = [node("thead", {}, head), node("tbody", {}, ...(rows.length ? body : [none]))];
  const table = element(id);
  const markup = made.map((part) => part.outerHTML).join("");
  if (shown.get(table) === markup) return;
  shown.set(table, markup);
  const back = focusIn(table);
  table.replaceChildren(...made);
  back();
}

const buttonsOf = (row) => [...row.querySelectorAll("button, input, a")];

// what gives the focus back to the same button of the row with the same first cell
function focusIn(table) {
  const row = table.contains(document.activeElement) && document.activeElement.closest("tr");
  if (!row) return () => {};
  const [name, place] = [row.cells[0].textContent, buttonsOf(row).indexOf(document.activeElement)];
  return () => buttonsOf([...table.rows].find((one) => one.cells[0].textContent === name) ?? table)[Math.max(place, 0)]?.focus();
}
