// What the agents attested and what of it is certified: by the operator, or at once where the rule says so.

import { ask, get } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { chooseAmong } from "../lib/forms.js";
import { fill } from "../lib/tables.js";
import { count, dayOf, momentOf, say } from "../lib/words.js";

export class Certification {
  /** `act` asks back, does and tells. */
  constructor(act) {
    this.act = act;
    this.capacity = [];
    element("at-once").addEventListener("change", () => this.setRule(element("at-once").checked));
    element("certify").elements.capacity_id.addEventListener("change", () => this.offerMost());
    element("certify").addEventListener("submit", (event) => {
      event.preventDefault();
      const { capacity_id, cards } = event.target.elements;
      const body = { capacity_id: capacity_id.value, cards: Number(cards.value) };
      this.act(say("certify_asked", { id: body.capacity_id, cards: count(body.cards) }), () => ask("POST", "/v1/operator/certificates", body),
        ({ certificate_id }) => say("certified_as", { id: certificate_id }));
    });
    element("revoke").addEventListener("submit", (event) => {
      event.preventDefault();
      const { certificate_id: { value: id }, reason } = event.target.elements;
      this.act(say("revoke_asked", { id }), () => ask("POST", `/v1/operator/certificates/${id}/revoke`, { reason: reason.value }), () => say("revoked_one", { id }));
    });
  }

  async setRule(atOnce) {
    await this.act(say(atOnce ? "at_once_asked" : "not_at_once_asked"), () => ask("POST", "/v1/operator/certification", { at_once: atOnce }), () => say("done"));
    element("at-once").checked = (await get("/v1/operator/capacity")).at_once; // whoever thought better of it sees what holds
  }

  /** Look again; `certificates` are everybody's. Returns how many posts wait for the operator. */
  async refresh(certificates) {
    const { at_once, capacity } = await get("/v1/operator/capacity");
    element("at-once").checked = at_once;
    this.capacity = capacity;
    const waiting = capacity.filter((one) => one.may_be_certified);
    fill("to-certify", ["id", "account", "site", "grade", "hub", "days", "cards", "attested_cards", "gflops", "memory_gb", "measured", "may_be_certified"],
      capacity.filter((one) => one.attested === null || one.may_be_certified).map((one) => [
        one.capacity_id, one.account, one.site ?? "", one.grade, one.hub, `${dayOf(one.first_day)} – ${dayOf(one.last_day)}`, count(one.cards),
        ...(one.attested ? [count(one.attested.cards), count(one.attested.gflops), count(one.attested.memory_gb), momentOf(one.attested.measured_at)] : [say("not_attested"), "", "", ""]),
        count(one.may_be_certified)]));
    const before = element("certify").elements.capacity_id.value;
    chooseAmong(element("certify").elements.capacity_id, waiting.map((one) => [one.capacity_id, `${one.capacity_id}: ${one.grade} ${one.hub}, ${count(one.may_be_certified)}`]));
    if (element("certify").elements.capacity_id.value !== before) this.offerMost();
    this.showIssued(certificates.filter((one) => one.revoked === null && one.days.length));
    return waiting.length;
  }

  offerMost() {
    const { capacity_id, cards } = element("certify").elements;
    const chosen = this.capacity.find((one) => one.capacity_id === capacity_id.value);
    cards.max = cards.value = chosen?.may_be_certified ?? "";
  }

  showIssued(valid) {
    chooseAmong(element("revoke").elements.certificate_id, valid.map((one) => [one.certificate_id, `${one.certificate_id}: ${one.grade} ${one.hub}`]));
    fill("issued", ["id", "account", "grade", "hub", "days", "cards", "use.delivering", "use.backed", "use.pledged", "use.free"], valid.map((one) => {
      const day = one.days[0];
      return [one.certificate_id, one.account, one.grade, one.hub, `${dayOf(day.day)} – ${dayOf(one.days.at(-1).day)}`,
        ...[day.cards, day.delivering, day.backed, day.pledged, day.free].map(count)];
    }));
  }
}
