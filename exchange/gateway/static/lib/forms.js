// Forms that send something: the button waits for the answer, and what came of it is said in words.

import { element, node } from "./dom.js";

/**
 * Run `action` and say what `told` makes of its answer, or why it was refused. Returns whether it was done.
 * @param {HTMLElement} note where it is said
 */
export async function telling(note, action, told, button) {
  if (button) button.disabled = true;
  note.textContent = "";
  try {
    note.textContent = told(await action());
    return true;
  } catch (error) {
    note.textContent = error.message;
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

/** Send the form `id` by `action(elements)`; then `done` is called. */
export function sending(id, note, action, told, done = () => {}) {
  const form = element(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await telling(element(note), () => action(form.elements), told, event.submitter)) done();
  });
}

/** Offer choices, pairs of value and text; what was chosen stays so, and an open list stays open if nothing changed. */
export function chooseAmong(select, choices) {
  const offered = [...select.options].map((one) => [one.value, one.text]);
  if (JSON.stringify(offered) === JSON.stringify(choices)) return;
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value, text]) => node("option", { value, text })));
  if (choices.some(([value]) => value === chosen)) select.value = chosen;
}
