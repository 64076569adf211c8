// The page of Wherefore: asks the JSON interface of its own host and draws what it says.
"use strict";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const VIEWS = ["now", "history", "why", "alerts"];
const BY = {
  now: ["pair", "src", "dst", "peer-prefix", "flow", "interface"],
  history: ["process", "unit", "container", "pod", "user", "peer", "name", "country", "asn", "pair", "port", "interface"],
};
const REFRESH_MS = { now: 2000, history: 15000, why: 15000, alerts: 5000 };

let view = "now";
let isPaused = false;
let timer = 0;
let asked = 0;
const rates = [];
const chosen = { now: "pair", history: "peer" };

function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (number >= 999.95 && unit + 1 < units.length) {
    number /= 1000;
    unit += 1;
  }
  return `${number.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

// Text is never taken for markup: everything goes through textContent.
function element(name, text, kind) {
  const made = document.createElement(name);
  if (text instanceof Node) made.append(text);
  else if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function draw(svg, values, width, height) {
  svg.replaceChildren();
  const most = Math.max(...values, 0);
  const step = width / Math.max(values.length, 1);
  values.forEach((value, at) => {
    if (value <= 0 || most <= 0) return;
    const bar = document.createElementNS(SVG, "rect");
    const tall = Math.max((value / most) * (height - 4), 1);
    const place = { x: at * step, y: height - tall, width: Math.max(step * 0.9, 0.5), height: tall };
    for (const [name, number] of Object.entries(place)) bar.setAttribute(name, number.toFixed(2));
    svg.append(bar);
  });
  return most;
}

function spark(values) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  draw(svg, values, 100, 20);
  return svg;
}

async function ask(path, parameters) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`, { headers });
  if (answer.status === 401) {
    const given = window.prompt("The token of this agent:");
    if (!given) throw new Error("a token is needed");
    sessionStorage.setItem("token", given);
    return ask(path, parameters);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

function table(head, rows) {
  const line = element("tr");
  head.forEach((title) => line.append(element("th", title)));
  $("head").replaceChildren(line);
  const wanted = $("filter").value.toLowerCase();
  const shown = rows.filter(({ cells }) => String(cells[0]).toLowerCase().includes(wanted));
  $("rows").replaceChildren(...shown.map(({ cells, kind }) => {
    const row = element("tr", undefined, kind);
    cells.forEach((cell) => row.append(element("td", cell)));
    return row;
  }));
}

function plot(values, from, to, seconds) {
  const most = draw($("plot"), values, 1000, 200);
  const label = `most: ${bytes(seconds > 0 ? most / seconds : most)}/s`;
  $("axis").replaceChildren(...[from, label, to].map((text) => element("span", text)));
}

const when = (seconds) => new Date(seconds * 1000).toLocaleString();

async function now() {
  const answer = await ask("/api/v1/groups", { by: chosen.now, limit: 100 });
  if (!answer.interval) return table([], []);
  const { seconds, end } = answer.interval;
  const rate = answer.items.reduce((sum, item) => sum + item.bytes, 0) / seconds;
  if (rates.length === 0 || rates[rates.length - 1].end !== end) rates.push({ end, rate });
  if (rates.length > 120) rates.shift();
  plot(rates.map((point) => point.rate), rates[0].end.slice(11, 19), end.slice(11, 19), 0);
  table(["Who → whom", "Interface", "Rate", "Packets"], answer.items.map((item) => ({
    cells: [`${item.src} → ${item.dst}`, item.interface ?? "", `${bytes(item.bytes / seconds)}/s`, item.packets],
  })));
}

function historyRow(line, total, name) {
  const sum = line.in_bytes + line.out_bytes;
  const share = total > 0 ? `${((100 * sum) / total).toFixed(0)} %` : "";
  return [name, bytes(line.in_bytes), bytes(line.out_bytes), bytes(sum), share, line.columns ? spark(line.columns) : ""];
}

async function past() {
  const answer = await ask("/api/v1/history", { by: chosen.history, since: $("since").value, top: 50 });
  const total = answer.total.in_bytes + answer.total.out_bytes;
  const rows = answer.lines.map((line) => ({
    cells: historyRow(line, total, line.name),
    kind: line.of === "named" ? "" : "aside",
  }));
  if (answer.others.lines > 0) rows.push({ cells: historyRow(answer.others, total, `${answer.others.lines} others`), kind: "aside" });
  if (answer.folded.in_packets + answer.folded.out_packets > 0) {
    rows.push({ cells: historyRow(answer.folded, total, "not kept in detail"), kind: "aside" });
  }
  rows.push({ cells: historyRow(answer.total, total, "total") });
  const span = (Date.parse(answer.to) - Date.parse(answer.from)) / 1000;
  plot(answer.columns, new Date(answer.from).toLocaleString(), new Date(answer.to).toLocaleString(), span / answer.columns.length);
  table([chosen.history, "In", "Out", "Total", "Share", "Over time"], rows);
}

async function why() {
  const answer = await ask("/api/v1/why", { target: $("target").value, since: $("since").value });
  const { facts, sentences } = answer;
  plot(facts.columns, when(facts.from), when(facts.to), facts.peak_seconds);
  $("text").replaceChildren(...sentences.map((sentence) => element("p", sentence)));
  table([], []);
}

async function alerts() {
  const answer = await ask("/api/v1/alerts", { limit: 200 });
  draw($("plot"), [], 1000, 200);
  $("axis").replaceChildren();
  table(["What", "Kind", "Status", "Time"], answer.items.map((alert) => ({
    cells: [alert.text, alert.kind, alert.status, new Date(alert.time).toLocaleString()],
    kind: alert.status,
  })));
}

const SHOW = { now, history: past, why, alerts };

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    if (!isPaused) await SHOW[view]();
    if (mine !== asked) return;
    $("state").textContent = isPaused ? "paused" : new Date().toLocaleTimeString();
    $("state").className = "";
  } catch (error) {
    $("state").textContent = error.message;
    $("state").className = "late";
  }
  if (mine === asked) timer = setTimeout(refresh, REFRESH_MS[view]);
}

function choose(next) {
  view = next;
  document.querySelectorAll("nav button").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  });
  const choices = BY[view] ?? [];
  $("by").replaceChildren(...choices.map((by) => new Option(by, by, false, by === chosen[view])));
  $("by").parentElement.hidden = choices.length === 0;
  $("since-label").hidden = !["history", "why"].includes(view);
  $("target-label").hidden = view !== "why";
  $("plot").toggleAttribute("hidden", view === "alerts");
  $("text").replaceChildren();
  location.hash = view;
  refresh();
}

document.querySelectorAll("nav button").forEach((button) => {
  button.addEventListener("click", () => choose(button.dataset.view));
});
$("by").addEventListener("change", () => {
  chosen[view] = $("by").value;
  refresh();
});
["since", "target"].forEach((id) => $(id).addEventListener("change", refresh));
$("filter").addEventListener("input", refresh);
$("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  refresh();
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select") || event.ctrlKey || event.altKey || event.metaKey) return;
  const at = Number(event.key) - 1;
  if (VIEWS[at]) choose(VIEWS[at]);
  else if (event.key === "/") $("filter").focus();
  else if (event.key === "p") isPaused = !isPaused;
  else return;
  event.preventDefault();
});
choose(VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "now");
