// The WebSocket feed: it comes back by itself, goes on where it broke off, and tells its listeners.

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
const SILENCE_MS = 15_000; // the exchange sends a heartbeat every 5 s

export class Feed {
  /** `onState` is told "open" or "waiting". */
  constructor(onState = () => {}) {
    this.onState = onState;
    this.listeners = new Map();
    this.followed = new Map(); // channel → set of symbols
    this.seq = null;
    this.waitMs = FIRST_WAIT_MS;
    this.connect();
  }

  on(type, listener) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  follow(channels, symbols = []) {
    for (const channel of channels) {
      const known = this.followed.get(channel) ?? new Set();
      symbols.forEach((symbol) => known.add(symbol));
      this.followed.set(channel, known);
    }
    this.send({ op: "subscribe", channels, symbols });
  }

  leave(channels, symbols) {
    for (const channel of channels) symbols.forEach((symbol) => this.followed.get(channel)?.delete(symbol));
    this.send({ op: "unsubscribe", channels, symbols });
  }

  /** Open the account's own channel, now and whenever the connection comes back. */
  logOnBySession(csrfToken) {
    this.csrfToken = csrfToken;
    this.send({ op: "logon_session", csrf_token: csrfToken });
  }

  /** Ask anew for a book that turned out to be wrong. */
  again(channels, symbols) {
    this.leave(channels, symbols);
    this.follow(channels, symbols);
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  connect() {
    this.socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/feed`);
    this.socket.addEventListener("open", () => this.opened());
    this.socket.addEventListener("message", (event) => this.heard(JSON.parse(event.data)));
    this.socket.addEventListener("close", () => this.lost());
  }

  opened() {
    this.waitMs = FIRST_WAIT_MS;
    this.onState("open");
    this.listen();
    const after = this.seq === null ? {} : { after_seq: Math.max(0, this.seq - 1) };
    for (const [channel, symbols] of this.followed) {
      if (channel === "status" || symbols.size) this.send({ op: "subscribe", channels: [channel], symbols: [...symbols], ...after });
    }
    if (this.csrfToken) this.logOnBySession(this.csrfToken);
  }

  heard(message) {
    this.listen();
    if (message.seq !== undefined) this.seq = message.seq;
    this.tell(message.type, message);
  }

  tell(type, message) {
    for (const listener of this.listeners.get(type) ?? []) listener(message);
  }

  // a connection over which nothing comes any more is dead, whatever the browser thinks of it
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket.close(), SILENCE_MS);
  }

  lost() {
    clearTimeout(this.silence);
    this.onState("waiting");
    setTimeout(() => this.connect(), this.waitMs * (0.5 + Math.random()));
    this.waitMs = Math.min(2 * this.waitMs, LONGEST_WAIT_MS);
  }
}
