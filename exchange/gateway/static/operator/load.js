// The gateways' load from the figures that the server gives Prometheus, as rates between two looks.

import { element } from "../lib/dom.js";
import { fact } from "../lib/tables.js";
import { count, say } from "../lib/words.js";

const GATEWAYS = ["http", "websocket", "binary"];

/** Read Prometheus' text form: a list of name, labels and value. */
export function readMetrics(text) {
  return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
    const [, name, labels = "", value] = line.match(/^(\w+)(?:\{(.*)\})? (\S+)/);
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, one]) => [key, one]);
    return { name, labels: Object.fromEntries(pairs), value: Number(value.replace("Inf", "Infinity")) };
  });
}

export class Load {
  constructor() {
    this.before = null;
  }

  /** Look again; whoever may not see the figures sees that. */
  async refresh() {
    const response = await fetch("/metrics");
    if (!response.ok) return element("load").replaceChildren(say("load_unseen"));
    this.show({ at: performance.now(), metrics: readMetrics(await response.text()) });
  }

  show(now) {
    const sum = (look, name, labels = {}) => look.metrics
      .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
      .reduce((total, one) => total + one.value, 0);
    const seconds = this.before ? (now.at - this.before.at) / 1000 : 0;
    const rate = (name, labels) => (seconds ? (sum(now, name, labels) - sum(this.before, name, labels)) / seconds : 0);
    element("load").replaceChildren(
      ...GATEWAYS.map((gateway) => fact(`load.${gateway}`, say("per_second", { count: count(rate("dongxi_request_seconds_count", { gateway })) }))),
      fact("load.commands", say("per_second", { count: count(rate("dongxi_commands_total")) })),
      fact("load.refused", say("per_second", { count: count(rate("dongxi_refused_requests_total")) })),
      fact("load.waiting", count(sum(now, "dongxi_queue_commands"))),
      fact("load.readers", count(sum(now, "dongxi_websocket_readers"))),
      fact("load.behind", count(sum(now, "dongxi_seq") - sum(now, "dongxi_history_seq"))),
      fact("load.acknowledging", say(sum(now, "dongxi_acknowledging") ? "yes" : "no")),
    );
    this.before = now;
  }
}
