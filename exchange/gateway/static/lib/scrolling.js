// What scrolls in its own box is scrolled by keys too, once it has more than it shows.

const sizes = new ResizeObserver((seen) => {
  for (const box of new Set(seen.map(({ target }) => target.closest(".scroll")))) {
    box.tabIndex = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight ? 0 : -1;
  }
});

/** Watch a box and return it. */
export function scrollingByKeys(box) {
  [box, ...box.children].forEach((one) => sizes.observe(one));
  return box;
}
