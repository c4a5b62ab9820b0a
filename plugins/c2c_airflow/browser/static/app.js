/** The page: which view is shown, for which place. */

import { get } from "./api.js";
import * as build from "./build.js";
import * as builds from "./builds.js";
import * as diff from "./diff.js";
import { element, fill } from "./dom.js";
import * as evaluation from "./evaluation.js";
import * as evaluations from "./evaluations.js";
import { mirrorHash } from "./frame.js";
import * as programs from "./programs.js";
import * as release from "./release.js";
import * as releases from "./releases.js";
import { link, match, parse } from "./router.js";
import { empty, failure } from "./states.js";
import { followTheme } from "./theme.js";

/**
 * A view has `title(params)` and an async `show(place)`, which fills `place.main`. One that has
 * `update(place)` may take over a new place from an old one: it returns whether it did.
 */
const ROUTES = [
  ["releases", releases],
  ["releases/:version", release],
  ["releases/:version/programs", programs],
  ["releases/:version/programs/:id", programs],
  ["diff", diff],
  ["diff/:a/:b", diff],
  ["evaluations", evaluations],
  ["evaluations/:set/:name", evaluation],
  ["builds", builds],
  ["builds/:id", build],
];

const main = document.getElementById("main");
let shown = { view: null, leaving: new AbortController() };

async function show(isFirst) {
  const { segments, query } = parse(location.hash);
  if (!segments.length) {
    location.replace(link(["releases"]));
    return;
  }
  mirrorHash();
  const { view, params } = match(ROUTES, segments) ?? { view: null, params: {} };
  document.title = `${view?.title(params) ?? "Not found"} · Case2Code`;
  markNavigation(segments[0]);
  const place = { main, params, query, target: query.get("target"), reload: () => show(false) };

  if (view && view === shown.view && view.update?.(place)) return;
  shown.leaving.abort();
  shown = { view, leaving: new AbortController() };
  place.signal = shown.leaving.signal;
  fill(main);
  scrollTo(0, 0);
  if (!view) {
    fill(main, element("h1", { tabindex: -1 }, "Not found"), empty("There is no such page.", element("a", { href: link(["releases"]) }, "See all releases")));
  } else {
    run(view, place);
  }
  if (!isFirst) (main.querySelector("h1") ?? main).focus();
}

/** A view puts its heading before it waits for anything. What it throws is shown below it. */
async function run(view, place) {
  try {
    await view.show(place);
  } catch (error) {
    if (place.signal.aborted) return;
    main.querySelector(".loading")?.remove();
    main.append(failure(error, place.reload));
  }
}

function markNavigation(first) {
  for (const anchor of document.querySelectorAll("header [data-view]")) {
    anchor.href = link([anchor.dataset.view]);
    if (anchor.dataset.view === first) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.querySelector("header .brand").href = link(["releases"]);
}

/** Offer the targets, where there is more than one. A view says why where there is none. */
async function offerTargets() {
  const label = document.getElementById("target");
  const select = label.querySelector("select");
  const { items, note } = await get(["targets"]);
  if (note) main.before(element("p", { class: "notice wide", role: "status" }, note));
  if (items.length < 2) return;
  const current = parse(location.hash).query.get("target");
  fill(select, items.map((item) => element("option", {
    value: item.uri, selected: current ? item.uri === current : item.default,
  }, item.uri)));
  select.addEventListener("change", () => {
    const { segments } = parse(location.hash);
    const chosen = items.find((item) => item.uri === select.value);
    location.hash = link([segments[0]], { target: chosen.default ? null : chosen.uri });
  });
  label.hidden = false;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();  // the hash is the place
  main.focus();
});
followTheme();
window.addEventListener("hashchange", () => show(false));
show(true);
offerTargets().catch(() => {});
