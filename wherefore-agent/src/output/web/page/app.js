// The page of Wherefore: requests data from the JSON interface of its own host and draws it.
"use strict";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const VIEWS = ["now", "history", "why", "alerts"];
const PAST = ["process", "unit", "container", "pod", "user", "peer", "name", "country", "asn", "pair", "port", "interface"];
const REFRESH_MS = { now: 1000, history: 15000, why: 5000, alerts: 3000 };
const HIGH = 160;
const SPARKS = 60;

let view = "";
let isPaused = false;
let timer = 0;
let asked = 0;
let firing = [];
let incidents = [];
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
const title = (by) => (by === "asn" ? "AS" : by);
const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

function moment(text) {
  return new Date(text).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
}

// Text is never interpreted as markup, because all of it goes through textContent.
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

// A small bar chart over time.
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

// The share of the largest row that a row received and sent.
function bar(received, sent, most) {
  const svg = shape("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none" });
  const part = (number) => (most > 0 ? (100 * number) / most : 0);
  svg.append(shape("rect", { class: "in", x: 0, y: 0, width: part(received), height: 8 }));
  svg.append(shape("rect", { class: "out", x: part(received), y: 0, width: part(sent), height: 8 }));
  return svg;
}

// The next round number that is not below this one.
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return power * ([1, 2, 5].find((step) => step * power >= number * 0.999) ?? 10);
}

// The range that contains nine out of ten values, without the newest ones and those during incidents.
function usual(values, isCounted = () => true) {
  const sorted = values.slice(0, -10).filter((_, at) => isCounted(at)).sort((one, other) => one - other);
  if (sorted.length < 10) return null;
  const at = (part) => sorted[Math.round((sorted.length - 1) * part)];
  return [at(0.05), at(0.95)];
}

// One plot over time: a title with a figure, areas, the range of the baseline, and lines where incidents
// began (`marks`, positions between 0 and 1).
function plot({ title, figure, kind, values, marks = [], base = usual(values) }, labels) {
  const most = roundUp(Math.max(...values, base?.[1] ?? 0, 0));
  const y = (value) => HIGH - (value / most) * (HIGH - 8);
  const svg = shape("svg", { class: "lines", viewBox: `0 0 1000 ${HIGH}`, preserveAspectRatio: "none", role: "img" });
  svg.setAttribute("aria-label", `${title}: bytes a second over time`);
  svg.append(...[0.5, 1].map((part) => shape("path", { class: "grid", d: `M0 ${y(most * part)}H1000` })));
  if (base) {
    const band = shape("rect", { class: "band", x: 0, y: y(base[1]), width: 1000, height: Math.max(y(base[0]) - y(base[1]), 1.5) });
    band.append(shape("title", {}));
    band.firstChild.textContent = "baseline";
    svg.append(band);
  }
  if (values.length > 0) {
    const step = 1000 / values.length;
    const points = values.map((value, at) => `L${(at * step).toFixed(1)} ${y(value).toFixed(1)}h${step.toFixed(1)}`);
    svg.append(shape("path", { class: kind, d: `M0 ${HIGH}${points.join("")}V${HIGH}Z` }));
  }
  marks.forEach((at) => svg.append(shape("path", { class: "alert", d: `M${1000 * at} 0V${HIGH}` })));
  const made = element("figure", undefined, `plot ${kind}`);
  const head = element("p", undefined, "figure");
  head.append(element("span", title), element("b", figure));
  if (base) head.append(element("small", `baseline ${rate(base[0])} to ${rate(base[1])}`));
  const scale = element("ol", undefined, "scale");
  scale.append(...[most, most / 2, ""].map((value) => element("li", value === "" ? "" : rate(value))));
  const canvas = element("div", undefined, "canvas");
  canvas.append(svg, scale);
  const axis = element("figcaption");
  axis.append(...labels.map((text) => element("span", text)));
  made.append(head, canvas, axis);
  return made;
}

const plots = (all, labels) => $("plots").replaceChildren(...all.map((one) => plot(one, labels)));

