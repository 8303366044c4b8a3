// Candles, volume and the settlement line of one contract on a canvas, with a cross-hair.

import { ticksOf } from "../lib/book.js";
import { count, dayOf, minuteOf, price, say, timeOf } from "../lib/words.js";

const CANDLE_PX = 8;
const WIDEST_CANDLE_PX = 24; // what few candles have
const SCALE_PX = 56;
const TIMES_PX = 20;
const TIMES_EVERY_PX = 96;
const VOLUME_SHARE = 0.18;
const KEPT = 500;

export class Chart {
  constructor(canvas, readout) {
    this.canvas = canvas;
    this.readout = readout;
    this.pointer = null;
    this.clear();
    canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  clear() {
    this.candles = [];
    this.settlement = null;
  }

  /** Show what was (oldest first), and the settlement price in ticks. */
  begin(candles, settlement) {
    this.candles = candles.map(read).slice(-KEPT);
    this.settlement = settlement;
    this.draw();
  }

  /** Take in the latest candle as it is now. */
  update(message) {
    const candle = read(message);
    const last = this.candles.at(-1);
    if (last && last.start > candle.start) return;
    if (last?.start === candle.start) this.candles.pop();
    this.candles.push(candle);
    if (this.candles.length > KEPT) this.candles.shift();
  }

  point(x) {
    this.pointer = x;
    this.draw();
  }

  draw() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width || !height) return;
    const scale = devicePixelRatio;
    if (this.canvas.width !== width * scale) this.canvas.width = width * scale;
    if (this.canvas.height !== height * scale) this.canvas.height = height * scale;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    pen.font = `11px ${style.fontFamily}`;
    const colours = { up: style.getPropertyValue("--up"), down: style.getPropertyValue("--down"), line: style.getPropertyValue("--line"),
      quiet: style.getPropertyValue("--quiet"), mark: style.getPropertyValue("--mark") };
    const shown = this.candles.slice(-Math.max(1, Math.floor((width - SCALE_PX) / CANDLE_PX)));
    const step = Math.min(WIDEST_CANDLE_PX, Math.max(CANDLE_PX, (width - SCALE_PX) / Math.max(1, shown.length)));
    const plot = { pen, colours, shown, step, width: width - SCALE_PX, height: height - TIMES_PX };
    this.drawScale(plot);
    if (!shown.length) {
      pen.fillStyle = colours.quiet;
      pen.textAlign = "center";
      pen.fillText(say("no_trades"), plot.width / 2, plot.height / 2);
    }
    shown.forEach((candle, index) => this.drawCandle(plot, candle, index));
    this.drawSettlement(plot);
    this.read(plot);
  }

  // prices from low to high, a little room above and below; volume has the lowest part
  drawScale(plot) {
    const prices = plot.shown.flatMap((candle) => [candle.low, candle.high]);
    if (this.settlement !== null) prices.push(this.settlement);
    const [low, high] = prices.length ? [Math.min(...prices), Math.max(...prices)] : [0, 1];
    const room = Math.max(3, (high - low) * 0.08);
    const bottom = plot.height * (1 - VOLUME_SHARE);
    plot.y = (ticks) => bottom - ((ticks - low + room) / (high - low + 2 * room)) * bottom;
    plot.mostLots = Math.max(1, ...plot.shown.map((candle) => candle.lots));
    const { pen, colours } = plot;
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.quiet;
    pen.textAlign = "left";
    const step = niceStep((high - low + 2 * room) / 5);
    for (let ticks = Math.ceil((low - room) / step) * step; prices.length && ticks <= high + room; ticks += step) {
      line(pen, 0, plot.y(ticks), plot.width, plot.y(ticks));
      pen.fillText(price(ticks), plot.width + 6, plot.y(ticks) + 4);
    }
  }

  drawCandle({ pen, colours, y, mostLots, height, shown, step }, candle, index) {
    const x = (index + 0.5) * step;
    const wide = step * 0.62;
    const rose = candle.close >= candle.open;
    pen.strokeStyle = pen.fillStyle = rose ? colours.up : colours.down;
    line(pen, x, y(candle.high), x, y(candle.low));
    const [top, bottom] = [y(Math.max(candle.open, candle.close)), y(Math.min(candle.open, candle.close))];
    pen.fillRect(x - wide / 2, top, wide, Math.max(1, bottom - top));
    pen.globalAlpha = 0.35;
    const tall = (candle.lots / mostLots) * height * VOLUME_SHARE * 0.9;
    pen.fillRect(x - wide / 2, height - tall, wide, tall);
    pen.globalAlpha = 1;
    const before = shown[index - 1];
    if (index % Math.ceil(TIMES_EVERY_PX / step) === 0) {
      pen.fillStyle = colours.quiet;
      pen.textAlign = index ? "center" : "left";
      const newDay = !before || dayOf(before.start) !== dayOf(candle.start);
      pen.fillText(newDay ? dayOf(candle.start) : minuteOf(candle.start), index ? x : 0, height + 14);
    }
  }

  drawSettlement({ pen, colours, y, width }) {
    if (this.settlement === null) return;
    pen.strokeStyle = pen.fillStyle = colours.mark;
    pen.setLineDash([5, 4]);
    line(pen, 0, y(this.settlement), width, y(this.settlement));
    pen.setLineDash([]);
    pen.textAlign = "left";
    pen.fillText(say("settlement_line", { price: price(this.settlement) }), 6, y(this.settlement) - 5);
  }

  // what the cross-hair points at, else the latest candle; the canvas says it to whoever can't see it
  read({ pen, colours, shown, height, step }) {
    const at = this.pointer === null ? shown.length - 1 : Math.min(shown.length - 1, Math.floor(this.pointer / step));
    const candle = shown[at];
    if (this.pointer !== null && candle) {
      pen.strokeStyle = colours.quiet;
      line(pen, (at + 0.5) * step, 0, (at + 0.5) * step, height);
    }
    const text = candle
      ? say("candle", { time: `${dayOf(candle.start)} ${timeOf(candle.start)}`, open: price(candle.open), high: price(candle.high),
          low: price(candle.low), close: price(candle.close), lots: count(candle.lots) })
      : "";
    this.readout.textContent = text;
    this.canvas.setAttribute("aria-label", text || say("no_trades"));
  }
}

function read(message) {
  return { start: message.start, open: ticksOf(message.open), high: ticksOf(message.high), low: ticksOf(message.low),
    close: ticksOf(message.close), lots: message.volume_lots };
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= least) * power);
}
