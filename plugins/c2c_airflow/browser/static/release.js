/** One release: what it holds, how it came about, how to cite it. */

import { address, get } from "./api.js";
import { copyButton, element, facts, fill, scrolling } from "./dom.js";
import { bytes, count, duration, time, words } from "./format.js";
import { runLink } from "./frame.js";
import { funnelTable } from "./funnel.js";
import { link } from "./router.js";
import { loading } from "./states.js";
import { badge, table } from "./table.js";

export const title = ({ version }) => `Release ${version}`;

export async function show({ main, params: { version }, target, signal }) {
  const body = element("div", {}, loading("the release"));
  fill(main, element("h1", { tabindex: -1 }, "Release ", version), body);
  const release = await get(["releases", version], { target }, signal);
  fill(body,
    element("p", { class: "badges" }, (release.states ?? []).map(badge), release.note && element("span", {}, release.note)),
    actions(release, target),
    facts([
      ["Date", time(release.date)],
      ["Adds to", release.parent && element("a", { href: link(["releases", release.parent]) }, release.parent)],
      ["Build", release.build && [element("a", { href: link(["builds", release.build]) }, release.build), " (", runLink(release.build, "Airflow run"), ")"]],
      ["Size", `${bytes(release.bytes)} in ${count(release.files)} files`],
      ["Build time", release.seconds && duration(release.seconds)],
      ["Code version", release.code_version],
      ["Address", element("code", {}, release.uri)],
    ]),
    section("Funnel", release.funnel?.length ? funnelTable(release.funnel) : null),
    section("Rows by split", splits(release.splits)),
    section("Plots", plots(release, target)),
    section("Citation", citation(release.citation)),
    section("Writer of the inputs", tree(release.writer)),
    section("Sandbox", tree(release.sandbox)),
    section("Options", optionTable(release.options, "build")));
}

function actions(release, target) {
  const { version, parent } = release;
  return element("p", { class: "links" },
    element("a", { class: "button", href: link(["releases", version, "programs"]) }, "Browse programs"),
    parent && element("a", { class: "button", href: link(["diff", parent, version]) }, `Compare with ${parent}`),
    element("a", { class: "button", href: link(["evaluations"], { release: version }) }, "Evaluations"),
    element("a", { class: "button", href: address(["releases", version, "card"], { target }), download: `${version}.md` }, "Dataset card"));
}

/** A part of the page; null where there is nothing in it. */
export function section(heading, content) {
  return content && element("section", {}, element("h2", {}, heading), content);
}

function splits(configs) {
  const rows = Object.entries(configs ?? {});
  if (!rows.length) return null;
  const names = [...new Set(rows.flatMap(([, bySplit]) => Object.keys(bySplit)))];
  return table("Rows by config and split", [
    { title: "Config", head: true, cell: ([config]) => config },
    ...names.map((name) => ({ title: name, number: true, cell: ([, bySplit]) => count(bySplit[name] ?? 0) })),
    { title: "All", number: true, cell: ([, bySplit]) => count(Object.values(bySplit).reduce((sum, rows_) => sum + rows_, 0)) },
  ], rows, "compact");
}

function plots(release, target) {
  if (!release.plots?.length) return null;
  return element("div", { class: "plots" }, release.plots.map((plot) => element("figure", {},
    element("img", { src: address(["releases", release.version, "plots", plot.name], { target }), alt: `Plot: ${plot.title}`, loading: "lazy" }),
    element("figcaption", {}, plot.title))));
}

function citation(text) {
  return text && element("div", { class: "code" }, scrolling("Citation", element("pre", {}, text)), copyButton(text, "Copy citation"));
}

/** Facts of any depth, as pairs of a name and what is known. */
export function tree(value) {
  const pairs = flattened(value);
  return pairs.length ? facts(pairs) : null;
}

function flattened(value, above = "") {
  return Object.entries(value ?? {}).flatMap(([name, inner]) => {
    const path = above ? `${above}, ${words(name)}` : words(name);
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) return flattened(inner, path);
    return [[path, shownValue(inner)]];
  });
}

/** The options of a run, by section, as a table that opens. */
export function optionTable(sections, run) {
  const rows = Object.entries(sections ?? {}).flatMap(([name, values]) =>
    Object.entries(values).map(([option, value]) => ({ option: `${name}.${option}`, value })));
  if (!rows.length) return null;
  return element("details", {}, element("summary", {}, `All ${count(rows.length)} options of the ${run}`),
    table("Options", [
      { title: "Option", head: true, class: "nowrap", cell: (row) => element("code", {}, row.option) },
      { title: "Value", cell: (row) => shownValue(row.value) },
    ], rows, "compact"));
}

/** A value of an option or a fact, as text. */
export function shownValue(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : String(value);
  if (Array.isArray(value)) return value.map(shownValue).join(", ") || "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
