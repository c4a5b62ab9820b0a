/** All releases of a target. */

import { get } from "./api.js";
import { element, fill } from "./dom.js";
import { bytes, count, time } from "./format.js";
import { airflowLink } from "./frame.js";
import { link } from "./router.js";
import { empty, loading } from "./states.js";
import { badge, pages, table } from "./table.js";

const PAGE_SIZE = 25;

export const title = () => "Releases";

export async function show({ main, query, target, signal }) {
  const page = Number(query.get("page")) || 1;
  const body = element("div", {}, loading("releases"));
  fill(main, element("h1", { tabindex: -1 }, "Releases"), body);
  const found = await get(["releases"], { target, page, page_size: PAGE_SIZE }, signal);
  if (!found.total) {
    fill(body, empty("No release yet.", "Trigger ", airflowLink("dags/case2code_build", "case2code_build"), " to make the first one."));
    return;
  }
  fill(body,
    table("Releases", COLUMNS, found.items),
    pages(found.page, found.page_size, found.total, (to) => link(["releases"], { page: to })));
}

const COLUMNS = [
  { title: "Version", head: true, class: "nowrap", cell: (row) => element("a", { href: link(["releases", row.version]) }, row.version) },
  { title: "State", cell: (row) => element("span", { class: "badges" }, (row.states ?? []).map(badge)) },
  { title: "Date", cell: (row) => time(row.date), class: "nowrap" },
  { title: "Programs", number: true, cell: (row) => count(row.programs) },
  { title: "Samples", number: true, cell: (row) => count(row.samples) },
  { title: "Size", number: true, cell: (row) => bytes(row.bytes) },
  { title: "Adds to", cell: (row) => row.parent ?? "–", class: "nowrap" },
  { title: "Look at", cell: (row) => element("span", { class: "links" },
    element("a", { href: link(["releases", row.version, "programs"]), "aria-label": `Browse programs of ${row.version}` }, "Browse"),
    row.parent && element("a", { href: link(["diff", row.parent, row.version]), "aria-label": `Compare ${row.version} with ${row.parent}` }, "Compare")) },
  { title: "Note", has: (row) => row.note, cell: (row) => row.note ?? "", class: "note" },
];
