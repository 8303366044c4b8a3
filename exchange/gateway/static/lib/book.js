// A contract's book by snapshot and deltas, checked against the exchange's checksum (docs/protocol.md).

const CHECKED_ROWS = 10;
const ROW_BYTES = 12;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Price text, such as "11.90", in ticks of 0.01. */
export const ticksOf = (price) => Math.round(Number(price) * 100);

export class Book {
  constructor() {
    this.seq = -1;
    this.bids = new Map();
    this.asks = new Map();
  }

  /** Take in an `l2` or `l2_delta`; false if the book is wrong now and must be asked for anew. */
  apply(message) {
    if (message.type === "l2") {
      this.bids.clear();
      this.asks.clear();
    } else if (message.seq <= this.seq) {
      return true;
    }
    for (const [side, rows] of [[this.bids, message.bids], [this.asks, message.asks]]) {
      for (const [price, quantity, orders] of rows) {
        if (quantity) side.set(ticksOf(price), { quantity, orders });
        else side.delete(ticksOf(price));
      }
    }
    this.seq = message.seq;
    return this.checksum() === message.checksum;
  }

  /** The best `count` rows of a side: price in ticks, quantity in lots, orders. */
  best(side, count) {
    const prices = [...(side === "buy" ? this.bids : this.asks).keys()];
    prices.sort(side === "buy" ? (a, b) => b - a : (a, b) => a - b);
    const levels = side === "buy" ? this.bids : this.asks;
    return prices.slice(0, count).map((price) => ({ price, ...levels.get(price) }));
  }

  checksum() {
    const bytes = new DataView(new ArrayBuffer(2 * CHECKED_ROWS * ROW_BYTES));
    ["buy", "sell"].forEach((side, block) => this.best(side, CHECKED_ROWS).forEach((row, index) => {
      const at = (block * CHECKED_ROWS + index) * ROW_BYTES;
      bytes.setUint32(at, row.price, true);
      bytes.setUint32(at + 4, row.quantity, true);
      bytes.setUint32(at + 8, row.orders, true);
    }));
    return crc32(new Uint8Array(bytes.buffer));
  }
}
