// The page of Wherefore: asks the JSON interface of its own host and draws what it answers.
"use strict";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const VIEWS = ["now", "history", "why", "alerts"];
const PAST = ["process", "unit", "container", "pod", "user", "peer", "name", "country", "asn", "pair", "port", "interface"];
const REFRESH_MS = { now: 1000, history: 15000, why: 15000, alerts: 3000 };
const HIGH = 160;

let view = "";
let isPaused = false;
let timer = 0;
let asked = 0;
let firing = [];
const chosen = { now: "", history: "process" };

function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (number >= 999.95 && unit + 1 < units.length) {
    number /= 1000;
    unit += 1;
  }
  return `${number.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

const rate = (number) => `${bytes(number)}/s`;
const share = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(0)} %` : "");
const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

function moment(text) {
  return new Date(text).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
}

// Text is never taken for markup: everything goes through textContent.
function element(name, content, kind) {
  const made = document.createElement(name);
  if (content instanceof Node) made.append(content);
  else if (content !== undefined && content !== null) made.textContent = content;
  if (kind) made.className = kind;
  return made;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Bars over time, small.
function spark(values) {
  const svg = shape("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none" });
  const most = Math.max(...values, 0);
  const step = 100 / Math.max(values.length, 1);
  values.forEach((value, at) => {
    if (value <= 0) return;
    const height = Math.max((value / most) * 19, 1);
    svg.append(shape("rect", { x: at * step, y: 20 - height, width: Math.max(step * 0.9, 0.5), height }));
  });
  return svg;
}

// How much of the most a row received and sent.
function bar(received, sent, most) {
  const svg = shape("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none" });
  const part = (number) => (most > 0 ? (100 * number) / most : 0);
  svg.append(shape("rect", { class: "in", x: 0, y: 0, width: part(received), height: 8 }));
  svg.append(shape("rect", { class: "out", x: part(received), y: 0, width: part(sent), height: 8 }));
  return svg;
}

// A round number that is not below this one.
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return power * ([1, 2, 5].find((step) => step * power >= number * 0.999) ?? 10);
}

// Between which values nine of ten are; the newest don't count.
function usual(values) {
  const sorted = values.slice(0, -10).sort((one, other) => one - other);
  if (sorted.length < 10) return null;
  const at = (part) => sorted[Math.round((sorted.length - 1) * part)];
  return [at(0.05), at(0.95)];
}

// Areas over time. `marks` are places between 0 and 1.
function plot(series, labels, marks = []) {
  const most = roundUp(Math.max(...series.flatMap(({ values }) => values), 0));
  const y = (value) => HIGH - (value / most) * (HIGH - 8);
  const shapes = [0.5, 1].map((part) => shape("path", { class: "grid", d: `M0 ${y(most * part)}H1000` }));
  const band = usual((series[0] ?? { values: [] }).values);
  if (band && series.length === 1) {
    shapes.push(shape("rect", { class: "band", x: 0, y: y(band[1]), width: 1000, height: Math.max(y(band[0]) - y(band[1]), 1) }));
  }
  for (const { values, kind } of series) {
    if (values.length === 0) continue;
    const step = 1000 / values.length;
    const points = values.map((value, at) => `L${(at * step).toFixed(1)} ${y(value).toFixed(1)}h${step.toFixed(1)}`);
    shapes.push(shape("path", { class: kind, d: `M0 ${HIGH}${points.join("")}V${HIGH}Z` }));
  }
  marks.forEach((at) => shapes.push(shape("path", { class: "alert", d: `M${1000 * at} 0V${HIGH}` })));
  $("lines").replaceChildren(...shapes);
  $("scale").replaceChildren(...[most, most / 2, ""].map((value) => element("li", value === "" ? "" : rate(value))));
  $("axis").replaceChildren(...labels.map((text) => element("span", text)));
}

