"use strict";
// Draws the report's charts from the facts in the page; drawn anew when the reader switches light and dark.

const facts = JSON.parse(document.getElementById("facts").textContent);
const CLASS_COLOURS = ["#4c8bb5", "#c77f4a", "#5a9e6f", "#a870b8", "#b5a642", "#c25b6e", "#5fb3a8", "#8a8f98",
  "#7d6fc0", "#9c7a54", "#6f9fd8", "#a3b85c"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
const money = (cny) => (cny < 0 ? "−" : "") + "¥" + Math.abs(cny).toLocaleString("en", { maximumFractionDigits: 2 });
const short = (cny) => (cny < 0 ? "−" : "") + "¥" + Math.abs(cny).toLocaleString("en",
  { notation: "compact", maximumSignificantDigits: 4 });
const count = (n) => n.toLocaleString("en", { maximumFractionDigits: 1 });
// plotly reads a little HTML in labels; names come from users' files
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function layout(more) {
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
  const made = Object.assign({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 10, r: 10, t: 10, b: 10 },
    font: { family: "system-ui, sans-serif", size: 12.5, color: colour("text") },
    hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("line"), font: { color: colour("text") } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
  }, more);
  for (const name of Object.keys(made)) {
    if (/^[xy]axis\d?$/.test(name)) made[name] = Object.assign({}, axis, made[name]);
  }
  return made;
}

const OPTIONS = { displayModeBar: false, responsive: true };

function drawMap() {
  const map = facts.map;
  const at = {};
  for (const city of map.cities) at[city.name] = city;
  for (const site of map.sites) at[site.code] = site;
  const heaviest = Math.max(1e-9, ...map.flows.map((flow) => flow.card_hours));
  const ink = colour("quiet");
  const lines = map.flows.map((flow) => ({
    type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false,
    x: [at[flow.from].lon, at[flow.to].lon], y: [at[flow.from].lat, at[flow.to].lat],
    line: { width: 0.6 + 6 * flow.card_hours / heaviest, color: faded(ink, 0.35) },
  }));
  const largest = Math.max(1e-9, ...map.sites.map((site) => site.card_hours));
  const regions = ["east", "central", "west"].filter((name) => map.sites.some((site) => site.region === name));
  const sites = regions.map((region) => {
    const chosen = map.sites.filter((site) => site.region === region);
    return {
      type: "scatter", mode: "markers", name: region, x: chosen.map((s) => s.lon), y: chosen.map((s) => s.lat),
      text: chosen.map((s) => `<b>${plain(s.code)}</b><br>${count(s.card_hours)} card-hours`), hoverinfo: "text",
      marker: {
        size: chosen.map((s) => s.card_hours ? 7 + 33 * Math.sqrt(s.card_hours / largest) : 6),
        color: chosen.map((s) => s.card_hours ? faded(colour(region), 0.85) : "rgba(0,0,0,0)"),
        line: { width: 1.5, color: colour(region) }, symbol: chosen.map((s) => s.edge ? "circle" : "diamond"),
      },
    };
  });
  const labelled = labels(map.sites.filter((site) => site.card_hours > 0));
  Plotly.react("map", [...lines, ...sites], layout({
    height: 520, annotations: labelled, hovermode: "closest",
    xaxis: { visible: false }, yaxis: { visible: false, scaleanchor: "x", scaleratio: 1.2 },
    legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 },
  }), OPTIONS);
}

// Names go where no other name is: the heaviest site first, else no name (the pointer still shows it).
function labels(sites) {
  const taken = [];
  const found = [];
  for (const site of [...sites].sort((a, b) => b.card_hours - a.card_hours)) {
    const name = site.code.replace("-EDGE", "");
    const half = 0.19 * name.length;
    for (const [dx, dy, anchor] of [[0.7, 0, "left"], [-0.7, 0, "right"], [0, 0.9, "center"], [0, -0.9, "center"]]) {
      const middle = site.lon + dx + (anchor === "left" ? half : anchor === "right" ? -half : 0);
      const box = { left: middle - half, right: middle + half, low: site.lat + dy - 0.42, high: site.lat + dy + 0.42 };
      if (taken.some((o) => box.left < o.right && o.left < box.right && box.low < o.high && o.low < box.high)) continue;
      taken.push(box);
      found.push({ x: site.lon + dx, y: site.lat + dy, text: plain(name), showarrow: false, xanchor: anchor,
        font: { size: 11, color: colour("text") } });
      break;
    }
  }
  return found;
}

function drawBridge() {
  const steps = facts.bridge.steps;
  const note = facts.bridge.without_east
    ? ` ${count(facts.bridge.without_east)} placed workloads have no eastern site that could take them and stand at their own site in both ends.` : "";
  document.getElementById("bridge-note").textContent =
    "The same work, first at its own city's pool or the nearest eastern hub at list prices, then as planned. The axis does not start at zero." + note;
  // the ends tower over the changes, so the axis starts a little below the lowest level
  const levels = [];
  let level = 0;
  for (const step of steps) {
    level = step.kind === "total" ? step.cny : level + step.cny;
    levels.push(level);
  }
  const low = Math.min(...levels), high = Math.max(...levels);
  const room = Math.max(high - low, 0.02 * high);
  Plotly.react("bridge", [{
    type: "waterfall", orientation: "v", x: steps.map((s) => wrapped(s.label)), y: steps.map((s) => s.cny),
    measure: steps.map((s) => s.kind === "total" ? "absolute" : "relative"),
    text: steps.map((s) => short(s.cny)), textposition: "outside", cliponaxis: false, constraintext: "none",
    hovertext: steps.map((s) => `${plain(s.label)}<br>${money(s.cny)}`), hoverinfo: "text",
    connector: { line: { color: colour("line") } },
    increasing: { marker: { color: colour("rose") } }, decreasing: { marker: { color: colour("fell") } },
    totals: { marker: { color: colour("west") } },
  }], layout({
    height: 380, margin: { l: 10, r: 10, t: 30, b: 10 }, showlegend: false,
    yaxis: { tickprefix: "¥", range: [Math.max(0, low - 0.6 * room), high + 0.25 * room] },
    xaxis: { tickangle: 0 },
  }), OPTIONS);
}

