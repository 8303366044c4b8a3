"use strict";
// The market at a glance: status, and per hub and grade the top of the book of one delivery period.

const REFRESH_MS = 2000;
const PAGE = 1000;
const element = (id) => document.getElementById(id);
let chosen = "";

function node(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function allContracts() {
  const found = [];
  let cursor = "";
  do {
    const page = await get(`/v1/contracts?active=true&limit=${PAGE}${cursor && "&cursor=" + cursor}`);
    found.push(...page.contracts);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

function yuan(fen) {
  return (fen / 100).toLocaleString("en", { minimumFractionDigits: 2 }) + " CNY";
}

function showFacts(status) {
  const facts = {
    "market time (Asia/Shanghai)": status.market_time.slice(0, 19).replace("T", " "),
    "trading day": status.trading_day,
    phase: status.phase,
    "clock": status.clock_speed ? `×${Math.round(status.clock_speed).toLocaleString("en")}` : "held",
    contracts: status.contracts_active.toLocaleString("en"),
    members: status.members,
    "cash of all accounts": yuan(status.cash_total_fen),
    "commands so far": status.as_of_seq.toLocaleString("en"),
  };
  element("facts").replaceChildren(...Object.entries(facts).map(([name, value]) => {
    const box = node("div");
    box.append(node("span", name), node("b", value));
    return box;
  }));
}

function periodOf(contract) {
  return contract.symbol.split(".").pop();
}

function showPeriods(contracts) {
  const periods = [...new Map(contracts.map((c) => [periodOf(c), c])).values()];
  periods.sort((a, b) => a.delivery_start.localeCompare(b.delivery_start) || a.hours - b.hours);
  const select = element("period");
  if ([...select.options].map((o) => o.value).join() === periods.map(periodOf).join()) return;
  select.replaceChildren(...periods.map((c) => {
    const option = node("option", `${c.kind} from ${c.delivery_start.slice(0, 10)} (${periodOf(c)})`);
    option.value = periodOf(c);
    return option;
  }));
  if (!periods.some((c) => periodOf(c) === chosen)) chosen = periods.length ? periodOf(periods[0]) : "";
  select.value = chosen;
}

function cell(contract) {
  if (!contract) return node("td", "");
  const made = node("td", contract.bid || contract.ask ? `${contract.bid ?? "–"} – ${contract.ask ?? "–"}` : "–");
  const below = contract.last_price ?? contract.settlement_price ?? contract.reference_price;
  const move = Number(below) - Number(contract.reference_price);
  if (contract.last_price && move) made.className = move > 0 ? "rose" : "fell";
  made.append(node("small", below));
  made.title = `${contract.symbol}, limits ${contract.price_low} to ${contract.price_high}`;
  return made;
}

function showPrices(contracts) {
  const shown = contracts.filter((c) => periodOf(c) === chosen);
  const grades = [...new Set(shown.map((c) => c.grade))];
  const hubs = [...new Set(shown.map((c) => c.hub))];
  const at = new Map(shown.map((c) => [`${c.hub}.${c.grade}`, c]));
  const head = node("tr");
  head.append(node("th", "hub"), ...grades.map((grade) => node("th", grade)));
  const rows = hubs.map((hub) => {
    const row = node("tr");
    row.append(node("td", hub), ...grades.map((grade) => cell(at.get(`${hub}.${grade}`))));
    return row;
  });
  element("prices").replaceChildren(head, ...rows);
}

async function refresh() {
  try {
    const [status, contracts] = await Promise.all([get("/v1/status"), allContracts()]);
    showFacts(status);
    showPeriods(contracts);
    showPrices(contracts);
    element("note").textContent = contracts.length ? "" : "No contract is listed yet.";
  } catch (error) {
    element("note").textContent = `The exchange doesn't answer (${error.message}); trying again.`;
  }
  setTimeout(refresh, REFRESH_MS);
}

element("period").addEventListener("change", (event) => { chosen = event.target.value; });
refresh();
