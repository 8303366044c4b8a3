// Elements made by hand. Text is set as text, never as markup: nothing that a member named can run here.

export const element = (id) => document.getElementById(id);

/** Make an element: `text`, `className`, `title`, `dataset` and properties of it, `role` and `aria-…` as attributes. */
export function node(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "text") made.textContent = value;
    else if (name === "dataset") Object.assign(made.dataset, value);
    else if (name === "role" || name === "for" || name === "scope" || name.startsWith("aria-")) made.setAttribute(name, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make an SVG element. */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Return a function that runs `draw` in the next frame that is due, at most every `everyMs`, however often it is called. */
export function conflated(draw, everyMs = 0) {
  let waiting = false;
  let drawn = -Infinity;
  const frame = (now) => {
    if (now - drawn < everyMs) return requestAnimationFrame(frame);
    [waiting, drawn] = [false, now];
    draw();
  };
  return () => {
    if (!waiting) requestAnimationFrame(frame);
    waiting = true;
  };
}

/** Set an element's text if it is another one: an untouched element is not laid out again. */
export function setText(where, text) {
  if (where.textContent !== text) where.textContent = text;
}
