/**
 * Airflow around this page. Its UI shows the page in an iframe whose sandbox lets no link of ours
 * leave the frame, so that links to Airflow are followed by the document around it.
 */

import { element } from "./dom.js";

const ROOT = new URL("../../", import.meta.url);  // of Airflow's UI

/** A link to a page of Airflow, as `dags/case2code_build`. */
export function airflowLink(path, ...children) {
  return outerLink(new URL(path, ROOT).href, ...children);
}

/** A link to Airflow's log-in page, which leads back to here. */
export function loginLink(...children) {
  const url = new URL("api/v2/auth/login", ROOT);
  url.searchParams.set("next", (outer() ?? window).location.href);
  return outerLink(url.href, ...children);
}

/** The link to the page of an Airflow run. Build ids are run ids. */
export function runLink(build, ...children) {
  return airflowLink(`dags/case2code_build/runs/${encodeURIComponent(build)}`, ...children);
}

/** Show where this page is in the address bar of Airflow's UI, which leads back to it from there. */
export function mirrorHash() {
  const window_ = outer();
  if (!window_ || !/^(?!.*\/dags\/).*\/plugin\//.test(window_.location.pathname)) return;
  const { pathname, search } = window_.location;
  window_.history.replaceState(window_.history.state, "", `${pathname}${search}${location.hash}`);
}

function outerLink(href, ...children) {
  return element("a", { href, target: "_top", click: follow }, ...children);
}

function follow(event) {
  const window_ = outer();
  if (!window_ || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const link = window_.document.createElement("a");
  link.href = event.currentTarget.href;
  window_.document.body.append(link);
  link.click();
  link.remove();
}

/** The window around this one; null where there is none, or it is of another origin. */
function outer() {
  try {
    return window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return null;
  }
}