function wrapped(label) {
  const lines = [""];
  for (const word of plain(label).split(" ")) {
    if ((lines[lines.length - 1] + " " + word).length > 16) lines.push(word);
    else lines[lines.length - 1] += " " + word;
  }
  return lines.map((line) => line.trim()).filter((line) => line).join("<br>");
}

function drawGantt() {
  const gantt = facts.gantt;
  const HOUR_MS = 3600e3;
  const lanes = gantt.sites.reduce((sum, site) => sum + site.lanes.length + 1, 0);
  const LANE = lanes > 60 ? 8 : 15;
  const classes = [...new Set(gantt.sites.flatMap((s) => s.lanes.flat().map((bar) => bar.class)))].sort();
  const traces = classes.map((name, at) => ({
    type: "bar", orientation: "h", name: name || "work", base: [], x: [], y: [], text: [], hoverinfo: "text",
    textposition: "none", width: 0.82, marker: { color: CLASS_COLOURS[at % CLASS_COLOURS.length] },
  }));
  const ticks = [], names = [], rules = [];
  let row = 0;
  for (const site of gantt.sites) {
    ticks.push(row + (site.lanes.length - 1) / 2);
    names.push(plain(site.site));
    for (const lane of site.lanes) {
      for (const bar of lane) {
        const trace = traces[classes.indexOf(bar.class)];
        trace.base.push(bar.from);
        trace.x.push(bar.hours * HOUR_MS);
        trace.y.push(row);
        const cards = Object.entries(bar.cards).map(([grade, n]) => `${count(n)} ${grade}`).join(", ");
        trace.text.push(`<b>${plain(site.site)}</b> ${plain(bar.class)}<br>${bar.from}, ${bar.hours} h<br>` +
          `${count(bar.count)} workloads: ${cards}<br>${plain(bar.ids)}`);
      }
      row += 1;
    }
    rules.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: row, y1: row, line: { color: colour("line"), width: 1 } });
    row += 1;
  }
  Plotly.react("gantt", traces, layout({
    height: Math.max(220, 90 + LANE * row), barmode: "overlay", hovermode: "closest", shapes: rules,
    xaxis: { type: "date", side: "top", showgrid: true, tickformat: "%H:%M\n%b %e" },
    yaxis: { tickvals: ticks, ticktext: names, range: [row, -1], showgrid: false, zeroline: false, fixedrange: true },
    legend: { orientation: "h", y: 0, yanchor: "top", x: 0 }, showlegend: classes.length <= CLASS_COLOURS.length,
  }), OPTIONS);
}

function fill(select, values) {
  const before = select.value;
  select.replaceChildren(...values.map((value) => new Option(value, value)));
  if (values.includes(before)) select.value = before;
}

function drawCurves() {
  const rows = facts.curves.rows;
  const hub = document.getElementById("hub"), grade = document.getElementById("grade");
  fill(hub, [...new Set(rows.map((row) => row.site))]);
  fill(grade, rows.filter((row) => row.site === hub.value).map((row) => row.grade));
  const row = rows.find((each) => each.site === hub.value && each.grade === grade.value);
  if (!row) return;
  const times = facts.curves.times;
  // a value holds for its whole hour: the last one is drawn to the end
  const held = (values) => [...values, values[values.length - 1]];
  const step = (name, values, more) => Object.assign({
    type: "scatter", mode: "lines", name, x: times, y: held(values), hovertemplate: "%{y}",
    line: { shape: "hv", width: 2 },
  }, more);
  const traces = [
    step("in use", row.used, { fill: "tozeroy", line: { shape: "hv", width: 1, color: colour("west") }, fillcolor: faded(colour("west"), 0.35) }),
    step("reserved", row.reserved, { line: { shape: "hv", width: 2, color: colour("fell"), dash: "dot" } }),
    step("capacity", row.capacity, { line: { shape: "hv", width: 2, color: colour("quiet") } }),
    step("next card, ¥/h", row.next_price, { yaxis: "y2", line: { shape: "hv", width: 2, color: colour("price") } }),
    step("electricity, ¥/h", row.power, { yaxis: "y2", line: { shape: "hv", width: 1.5, color: colour("east") } }),
  ];
  if (row.shadow) {
    traces.push(step("worth of one more, ¥/h", row.shadow, { yaxis: "y2", line: { shape: "hv", width: 2, color: colour("rose"), dash: "dash" } }));
  }
  Plotly.react("curves", traces, layout({
    height: 420, hovermode: "x unified", xaxis: { type: "date", anchor: "y2", tickformat: "%H:%M\n%b %e" },
    yaxis: { title: { text: "cards" }, domain: [0.46, 1], rangemode: "tozero" },
    yaxis2: { title: { text: "¥ per card-hour" }, domain: [0, 0.38], rangemode: "tozero" },
  }), OPTIONS);
}

function draw() {
  drawMap();
  drawBridge();
  drawGantt();
  drawCurves();
}

draw();
document.getElementById("hub").addEventListener("change", drawCurves);
document.getElementById("grade").addEventListener("change", drawCurves);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
