// How a site's agent does, in words.

import { node } from "./dom.js";
import { momentOf, say } from "./words.js";

/** An element that says when the agent was last heard, and whether it should have been since. */
export function agentOf(site) {
  if (site.silent) return node("b", { className: "refused", text: site.heard_at ? say("agent_silent_since", { time: momentOf(site.heard_at) }) : say("agent_silent") });
  return node("span", { text: site.heard_at ? say("agent_heard", { time: momentOf(site.heard_at) }) : say("agent_unheard") });
}
