/** What a view shows in place of data: that it is loading, that there is none, what went wrong. */

import { element } from "./dom.js";
import { loginLink } from "./frame.js";
import { link } from "./router.js";

/** Shown only where it takes long enough to be noticed. */
export function loading(what) {
  return element("p", { class: "loading", role: "status" }, `Loading ${what} …`);
}

/** That there is nothing, and what to do. */
export function empty(title, ...advice) {
  return element("div", { class: "notice" }, element("p", { class: "notice-title" }, title), element("p", {}, ...advice));
}

/** What went wrong and what to do. `retry` tries again. */
export function failure(error, retry) {
  const [title, advice] = explained(error);
  const again = retry && ![401, 403, 404].includes(error.status);
  return element("div", { class: "notice bad", role: "alert" },
    element("p", { class: "notice-title" }, title),
    error.message && error.status !== 401 && element("p", { class: "detail" }, error.message),
    element("p", {}, advice),
    again && element("p", {}, element("button", { type: "button", click: retry }, "Try again")));
}

function explained(error) {
  switch (error.status) {
    case 0:
      return ["Airflow does not answer", "Check that its API server runs and that you are connected, then try again."];
    case 400:
    case 422:
      return ["The request is not valid", "Go back, or change the filters."];
    case 401:
      return ["You are not logged in", [loginLink("Log in to Airflow"), ", and you come back to this page."]];
    case 403:
      return ["You may not see this", "Ask an administrator of this Airflow for a role that may read the DAG case2code_build."];
    case 404:
      return ["It is not there", ["It may have been withdrawn or retired. See ", element("a", { href: link(["releases"]) }, "all releases"), "."]];
    case 502:
    case 503:
    case 504:
      return ["The store or the catalogue does not answer", "Check that its server runs and that the API server has its address and credentials, then try again."];
    default:
      if (error.status === undefined) console.error(error);
      return ["Something went wrong", "Try again. If it stays, the log of Airflow's API server says more."];
  }
}
