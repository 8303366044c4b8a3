// Words, numbers and times in the reader's language. A page asks `say(key)`; the keys are in english.js and chinese.js.

import { english } from "./english.js";
import { chinese } from "./chinese.js";

const LANGUAGES = { en: english, zh: chinese };
const MARKET_ZONE = "Asia/Shanghai";
const remembered = localStorage.getItem("language");

export const language = remembered in LANGUAGES ? remembered : navigator.language.startsWith("zh") ? "zh" : "en";
const locale = language === "zh" ? "zh-CN" : "en-GB";
const words = LANGUAGES[language];

/** Return the text of a key; `{name}` in it is filled from `values`. */
export function say(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`no word for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Return a code's word, such as a phase's; one without a word is shown as it is. */
export const sayCode = (group, code) => words[`${group}.${code}`] ?? code;

/** Fill what is marked by `data-say`, `data-say-label` (aria-label) and `data-say-hint` (placeholder). */
export function translate(root = document) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const one of root.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of root.querySelectorAll("[data-say-label]")) one.setAttribute("aria-label", say(one.dataset.sayLabel));
  for (const one of root.querySelectorAll("[data-say-hint]")) one.placeholder = say(one.dataset.sayHint);
}

export function switchLanguage() {
  localStorage.setItem("language", language === "zh" ? "en" : "zh");
  location.reload();
}

const DAY_MS = 86_400_000;

/** The day that lies `days` after another (both YYYY-MM-DD). */
export const dayAfter = (text, days) => new Date(Date.parse(`${text}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** A hub's name without what stands in brackets. */
export const shortName = (hub) => (language === "zh" ? hub.name_zh : hub.name_en).split(/ ?[（(]/)[0];

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const money = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const large = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 4 });
const shares = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(locale, { timeZone: MARKET_ZONE, timeStyle: "medium" });
const minute = new Intl.DateTimeFormat(locale, { timeZone: MARKET_ZONE, timeStyle: "short" });
const moment = new Intl.DateTimeFormat(locale, { timeZone: MARKET_ZONE, dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(locale, { timeZone: MARKET_ZONE, day: "numeric", month: "short" });

export const count = (number) => whole.format(number);
export const percent = (share) => shares.format(share);
export const price = (ticks) => (ticks / 100).toFixed(2);
/** Fen as yuan to the fen. */
export const yuan = (fen) => say("money", { amount: money.format(fen / 100) });
/** Fen as yuan, rounded to four digits. */
export const yuanRoughly = (fen) => say("money", { amount: large.format(fen / 100) });
/** A time of the exchange (RFC 3339) as the market's clock shows it. */
export const timeOf = (text) => clock.format(new Date(text));
export const minuteOf = (text) => minute.format(new Date(text));
export const momentOf = (text) => moment.format(new Date(text));
export const dayOf = (text) => day.format(new Date(text.length === 10 ? `${text}T12:00:00+08:00` : text));
