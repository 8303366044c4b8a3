// What the screens of a member share: they are drawn anew when something concerns the account, and now and then.

import { element } from "../lib/dom.js";
import { liveFeed, mountShell } from "../lib/shell.js";

const NOW_AND_THEN_MS = 4_000;
const TOGETHER_MS = 200; // what happens together is drawn once

/** Show the screen to members of these kinds: `start(opened, refreshed)` returns what draws it. */
export async function live(kinds, start) {
  const opened = await mountShell();
  const may = kinds.includes(opened?.kind);
  element("closed").hidden = may;
  if (!may) return;
  let timer = null; // the only one that waits, whatever is being drawn meanwhile
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, TOGETHER_MS);
  };
  const draw = await start(opened, soon);
  element("open").hidden = false;
  async function refresh() {
    timer = null;
    try {
      await draw();
    } finally {
      timer ??= setTimeout(refresh, NOW_AND_THEN_MS); // what went wrong is said in the header
    }
  }
  const feed = liveFeed(opened);
  feed.follow(["status"]);
  for (const type of ["account", "status"]) feed.on(type, soon);
  soon();
}
