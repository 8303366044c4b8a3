// The market's screen: the grid of one grade, and of the chosen contract the ladder, chart, trades and ticket.
// Messages only change what is known; each part is drawn at most once a frame.

import { getAll, get, Refused } from "../lib/api.js";
import { Book, ticksOf } from "../lib/book.js";
import { conflated, element, node, setText } from "../lib/dom.js";
import { liveFeed, mountShell } from "../lib/shell.js";
import { count, language, momentOf, price, say, sayCode, shortName, timeOf } from "../lib/words.js";
import { Chart } from "./chart.js";
import { drawCurve } from "./curve.js";
import { Desk } from "./desk.js";
import { Grid, partOf, periodName, settled, standing } from "./grid.js";
import { Ladder, ownLots } from "./ladder.js";
import { Ticket } from "./ticket.js";

const TRADES_SHOWN = 25;
const CURVE_MS = 500;
const OF_CHOSEN = ["l2", "trades"];

class Market {
  constructor(opened, hubs, grades) {
    this.hubs = new Map(hubs.map((hub) => [hub.code, shortName(hub)]));
    this.grades = grades;
    this.contracts = new Map();
    this.tops = new Map();
    this.stale = new Set();
    this.trades = [];
    this.book = new Book();
    this.grade = "";
    this.part = "base";
    this.symbol = "";
    this.interval = "5m";
    const desired = (symbol) => this.choose(symbol);
    this.grid = new Grid(element("grid"), hubs, desired);
    this.ladder = new Ladder(element("ladder"), (side, at) => this.ticket.take(side, at));
    this.chart = new Chart(element("chart"), element("readout"));
    this.desk = new Desk(opened, {
      changed: () => this.drawLadder(),
      chosen: desired,
      standingOf: (symbol) => this.standingOf(symbol),
      valueOf: (symbol) => this.standingOf(symbol) * (this.contracts.get(symbol)?.hours ?? 0),
    });
    this.ticket = new Ticket(opened, () => this.desk.refresh());
    this.drawGrid = conflated(() => this.showTops());
    this.drawLadder = conflated(() => this.ladder.show(this.book, ownLots(this.desk.orders, this.symbol)));
    this.drawTrades = conflated(() => this.showTrades());
    this.drawChart = conflated(() => this.chart.draw());
    this.drawCurve = conflated(() => this.showCurve(), CURVE_MS);
    this.listen(opened);
  }

  standingOf(symbol) {
    const contract = this.contracts.get(symbol);
    return contract ? standing(contract, this.tops.get(symbol)) : 0;
  }

  listen(opened) {
    this.feed = liveFeed(opened);
    this.feed.on("l1", (message) => this.heardTop(message));
    this.feed.on("l2", (message) => this.heardBook(message));
    this.feed.on("l2_delta", (message) => this.heardBook(message));
    this.feed.on("trade", (message) => this.heardTrade(message));
    this.feed.on("candle", (message) => this.heardCandle(message));
    this.feed.on("status", (message) => this.heardStatus(message));
    this.feed.on("heartbeat", (message) => this.showTime(message.market_time));
    this.feed.on("account", () => this.desk.refresh()); // the first comes with the welcome
    this.feed.follow(["status"]);
  }

  heardTop(message) {
    this.tops.set(message.symbol, message);
    this.stale.add(message.symbol);
    this.drawGrid();
    this.drawCurve();
  }

  heardBook(message) {
    if (message.symbol !== this.symbol) return;
    if (!this.book.apply(message)) {
      this.book = new Book();
      this.feed.again(["l2"], [this.symbol]);
    }
    this.drawLadder();
  }

  heardTrade(message) {
    if (message.symbol !== this.symbol || this.trades.some((one) => one.trade_id === message.trade_id)) return;
    this.trades.unshift(message);
    this.trades.length = Math.min(this.trades.length, TRADES_SHOWN);
    this.drawTrades();
  }

  heardCandle(message) {
    if (message.symbol !== this.symbol || message.interval !== this.interval) return;
    this.chart.update(message);
    this.drawChart();
  }

  async heardStatus(message) {
    setText(element("phase"), sayCode("phase", message.phase));
    element("phase").dataset.phase = message.phase;
    this.showTime(message.market_time);
    await this.loadContracts();
  }

  showTime(text) {
    setText(element("market-time"), momentOf(text));
  }

  async loadContracts() {
    const found = await getAll("/v1/contracts?active=true", "contracts");
    this.contracts = new Map(found.map((one) => [one.symbol, one]));
    element("none").hidden = found.length > 0;
    if (!found.length) return;
    const listed = new Set(found.map((one) => one.grade));
    const select = element("grade");
    select.replaceChildren(...this.grades.filter((one) => listed.has(one.code)).map((one) =>
      node("option", { value: one.code, text: language === "zh" ? one.name_zh : one.name_en })));
    const parts = new Set(found.map(partOf));
    for (const option of element("delivers").options) option.disabled = !parts.has(option.value);
    const wanted = this.contracts.get(this.symbol) ?? this.contracts.get(location.hash.slice(1)) ?? found[0];
    this.chooseGrade(wanted.grade, partOf(wanted));
    if (wanted.symbol !== this.symbol) await this.choose(wanted.symbol);
    else this.showContract();
  }

