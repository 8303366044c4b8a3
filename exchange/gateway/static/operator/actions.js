// What an operator may do from here: every action is asked back, and the exchange checks role and session.

import { ask } from "../lib/api.js";
import { element, node } from "../lib/dom.js";
import { fill } from "../lib/tables.js";
import { count, momentOf, say, sayCode, yuan } from "../lib/words.js";

const DECIDED_AT = { cash: "cash", restore: "restore", regime: "regime" };

/** Ask the operator whether it is meant. */
function confirmed(text) {
  const dialog = element("confirm");
  element("confirm-what").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

export class Actions {
  /** `done` is called when something has changed. */
  constructor(opened, hubs, nameOf, done) {
    this.opened = opened;
    this.done = done;
    element("halt-hub").replaceChildren(node("option", { value: "", text: say("whole_market") }),
      ...hubs.map((hub) => node("option", { value: hub.code, text: nameOf(hub.code) })));
    element("halting").addEventListener("submit", (event) => {
      event.preventDefault();
      this.halt(event.submitter.value === "true");
    });
    element("kill").addEventListener("click", () => this.act(say("kill_asked"), () => ask("POST", "/v1/operator/kill", { cancel_orders: true }),
      ({ contracts, cancelled }) => say("killed", { contracts: count(contracts), orders: count(cancelled) })));
  }

  async act(question, action, told) {
    if (!(await confirmed(question))) return;
    try {
      element("action-note").textContent = told(await action());
    } catch (error) {
      element("action-note").textContent = error.message;
    }
    this.done();
  }

  halt(halted) {
    const { hub, symbol } = element("halting").elements;
    const named = symbol.value.trim().toUpperCase();
    const body = named ? { halted, symbol: named } : hub.value ? { halted, hub: hub.value } : { halted };
    const what = named || hub.selectedOptions[0].text;
    return this.act(say(halted ? "halt_asked" : "resume_asked", { what }), () => ask("POST", "/v1/operator/halts", body),
      ({ contracts }) => say(halted ? "halted_count" : "resumed_count", { count: count(contracts) }));
  }

  /** Show what waits for a second operator; nobody decides on a proposal of its own. */
  showProposals(proposals) {
    const open = proposals.filter((one) => one.decided_by === null);
    fill("proposals", ["kind", "member", "amount", "why", "proposed_by", "expires", ""], open.map((one) => [
      sayCode("proposal", one.kind), one.member ?? "", one.kind === "cash" ? yuan(one.amount_fen) : "", one.reason, one.proposed_by, momentOf(one.expires),
      one.proposed_by === this.opened.member ? say("awaits_second") : this.decisions(one)]));
  }

  decisions(proposal) {
    const decide = (approve) => this.act(
      say(approve ? "approve_asked" : "reject_asked", { id: proposal.proposal_id }),
      () => ask("POST", `/v1/operator/proposals/${DECIDED_AT[proposal.kind]}/${proposal.proposal_id}`, { approve }),
      () => say(approve ? "approved" : "rejected", { id: proposal.proposal_id }));
    return node("span", {},
      node("button", { type: "button", className: "plain", text: say("approve"), onclick: () => decide(true) }), " ",
      node("button", { type: "button", className: "plain", text: say("reject"), onclick: () => decide(false) }));
  }
}
