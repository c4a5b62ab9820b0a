/** The funnel: of each stage, rows in and out, and why the others were dropped. */

import { element, scrolling, sentence } from "./dom.js";
import { count, counted, share, words } from "./format.js";

/** The funnel as a table whose bars show the share of rows that went on. */
export function funnelTable(stages) {
  const label = "Rows in and out of each stage";
  return scrolling(label, element("table", { class: "funnel" },
    element("caption", { class: "visually-hidden" }, label),
    element("thead", {}, element("tr", {},
      ["Stage", "Rows in", "Rows out", "Kept", "Dropped"].map((title, index) =>
        element("th", { scope: "col", class: index && index < 3 ? "number" : null }, title)))),
    element("tbody", {}, stages.map(stageRow))));
}

function stageRow(stage) {
  return element("tr", {},
    element("th", { scope: "row" }, words(stage.stage), !stage.stage.endsWith(stage.unit) && element("span", { class: "unit" }, stage.unit)),
    element("td", { class: "number" }, count(stage.rows_in)),
    element("td", { class: "number" }, count(stage.rows_out)),
    element("td", { class: "kept" }, bar(stage.rows_out, stage.rows_in), element("span", {}, share(stage.rows_out, stage.rows_in))),
    element("td", { class: "dropped" }, reasons(stage)));
}

/** A bar for the eye alone: the number beside it says the same. */
export function bar(part, whole) {
  const inner = element("span");
  inner.style.inlineSize = `${whole > 0 ? Math.min(100, (100 * part) / whole) : 0}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function reasons(stage) {
  const dropped = [...(stage.dropped ?? [])].sort((one, other) => other.rows - one.rows);
  if (!dropped.length) return element("span", { class: "muted" }, "none");
  const total = dropped.reduce((sum, reason) => sum + reason.rows, 0);
  return element("details", {},
    element("summary", {}, `${count(total)}, ${counted(dropped.length, "reasons")}`),
    reasonList(dropped, stage.rows_in));
}

/** Reasons with their rows and meanings; bars show the share of `whole`. */
export function reasonList(dropped, whole) {
  return element("ul", { class: "reasons" }, dropped.map((reason) => element("li", {},
    element("span", { class: "number" }, count(reason.rows)),
    bar(reason.rows, whole),
    element("span", {}, element("strong", {}, words(reason.reason)), reason.meaning && [": ", sentence(reason.meaning)]))));
}