  ofGrade() {
    return [...this.contracts.values()].filter((one) => one.grade === this.grade && partOf(one) === this.part);
  }

  chooseGrade(grade, part) {
    const before = [...this.grid.cells.keys()];
    this.grade = element("grade").value = grade;
    this.part = element("delivers").value = part;
    const now = this.ofGrade().map((one) => one.symbol);
    const [gone, come] = [before.filter((one) => !now.includes(one)), now.filter((one) => !before.includes(one))];
    if (gone.length) this.feed.leave(["l1"], gone);
    if (come.length) this.feed.follow(["l1"], come);
    this.grid.build(this.ofGrade(), this.symbol);
    now.forEach((one) => this.stale.add(one));
    this.drawGrid();
    this.drawCurve();
  }

  // what was selected just now wins where there is no contract of both
  chooseFirst(select) {
    const [all, grade, part] = [[...this.contracts.values()], element("grade").value, element("delivers").value];
    const first = all.find((one) => one.grade === grade && partOf(one) === part)
      ?? all.find((one) => (select === "grade" ? one.grade === grade : partOf(one) === part));
    this.chooseGrade(first.grade, partOf(first));
    this.choose(first.symbol);
  }

  async choose(symbol) {
    const contract = this.contracts.get(symbol);
    if (!contract) return;
    if (contract.grade !== this.grade || partOf(contract) !== this.part) this.chooseGrade(contract.grade, partOf(contract));
    if (this.symbol) this.feed.leave([...OF_CHOSEN, `candles_${this.interval}`], [this.symbol]);
    this.symbol = symbol;
    history.replaceState(null, "", `#${symbol}`);
    this.book = new Book();
    this.trades = [];
    this.chart.clear();
    this.ladder.clear();
    this.grid.mark(symbol);
    this.ticket.choose(contract);
    this.showContract();
    this.feed.follow(OF_CHOSEN, [symbol]);
    this.drawLadder();
    this.drawCurve();
    const [{ trades }] = await Promise.all([get(`/v1/trades/${symbol}?limit=${TRADES_SHOWN}`), this.loadCandles()]);
    if (symbol !== this.symbol) return;
    const known = new Set(this.trades.map((one) => one.trade_id));
    this.trades = [...this.trades, ...trades.filter((one) => !known.has(one.trade_id))].slice(0, TRADES_SHOWN);
    this.drawTrades();
  }

  async chooseInterval(interval) {
    this.feed.leave([`candles_${this.interval}`], [this.symbol]);
    this.interval = interval;
    await this.loadCandles();
  }

  // the history follows the market by a moment; the feed's candle is the latest as it is now
  async loadCandles() {
    const [symbol, interval] = [this.symbol, this.interval];
    let candles = [];
    try {
      candles = (await get(`/v1/history/candles/${symbol}?interval=${interval}&limit=300`)).candles;
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the history may be busy or being built: begin with what comes
    }
    if (symbol !== this.symbol || interval !== this.interval) return;
    this.chart.begin([...candles].reverse(), settled(this.contracts.get(symbol)));
    this.feed.follow([`candles_${interval}`], [symbol]);
  }

  showContract() {
    const contract = this.contracts.get(this.symbol);
    setText(element("symbol"), contract.symbol);
    setText(element("about"), say("about", {
      hub: this.hubs.get(contract.hub), period: periodName(contract), hours: count(contract.hours), cards: contract.cards_per_lot,
      last_day: contract.last_trading_day, settlement: contract.settlement_price ?? contract.reference_price,
    }));
    element("terms").href = `/contracts/${contract.symbol}`;
    element("halted").hidden = !contract.halted;
  }

  showTops() {
    for (const symbol of this.stale) {
      const contract = this.contracts.get(symbol);
      if (contract) this.grid.show(contract, this.tops.get(symbol));
    }
    this.stale.clear();
  }

  showTrades() {
    const rows = this.trades.map((one) => node("tr", { className: one.aggressor },
      node("td", { text: timeOf(one.time) }), node("td", { text: price(ticksOf(one.price)) }), node("td", { text: count(one.quantity) })));
    element("trades").tBodies[0].replaceChildren(...rows);
  }

  showCurve() {
    const hub = this.contracts.get(this.symbol)?.hub;
    drawCurve(element("curve"), this.ofGrade(), this.tops, hub, (one) => this.hubs.get(one));
    setText(element("curve-hub"), this.hubs.get(hub) ?? "");
  }
}

const opened = await mountShell();
const [{ hubs }, { grades }] = await Promise.all([get("/v1/hubs"), get("/v1/grades")]);
const market = new Market(opened, hubs, grades);
for (const select of ["grade", "delivers"]) element(select).addEventListener("change", () => market.chooseFirst(select));
element("interval").addEventListener("change", (event) => market.chooseInterval(event.target.value));
addEventListener("hashchange", () => market.choose(location.hash.slice(1)));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const side = { b: "buy", s: "sell" }[event.key];
  if (!side || !market.ticket.may) return;
  event.preventDefault();
  market.ticket.take(side, element("ticket").elements.price.value);
});
