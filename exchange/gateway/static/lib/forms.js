// Forms that send something: the button waits for the answer, and what came of it is said in words.

import { element } from "./dom.js";

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
