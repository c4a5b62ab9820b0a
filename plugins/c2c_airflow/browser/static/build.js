/** One build: how far it is while it runs, what became of its rows when it has ended. */

import { get, pause } from "./api.js";
import { announce, element, facts, fill } from "./dom.js";
import { count, duration, rate, share, time, words } from "./format.js";
import { runLink } from "./frame.js";
import { funnelTable, reasonList } from "./funnel.js";
import { link } from "./router.js";
import { empty, failure, loading } from "./states.js";
import { badge, table } from "./table.js";

const POLL_MILLISECONDS = 3000;
const GOING_ON = new Set(["planned", "running"]);

export const title = ({ id }) => `Build ${id}`;

export async function show({ main, params: { id }, target, signal }) {
  const body = element("div", {}, loading("the build"));
  fill(main, element("h1", { tabindex: -1, class: "long" }, "Build ", id), body);
  let known = await get(["builds", id], { target }, signal);
  drawKnown(body, id, known);
  while (!known || GOING_ON.has(known.build.state)) {
    await untilNextLook(signal);
    try {
      known = await get(["builds", id], { target }, signal);
      drawKnown(body, id, known);
    } catch (error) {  // it may answer again: what was known stays on the page
      if (signal.aborted) return;
      const place = body.querySelector(".trouble");
      if (place.textContent !== failure(error).textContent) fill(place, failure(error));  // said once
      if ([401, 403, 404].includes(error.status)) return;
    }
  }
}

function drawKnown(body, id, known) {
  if (known) draw(body, known);
  else {
    fill(body,
      empty("The catalogue does not know this build yet.", "It does once its task plan has started. This page looks every 3 seconds. ", runLink(id, "See the run in Airflow")),
      trouble());
  }
}

/** Three seconds, and until the page can be seen. */
async function untilNextLook(signal) {
  await pause(POLL_MILLISECONDS, signal);
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
  signal.throwIfAborted();
}

const trouble = () => element("div", { class: "trouble" });

function draw(body, { build, funnel, progress }) {
  const isRunning = GOING_ON.has(build.state);
  const open = new Set([...body.querySelectorAll("details[open] > summary")].map((summary) => summary.closest("tr")?.rowIndex));
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const path = focused && pathTo(focused, body);
  fill(body,
    element("p", { class: "badges" }, badge(build.state), build.message && element("span", {}, build.message)),
    facts([
      ["Date", time(build.date)],
      ["Mode", words(build.mode)],
      ["Started", time(build.started)],
      ["Took", build.seconds !== null && build.seconds !== undefined ? duration(build.seconds) : null],
      ["Release", build.release && element("a", { href: link(["releases", build.release], { target: build.target }) }, build.release)],
      ["Programs", build.programs !== null && build.programs !== undefined ? count(build.programs) : null],
      ["Target", build.target && element("code", {}, build.target)],
      ["Airflow", runLink(build.build, "Run, tasks and logs")],
    ]),
    trouble(),
    isRunning && element("section", {}, element("h2", {}, "Progress"),
      progress ? progressParts(progress) : element("p", { class: "muted" }, "No step has reported yet.")),
    funnel?.length ? element("section", {}, element("h2", {}, isRunning ? "Funnel so far" : "Funnel"), funnelTable(funnel)) : null);
  for (const row of open) body.querySelector(`.funnel tr:nth-child(${row}) details`)?.setAttribute("open", "");
  if (path) at(path, body)?.focus({ preventScroll: true });
  announce(isRunning ? inWords(progress) : `The build has ended: ${words(build.state)}`);
}

/** What a screen reader says of progress: which steps are done, so that it does not talk all the time. */
function inWords(progress) {
  const done = (progress?.steps ?? []).filter((step) => step.total && step.done >= step.total);
  return done.length ? `Done: ${done.map((step) => words(step.step)).join(", ")}` : "The build runs";
}

function progressParts(progress) {
  const rejects = progress.rejects ?? [];
  const most = Math.max(1, ...rejects.map((reject) => reject.rows));
  return [
    element("ul", { class: "figures" },
      figure(rate(progress.functions_per_second), "functions/s"),
      progress.eta_seconds !== null && figure(duration(progress.eta_seconds), "left"),
      progress.tokens > 0 && figure(count(progress.tokens), "tokens"),
      progress.updated && figure(time(progress.updated).slice(11, 19), "UTC, last update")),
    table("Steps", STEP_COLUMNS, progress.steps ?? []),
    rejects.length ? [element("h3", {}, "Rejected so far"), reasonList([...rejects].sort((a, b) => b.rows - a.rows), most)] : null,
  ];
}

const figure = (value, unit) => element("li", {}, element("strong", {}, value), ` ${unit}`);

const STEP_COLUMNS = [
  { title: "Step", head: true, cell: (row) => words(row.step) },
  { title: "Shards", class: "steps", cell: ({ step, done, total }) => [
    element("progress", { max: total || 1, value: total ? Math.min(done, total) : 0, "aria-label": `Shards of ${words(step)} that are done` }),
    element("span", {}, total ? `${count(done)} of ${count(total)}` : "not known yet")] },
  { title: "Done", number: true, cell: ({ done, total }) => share(done, total) },
  { title: "Rows in", number: true, cell: (row) => count(row.rows_in) },
  { title: "Rows out", number: true, cell: (row) => count(row.rows_out) },
  { title: "Time of work", number: true, cell: (row) => duration(row.seconds) },
  { title: "Tokens", number: true, cell: (row) => (row.tokens ? count(row.tokens) : "–") },
];

/** Where an element is below another, by position, so that what has the focus keeps it. */
function pathTo(node, top) {
  const path = [];
  for (let at_ = node; at_ !== top; at_ = at_.parentElement) path.unshift([...at_.parentElement.children].indexOf(at_));
  return path;
}

function at(path, top) {
  return path.reduce((node, index) => node?.children[index], top);
}