function figures(received, sent) {
  $("received").textContent = received;
  $("sent").textContent = sent;
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

// `head` are pairs of a title and a kind of column; a row's first cell is its name.
function table(head, rows, nothing) {
  const line = element("tr");
  head.forEach(([title, kind]) => line.append(element("th", title, kind)));
  $("head").replaceChildren(line);
  const wanted = $("filter").value.toLowerCase();
  const shown = rows.filter(({ cells }) => cells.some((cell) => String(cell).toLowerCase().includes(wanted)));
  const marked = document.activeElement?.dataset?.target;
  $("rows").replaceChildren(...shown.map(({ cells, kind, target }) => {
    const row = element("tr", undefined, kind);
    cells.forEach((cell, at) => row.append(element("td", cell, head[at][1])));
    row.cells[0].title = cells[0];
    if (target) {
      row.tabIndex = 0;
      row.dataset.target = target;
    }
    return row;
  }));
  if (marked) [...$("rows").rows].find((row) => row.dataset.target === marked)?.focus();
  $("head").hidden = shown.length === 0;
  $("empty").hidden = shown.length > 0 || !nothing;
  $("empty").textContent = rows.length > 0 ? "Nothing matches the filter." : nothing ?? "";
}

function choices(names) {
  const known = [...$("by").children].map((button) => button.dataset.by);
  if (known.join() !== names.join()) {
    $("by").replaceChildren(...names.map((name) => {
      const button = element("button", name === "asn" ? "AS" : name);
      button.type = "button";
      button.dataset.by = name;
      return button;
    }));
  }
  for (const button of $("by").children) {
    button.setAttribute("aria-pressed", String(button.dataset.by === chosen[view]));
  }
}

// What `why` understands of a row's name.
function targetOf(by, name) {
  if (name.startsWith("[")) return "";
  if (by === "process") return name.replace(/ \(\d+\)$/, "");
  if (by === "pair") return name.split(/ (?:⇄|<->) /)[1] ?? "";
  if (by === "asn") return name.split(" ")[0];
  if (by === "service") return name.split("/")[1] ?? "";
  return by === "protocol" ? "" : name;
}

async function now() {
  const answer = await ask("/api/v1/top", { ...(chosen.now && { by: chosen.now }), limit: 100 });
  $("host").textContent = answer.host;
  document.title = `${answer.host}: Wherefore`;
  chosen.now = answer.by;
  choices(answer.ways);
  if (!answer.interval) return table([], [], "Waiting for the first interval.");
  const { past, interval } = answer;
  const rates = (kind) => past.map((point) => point[kind] / point.seconds);
  const [received, sent] = [rates("in_bytes"), rates("out_bytes")];
  figures(rate(received[received.length - 1] ?? 0), rate(sent[sent.length - 1] ?? 0));
  const [first, last] = [Date.parse(past[0].end), Date.parse(interval.end)];
  const marks = firing.map((time) => (Date.parse(time) - first) / Math.max(last - first, 1)).filter((at) => at >= 0 && at <= 1);
  plot([{ values: received, kind: "in" }, { values: sent, kind: "out" }], [clock(past[0].end), clock(interval.end)], marks);
  const most = Math.max(...answer.items.map((item) => item.in_bytes + item.out_bytes), 1);
  const has = (kind) => answer.items.some((item) => item[kind]);
  const [hasOwner, hasPlace] = [answer.by !== "process" && has("owner"), has("place")];
  const head = [[answer.by === "asn" ? "AS" : answer.by, ""], ["in", "in"], ["out", "out"], ["", "wide"], ["packets", "wide"]];
  if (hasOwner) head.push(["owner", "wide words"]);
  if (hasPlace) head.push(["where", "wide words"]);
  table(head, answer.items.map((item) => {
    const per = (number) => (number > 0 ? rate(number / interval.seconds) : "·");
    const cells = [item.name, per(item.in_bytes), per(item.out_bytes), bar(item.in_bytes, item.out_bytes, most), item.packets.toLocaleString()];
    if (hasOwner) cells.push(item.owner ?? "");
    if (hasPlace) cells.push(item.place ?? "");
    return { cells, target: targetOf(answer.by, item.name), kind: item.name.startsWith("[") ? "aside" : "" };
  }), "Nothing moved in the last interval.");
}

function pastRow(line, total, name) {
  const moved = line.in_bytes + line.out_bytes;
  return [name, bytes(line.in_bytes), bytes(line.out_bytes), bytes(moved), share(moved, total), line.columns ? spark(line.columns) : ""];
}

async function past() {
  choices(PAST);
  const by = chosen.history;
  const answer = await ask("/api/v1/history", { by, since: $("since").value, top: 50 });
  const total = answer.total.in_bytes + answer.total.out_bytes;
  figures(bytes(answer.total.in_bytes), bytes(answer.total.out_bytes));
  const rows = answer.lines.map((line) => ({
    cells: pastRow(line, total, line.name),
    kind: line.of === "named" ? "" : "aside",
    target: line.of === "named" ? targetOf(by, line.name) : "",
  }));
  const aside = (line, name) => rows.push({ cells: pastRow(line, total, name), kind: "aside" });
  if (answer.others.lines > 0) aside(answer.others, `${answer.others.lines} others`);
  if (answer.folded.in_packets + answer.folded.out_packets > 0) aside(answer.folded, "not kept in detail");
  rows.push({ cells: pastRow(answer.total, total, "total"), kind: "sum" });
  const seconds = (Date.parse(answer.to) - Date.parse(answer.from)) / 1000 / answer.columns.length;
  plot([{ values: answer.columns.map((moved) => moved / seconds), kind: "all" }], [moment(answer.from), moment(answer.to)]);
  table([[by === "asn" ? "AS" : by, ""], ["in", "in"], ["out", "out"], ["total", ""], ["share", "wide"], ["over time", "wide"]], rows);
}

async function why() {
  const answer = await ask("/api/v1/why", { target: $("target").value, since: $("since").value });
  const { facts, sentences } = answer;
  figures(bytes(facts.total.in_bytes), bytes(facts.total.out_bytes));
  const seconds = (facts.to - facts.from) / Math.max(facts.columns.length, 1);
  plot([{ values: facts.columns.map((moved) => moved / seconds), kind: "all" }], [moment(facts.from * 1000), moment(facts.to * 1000)]);
  $("text").replaceChildren(...sentences.map((sentence) => element("p", sentence)));
  table([], []);
}

async function alerts() {
  const answer = await ask("/api/v1/alerts", { limit: 200 });
  noteFiring(answer.items);
  table([["what", ""], ["kind", ""], ["status", ""], ["time", ""]], answer.items.map((alert) => ({
    cells: [alert.text, alert.kind, alert.status, moment(alert.time)],
    kind: alert.status,
    target: alert.dst,
  })), "No alert so far.");
}

// Incidents whose last message does not say that they are over.
function noteFiring(items) {
  const last = new Map();
  items.forEach((alert) => last.has(alert.key) || last.set(alert.key, alert));
  firing = [...last.values()].filter((alert) => alert.status !== "resolved").map((alert) => alert.started);
  $("count").hidden = firing.length === 0;
  $("count").textContent = firing.length;
}

const SHOW = { now, history: past, why, alerts };

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    if (!isPaused) await SHOW[view]();
    if (view === "now" && !isPaused) noteFiring((await ask("/api/v1/alerts", { limit: 200 })).items);
    if (mine !== asked) return;
    $("state").textContent = isPaused ? "paused" : clock(new Date());
    $("state").className = "";
  } catch (error) {
    if (mine !== asked) return;
    $("state").textContent = error.message;
    $("state").className = "late";
  }
  timer = setTimeout(refresh, REFRESH_MS[view]);
}

