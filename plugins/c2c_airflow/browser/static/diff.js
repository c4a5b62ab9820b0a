/** Two releases: what one holds that the other does not, and why. */

import { get } from "./api.js";
import { element, fill, sentence } from "./dom.js";
import { count, words } from "./format.js";
import { shownValue } from "./release.js";
import { link } from "./router.js";
import { empty, loading } from "./states.js";
import { badge, pages, table } from "./table.js";

const PAGE_SIZE = 50;
const CHOICES = 100;  // releases that the form offers

export const title = ({ a, b }) => (a ? `${a} and ${b}` : "Compare releases");

export async function show({ main, params: { a, b }, query, target, signal }) {
  const form = element("div", {});
  const body = element("div", {}, loading(a ? "the comparison" : "releases"));
  fill(main, element("h1", { tabindex: -1 }, "Compare releases"), form, body);
  const choosing = get(["releases"], { target, page: 1, page_size: CHOICES }, signal)
    .then(({ items }) => { fill(form, chooser(items.map((item) => item.version), a, b)); return items; });
  if (!a) {
    const items = await choosing;
    fill(body, items.length < 2 && empty("There are no two releases to compare.", "A second build makes one."));
    return;
  }
  choosing.catch(() => {});  // the comparison says what is wrong
  const page = Number(query.get("page")) || 1;
  const found = await get(["diff"], { target, a, b, page, page_size: PAGE_SIZE }, signal,
    (sentence) => { body.querySelector(".loading").textContent = sentence; });
  fill(body,
    counts(found),
    section("Programs that differ", programs(found, a, b)),
    section("How they were made", found.options?.length ? table("Options and circumstances that differ", OPTION_COLUMNS(a, b), found.options)
      : element("p", { class: "muted" }, "With the same options, in the same way.")),
    section("Rows", rows(found.rows, a, b)));
}

function chooser(versions, a, b) {
  const choice = (name, text, chosen) => element("label", {}, text, element("select", { name },
    [...new Set([chosen, ...versions].filter(Boolean))].map((version) =>
      element("option", { value: version, selected: version === chosen }, version))));
  return versions.length > 1 && element("form", { class: "filters", submit: (event) => {
    event.preventDefault();
    const chosen = new FormData(event.currentTarget);
    location.hash = link(["diff", chosen.get("a"), chosen.get("b")]);
  } }, choice("a", "Before", a ?? versions[1]), choice("b", "After", b ?? versions[0]), element("button", { type: "submit" }, "Compare"));
}

function counts({ counts: byChange }) {
  return element("ul", { class: "figures" }, Object.entries(byChange).map(([change, number]) =>
    element("li", {}, element("strong", {}, count(number)), ` ${words(change)}`)));
}

function section(heading, content) {
  return content && element("section", {}, element("h2", {}, heading), content);
}

function programs(found, a, b) {
  if (!found.total) return element("p", { class: "muted" }, "None: both hold the same programs.");
  const columns = [
    { title: "Change", cell: (row) => badge(row.change) },
    { title: "Program", head: true, cell: (row) => element("a", {
      class: "name", href: link(["releases", row.change === "removed" ? a : b, "programs", row.function_id]),
    }, row.entry_point ?? row.function_id.slice(0, 12)) },
    { title: "From", class: "note", cell: (row) => row.origin ?? "" },
    { title: "Why", cell: (row) => why(row, found.meanings ?? {}) },
  ];
  const { added, removed, changed } = found.counts;
  return [
    added + removed + changed > found.total && element("p", { class: "muted" }, `The first ${count(found.total)} are listed. c2c release diff lists all.`),
    table("Programs that differ", columns, found.programs),
    pages(found.page, found.page_size, found.total, (page) => link(["diff", a, b], { page }))];
}

/** Reasons in words; what it gave way to, where it did. */
function why({ why: reasons = [], leader }, meanings) {
  const said = reasons.map((reason) => meanings[reason] ?? words(reason)).join("; ");
  return [sentence(said), leader && element("span", { class: "muted" }, ` (in favour of ${leader.slice(0, 12)})`)];
}

const OPTION_COLUMNS = (a, b) => [
  { title: "Option", head: true, class: "nowrap", cell: (row) => element("code", {}, row.option) },
  { title: a, cell: (row) => shownValue(row.a) },
  { title: b, cell: (row) => shownValue(row.b) },
];

function rows(byName, a, b) {
  const pairs = Object.entries(byName ?? {}).map(([name, value]) => {
    const [before, after] = Array.isArray(value) ? value : [value.a, value.b];
    return { name, before, after };
  });
  return pairs.length ? table("Rows of each split", [
    { title: "Split", head: true, cell: (row) => row.name },
    { title: a, number: true, cell: (row) => count(row.before) },
    { title: b, number: true, cell: (row) => count(row.after) },
    { title: "Change", number: true, cell: (row) => `${row.after >= row.before ? "+" : "−"}${count(Math.abs(row.after - row.before))}` },
  ], pairs, "compact") : null;
}
