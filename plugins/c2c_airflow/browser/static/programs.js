/** The sample browser: programs of a release that a search finds, and one of them beside the list. */

import { get } from "./api.js";
import { announce, element, fill } from "./dom.js";
import { count, counted, share } from "./format.js";
import { showProgram } from "./program.js";
import { link } from "./router.js";
import { empty, failure, loading } from "./states.js";
import { badge } from "./table.js";

const LIMIT = 20;
const FILTERS = ["search", "split", "licence", "repository"];

/** The list on the page: what it was asked for, and how far it came. */
let list = null;
let detail = null;

export const title = ({ version, id }) => (id ? `Program of ${version}` : `Programs of ${version}`);

export async function show(place) {
  const { main, params, signal } = place;
  list = { ...asked(place), params, signal, items: [], scanned: 0, cursor: null, nodes: listNodes(place) };
  const { heading, form, status, items, more } = list.nodes;
  detail = element("section", { class: "program", "aria-label": "Program" });
  fill(main,
    heading,
    form,
    element("div", { class: "browser" },
      element("nav", { class: "found", "aria-label": "Programs found" }, status, items, more),
      detail));
  showDetail(place);
  await showMore(place);
}

/** Another program of the same list: the list stays as it is. */
export function update(place) {
  const isSame = list?.rows !== undefined && !list.signal.aborted && list.key === asked(place).key;
  if (!isSame) return false;
  place.signal = list.signal;
  list.params = place.params;
  markCurrent();
  showDetail(place).then(() => (detail.querySelector("h2") ?? list.nodes.heading).focus());
  return true;
}

function asked({ params, query, target }) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  return { filters, target, key: JSON.stringify([params.version, target, filters]) };
}

function listNodes(place) {
  const { params: { version }, query } = place;
  const field = (name, text, suggestions = null) => element("label", {}, text,
    element("input", { type: "search", name, list: suggestions && `${name}-list`, value: query.get(name) ?? "", autocomplete: "off", spellcheck: "false" }),
    suggestions && element("datalist", { id: `${name}-list` }));
  const choice = (name, text) => element("label", {}, text, element("select", { name },
    element("option", { value: "" }, "all"),
    query.get(name) && element("option", { value: query.get(name), selected: true }, query.get(name))));
  return {
    heading: element("h1", { tabindex: -1 }, "Programs of ",
      element("a", { href: link(["releases", version]) }, version)),
    form: element("form", { class: "filters", role: "search", submit: (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(event.currentTarget));
      const place_ = link(["releases", version, "programs"], values);
      if (place_ === location.hash) place.reload();
      else location.hash = place_;
    } },
      field("search", "Search in names and text"),
      choice("split", "Split"),
      field("licence", "Licence", true),
      field("repository", "Repository"),
      element("button", { type: "submit" }, "Search"),
      FILTERS.some((name) => query.get(name)) && element("a", { class: "button", href: link(["releases", version, "programs"]) }, "Clear")),
    status: element("p", { class: "status", role: "status" }, "Searching …"),
    items: element("ul", {}),
    more: element("p", {}),
  };
}

/** Ask for the next programs, where the search stopped. */
async function showMore(place) {
  const { nodes, filters, target, signal, params, cursor } = list;
  fill(nodes.more);
  nodes.status.textContent = cursor ? `${summary(list)} Searching on …` : "Searching …";
  let found;
  try {
    found = await get(["releases", params.version, "programs"], { target, ...filters, cursor, limit: LIMIT }, signal);
  } catch (error) {
    if (signal.aborted) return;
    nodes.status.textContent = "";
    fill(nodes.more, failure(error, () => showMore(place)));
    return;
  }
  offerFacets(nodes.form, found.facets ?? {});
  list.items.push(...found.items);
  list.scanned += found.scanned;
  list.rows = found.rows;
  list.cursor = found.next_cursor;
  const added = found.items.map((item) => row(item, place));
  nodes.items.append(...added);
  markCurrent();
  nodes.status.textContent = summary(list);
  if (!list.items.length && !list.cursor) {
    fill(nodes.more, empty("No program fits.", "Search for less, or clear the filters."));
  } else if (list.cursor) {
    fill(nodes.more, element("button", { type: "button", click: async () => {
      const before = list.items.length;
      await showMore(place);
      nodes.items.children[before]?.querySelector("a")?.focus();
    } }, found.items.length ? "Next" : "Search on"));
  }
}

function summary({ items, scanned, rows, cursor }) {
  const read = cursor ? `${count(scanned)} of ${count(rows)} rows read (${share(scanned, rows)}).` : `All ${count(rows)} rows read.`;
  return `${counted(items.length, "programs")} found. ${read}`;
}

function row(item, { params, query }) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
  return element("li", {},
    element("a", { href: link(["releases", params.version, "programs", item.function_id], filters), "data-id": item.function_id },
      element("span", { class: "name" }, item.entry_point),
      element("span", { class: "from" }, item.repository, item.path && ` / ${item.path}`),
      element("span", { class: "about" }, badge(item.split), ` ${counted(item.cases, "cases")}, coverage ${share(item.coverage, 1)}, ${item.licence ?? "no licence known"}`)));
}

function markCurrent() {
  for (const anchor of list.nodes.items.querySelectorAll("a")) {
    if (anchor.dataset.id === list.params.id) anchor.setAttribute("aria-current", "true");
    else anchor.removeAttribute("aria-current");
  }
}

/** Offer what to filter by. A release of an older version does not tell its licences. */
function offerFacets(form, { splits, licences }) {
  const split = form.elements.split;
  const known = new Set([...split.options].map((option) => option.value));
  split.append(...(splits ?? []).filter((value) => !known.has(value)).map((value) => element("option", { value }, value)));
  fill(form.elements.licence.list, (licences ?? []).map((value) => element("option", { value })));
}

async function showDetail(place) {
  const { params: { version, id }, query, target, signal } = place;
  detail.parentElement?.classList.toggle("has-program", Boolean(id));
  if (!id) {
    fill(detail, element("p", { class: "muted hint" }, "Choose a program to see its cases and samples."));
    return;
  }
  const back = element("a", { class: "back", href: link(["releases", version, "programs"], Object.fromEntries(query)) }, "Back to the list");
  fill(detail, back, loading("the program"));
  try {
    const program = await get(["releases", version, "programs", id], { target }, signal);
    if (list.params.id !== id) return;  // another one was chosen since
    fill(detail, back, ...showProgram(program));
    announce(`Program ${program.entry_point}`);
  } catch (error) {
    if (signal.aborted || list.params.id !== id) return;
    fill(detail, back, failure(error, () => showDetail(place)));
  }
}
