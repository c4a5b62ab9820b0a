/** Tables, badges and pages. */

import { element, scrolling } from "./dom.js";
import { count } from "./format.js";

/**
 * A table that scrolls sideways where it has no room.
 * @param {string} label what it holds, for those who cannot see it
 * @param {Array<{title: string|Node, cell: function(Object): *, number?: boolean, head?: boolean, has?: function(Object): *, class?: string, sorted?: string}>} allColumns
 *   `head` marks the column that names the row; one that no row `has` is left out; `sorted` says
 *   how the rows are ordered by it
 * @param {Object[]} rows
 * @param {string|null} style `compact` is as wide as what it holds
 */
export function table(label, allColumns, rows, style = null) {
  const columns = allColumns.filter((column) => !column.has || rows.some(column.has));
  return scrolling(label, element("table", { class: style },
    element("caption", { class: "visually-hidden" }, label),
    element("thead", {}, element("tr", {}, columns.map((column) =>
      element("th", { scope: "col", class: kind(column), "aria-sort": column.sorted }, column.title)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, columns.map((column) =>
      element(column.head ? "th" : "td", { scope: column.head && "row", class: kind(column) }, column.cell(row))))))));
}

function kind(column) {
  return [column.number && "number", column.class].filter(Boolean).join(" ") || null;
}

const TONES = {
  latest: "good", published: "good", added: "good", returned: "good", passed_all: "good",
  running: "accent", planned: "accent", pinned: "accent", changed: "accent",
  incomplete: "warn", withdrawn: "warn", raised: "warn", passed_seen_only: "warn",
  unreadable: "bad", failed: "bad", removed: "bad", wrong_output: "bad", timed_out: "bad", killed: "bad",
  wrong_name_or_arguments: "bad", no_code: "bad",
};

/** A word about the state of something. */
export function badge(state) {
  return element("span", { class: `badge ${TONES[state] ?? "plain"}` }, String(state).replaceAll("_", " "));
}

/**
 * Links to the pages before and after; null where one page holds all.
 * @param {function(number): string} place the hash of a page
 */
export function pages(page, pageSize, total, place) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  if (last <= 1) return null;
  const first = (page - 1) * pageSize + 1;
  const step = (to, text, rel) => to >= 1 && to <= last
    ? element("a", { class: "button", href: place(to), rel }, text)
    : element("span", { class: "button off", "aria-hidden": "true" }, text);
  return element("nav", { class: "pages", "aria-label": "Pages" },
    step(page - 1, "Previous", "prev"),
    element("span", {}, `${count(first)}–${count(Math.min(total, first + pageSize - 1))} of ${count(total)}`),
    step(page + 1, "Next", "next"));
}