function choose(next) {
  view = next;
  document.querySelectorAll("nav button").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  });
  $("by").hidden = !["now", "history"].includes(view);
  $("since-label").hidden = !["history", "why"].includes(view);
  $("target-label").hidden = view !== "why";
  $("plot").hidden = view === "alerts";
  $("figures").hidden = view === "alerts";
  document.querySelector("table").className = view;
  $("text").replaceChildren();
  $("rows").replaceChildren();
  location.hash = view;
  refresh();
}

// All about what a row is about.
function open(row) {
  if (!row?.dataset.target) return;
  $("target").value = row.dataset.target;
  choose("why");
}

document.querySelector("nav").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(button.dataset.view);
});
$("by").addEventListener("click", (event) => {
  if (!event.target.dataset.by) return;
  chosen[view] = event.target.dataset.by;
  refresh();
});
$("rows").addEventListener("click", (event) => open(event.target.closest("tr")));
["since", "target"].forEach((id) => $(id).addEventListener("change", refresh));
$("filter").addEventListener("input", refresh);
$("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  refresh();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches("input")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const at = Number(event.key) - 1;
  if (VIEWS[at]) choose(VIEWS[at]);
  else if (event.key === "/") $("filter").focus();
  else if (event.key === "p") {
    isPaused = !isPaused;
    refresh();
  } else if (event.key === "Enter") {
    if (!event.target.dataset?.target) return;
    open(event.target);
  } else return;
  event.preventDefault();
});
window.addEventListener("hashchange", () => {
  const wanted = location.hash.slice(1);
  if (VIEWS.includes(wanted) && wanted !== view) choose(wanted);
});
choose(VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "now");