async function ask(path, parameters) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`, { headers });
  if (answer.status === 401) {
    const given = window.prompt("The token of this agent:");
    if (!given) throw new Error("this agent requires a token: reload the page and enter it");
    sessionStorage.setItem("token", given);
    return ask(path, parameters);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

// Requests data about a period. If the first three quarters have no traffic, requests the rest only. `span`
// returns the start of an answer's first column and the length of a column, in milliseconds.
async function askAbout(path, parameters, span) {
  const answer = await ask(path, parameters);
  const { from, step, columns } = span(answer);
  const first = columns.findIndex((moved) => moved > 0);
  if (first < columns.length * 0.75) return answer;
  return ask(path, { ...parameters, since: new Date(from + first * step).toISOString() });
}

// `head` has a pair for each column: its title and its kind. The first cell of a row is its name.
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
      const button = element("button", title(name));
      button.type = "button";
      button.dataset.by = name;
      return button;
    }));
  }
  for (const button of $("by").children) {
    button.setAttribute("aria-pressed", String(button.dataset.by === chosen[view]));
  }
}

// The target for `why` in the name of a row; empty if `why` does not support such rows.
function targetOf(by, name) {
  if (name.startsWith("[")) return "";
  if (by === "process") return name.replace(/ \(\d+\)$/, "");
  if (by === "pair") return name.split(/ (?:⇄|<->) /)[1] ?? "";
  if (by === "asn") return name.split(" ")[0];
  if (by === "service") return name.split("/")[1] ?? "";
  return by === "protocol" ? "" : name;
}

// The message without time and host, which the page shows elsewhere.
const sentence = ({ text, host }) => text.split(` ${host}: `).slice(1).join(` ${host}: `) || text;

// Open incidents, and what was held back.
function notes(answer) {
  const made = firing.slice(0, 3).map((alert) => element("p", `${clock(alert.started)}  ${sentence(alert)}`, "incident"));
  if (firing.length > 3) made.push(element("p", `and ${firing.length - 3} more`, "incident"));
  if (answer.held_back_text) made.push(element("p", answer.held_back_text, "held"));
  $("notes").replaceChildren(...made);
}

// The last rates of a row, which may be followed for fewer intervals than the plot has space for.
const sparkOf = ({ recent }) => spark([...Array(Math.max(SPARKS - recent.length, 0)).fill(0), ...recent]);

async function now() {
  const answer = await ask("/api/v1/top", { ...(chosen.now && { by: chosen.now }), limit: 100, recent: SPARKS });
  if (view !== "now") return;
  $("host").textContent = answer.host;
  document.title = `${answer.host}: Wherefore`;
  if (answer.interval) chosen.now = answer.by;
  choices(answer.ways);
  notes(answer);
  if (!answer.interval) return table([], [], "Waiting for the first interval.");
  $("rows").dataset.interval = answer.interval.end;
  const { past, interval } = answer;
  const rates = (kind) => past.map((point) => point[kind] / point.seconds);
  const ends = past.map((point) => Date.parse(point.end));
  const [first, last] = [ends[0], ends[ends.length - 1]];
  const marks = incidents.map(({ from }) => (from - first) / Math.max(last - first, 1)).filter((at) => at >= 0 && at <= 1);
  const isOrdinary = (at) => incidents.every(({ from, to }) => ends[at] <= from || ends[at] > to);
  const one = (title, kind, values) => ({ title, kind, values, marks, base: usual(values, isOrdinary), figure: rate(values[values.length - 1] ?? 0) });
  plots([one("received", "in", rates("in_bytes")), one("sent", "out", rates("out_bytes"))], [clock(past[0].end), clock(interval.end)]);
  const most = Math.max(...answer.items.map((item) => item.in_bytes + item.out_bytes), 1);
  const has = (kind) => answer.items.some((item) => item[kind]);
  const [hasOwner, hasPlace] = [answer.by !== "process" && has("owner"), has("place")];
  const head = [[title(answer.by), ""]];
  if (hasOwner) head.push(["process", "wide words"]);
  if (hasPlace) head.push(["where", "wide words"]);
  head.push(["in", "in"], ["out", "out"], ["share", "wide"], ["packets", "wide"], ["over time", "wide"]);
  table(head, answer.items.map((item) => {
    const per = (number) => (number > 0 ? rate(number / interval.seconds) : "·");
    const cells = [item.name];
    if (hasOwner) cells.push(item.owner ?? "");
    if (hasPlace) cells.push(item.place ?? "");
    cells.push(per(item.in_bytes), per(item.out_bytes), bar(item.in_bytes, item.out_bytes, most), item.packets.toLocaleString(), sparkOf(item));
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
  const answer = await askAbout("/api/v1/history", { by, since: $("since").value, top: 50 }, ({ from, to, columns }) => (
    { from: Date.parse(from), step: (Date.parse(to) - Date.parse(from)) / columns.length, columns }
  ));
  if (view !== "history") return;
  const total = answer.total.in_bytes + answer.total.out_bytes;
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
  const figure = `${bytes(answer.total.in_bytes)} received, ${bytes(answer.total.out_bytes)} sent`;
  plots([{ title: "in all", figure, values: answer.columns.map((moved) => moved / seconds), kind: "all", base: null }], [moment(answer.from), moment(answer.to)]);
  table([[title(by), ""], ["in", "in"], ["out", "out"], ["total", ""], ["share", "wide"], ["over time", "wide"]], rows);
}

// Sentences as paragraphs. A sentence that begins with spaces belongs to the one before it.
function paragraphs(sentences) {
  return sentences.map((sentence) => element("p", sentence.trim(), sentence.startsWith("  ") ? "part" : ""));
}

// What a target received and sent in the last intervals. If it had traffic in one direction only, the other
// is left out.
function recentPlots(recent, facts) {
  if (!recent) return [];
  const [end, step] = [Date.parse(recent.end), recent.seconds * 1000];
  const begin = end - recent.in.length * step;
  const spans = (facts?.alerts ?? []).map((alert) => [alert.started * 1000, alert.alert.status === "resolved" ? alert.time * 1000 : Infinity]);
  const marks = spans.map(([from]) => (from - begin) / (end - begin)).filter((at) => at >= 0 && at <= 1);
  const isOrdinary = (at) => spans.every(([from, to]) => begin + (at + 1) * step <= from || begin + at * step > to);
  const one = (title, kind, values) => ({ title, kind, values, marks, base: usual(values, isOrdinary), figure: rate(values[values.length - 1] ?? 0) });
  const both = [one("received just now", "in", recent.in), one("sent just now", "out", recent.out)];
  const moved = both.filter(({ values }) => values.some((value) => value > 0));
  return moved.map((one) => plot(one, [clock(begin), clock(end)]));
}

// What the history knows about a target.
function factPlot(facts) {
  if (!facts) return [];
  const length = facts.to - facts.from;
  const seconds = length / Math.max(facts.columns.length, 1);
  const marks = facts.alerts.map((alert) => (alert.started - facts.from) / length).filter((at) => at >= 0);
  const figure = `${bytes(facts.total.in_bytes)} received, ${bytes(facts.total.out_bytes)} sent`;
  const base = facts.baseline_range_bytes_per_hour?.map((moved) => moved / 3600) ?? null;
  const values = facts.columns.map((moved) => moved / seconds);
  return [plot({ title: facts.name, figure, values, kind: "all", base, marks }, [moment(facts.from * 1000), moment(facts.to * 1000)])];
}

async function why() {
  const answer = await askAbout("/api/v1/why", { target: $("target").value, since: $("since").value }, ({ facts }) => (
    { from: (facts?.from ?? 0) * 1000, step: ((facts?.to - facts?.from) * 1000) / facts?.columns.length, columns: facts?.columns ?? [] }
  ));
  if (view !== "why") return;
  const { facts, live, recent, sentences } = answer;
  $("plots").replaceChildren(...recentPlots(recent, facts), ...factPlot(facts));
  $("text").replaceChildren(...paragraphs(sentences));
  const flows = live?.flows ?? [];
  table([["flow just now", ""], ["process", "wide words"], ["rate", ""], ["packets", "wide"]], flows.map((flow) => ({
    cells: [`${flow.src} → ${flow.dst} ${flow.protocol}`, flow.owner ?? "", rate(flow.bytes / live.seconds), flow.packets.toLocaleString()],
  })));
}

async function alerts() {
  const [answer, held] = await Promise.all([ask("/api/v1/alerts", { limit: 200 }), ask("/api/v1/held-back", { limit: 50 })]);
  noteFiring(answer.items);
  if (view !== "alerts") return;
  table([["what", ""], ["kind", "wide"], ["status", "wide"]], answer.items.map((alert) => ({
    cells: [`${moment(alert.time)}  ${sentence(alert)}`, alert.kind, alert.status],
    kind: alert.status,
    target: alert.dst === "*" ? alert.src : alert.dst,
  })), "No alert so far.");
  $("held").hidden = !held.held_back_text;
  $("held-title").textContent = held.held_back_text ?? "";
  $("held-list").replaceChildren(...held.items.map((item) => element("li", `${moment(item.time)}  ${item.text}`)));
}

// Incidents whose last message is not about their end.
function noteFiring(items) {
  const last = new Map();
  items.forEach((alert) => last.has(alert.key) || last.set(alert.key, alert));
  incidents = [...last.values()].filter((alert) => alert.kind !== "digest").map(({ started, time, status }) => ({
    from: Date.parse(started),
    to: status === "resolved" ? Date.parse(time) : Infinity,
  }));
  firing = [...last.values()].filter((alert) => alert.status !== "resolved");
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
  $("plots").hidden = view === "alerts";
  $("notes").hidden = view !== "now";
  $("held").hidden = true;
  document.querySelector("table").className = view;
  $("text").replaceChildren();
  $("rows").replaceChildren();
  location.hash = view;
  refresh();
}

// Opens the explanation of a row's subject.
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
  } else if (event.key === "g") {
    const buttons = [...$("by").children];
    const at = buttons.findIndex((button) => button.dataset.by === chosen[view]);
    if (!$("by").hidden) buttons[(at + 1) % buttons.length]?.click();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const rows = [...$("rows").querySelectorAll("tr[tabindex]")];
    const at = rows.indexOf(document.activeElement);
    rows[at < 0 ? 0 : Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), rows.length - 1)]?.focus();
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
