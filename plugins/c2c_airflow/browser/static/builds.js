/** Builds that the catalogue knows, those that started last first. */

import { get } from "./api.js";
import { element, fill } from "./dom.js";
import { count, duration, time, words } from "./format.js";
import { airflowLink } from "./frame.js";
import { link } from "./router.js";
import { empty, loading } from "./states.js";
import { badge, table } from "./table.js";

const LIMIT = 50;

export const title = () => "Builds";

export async function show({ main, target, signal }) {
  const body = element("div", {}, loading("builds"));
  fill(main, element("h1", { tabindex: -1 }, "Builds"), body);
  const { items } = await get(["builds"], { target, limit: LIMIT }, signal);
  fill(body, items.length
    ? [table("Builds", COLUMNS, items), items.length === LIMIT && element("p", { class: "muted" }, `The last ${LIMIT} builds.`)]
    : empty("No build yet.", "Trigger ", airflowLink("dags/case2code_build", "case2code_build"), " to start one."));
}

/** A place in the target of a build: the list is of all targets, where none is chosen. */
const place = (segments, { target }) => link(segments, { target });

const COLUMNS = [
  { title: "Build", head: true, class: "nowrap", cell: (row) => element("a", { href: place(["builds", row.build], row) }, row.build) },
  { title: "State", cell: (row) => badge(row.state) },
  { title: "Date", cell: (row) => time(row.date), class: "nowrap" },
  { title: "Mode", cell: (row) => words(row.mode) },
  { title: "Started", cell: (row) => time(row.started), class: "nowrap" },
  { title: "Took", number: true, cell: (row) => duration(row.seconds) },
  { title: "Programs", number: true, cell: (row) => count(row.programs) },
  { title: "Release", class: "nowrap", cell: (row) => (row.release ? element("a", { href: place(["releases", row.release], row) }, row.release) : "–") },
  { title: "Message", has: (row) => row.message, cell: (row) => row.message ?? "", class: "note" },
];
