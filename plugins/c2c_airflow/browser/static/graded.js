/** Answers that were graded: code of a model, and where it went wrong. */

import { get } from "./api.js";
import { announce, copyButton, element, fill, scrolling } from "./dom.js";
import { count, counted, words } from "./format.js";
import { taskName } from "./evaluations.js";
import { highlighted } from "./python.js";
import { link } from "./router.js";
import { empty, failure, loading } from "./states.js";
import { badge } from "./table.js";

const LIMIT = 5;

/**
 * The answers of an evaluation, page by page: first those that failed.
 * @returns {{node: HTMLElement, choose: function(string, string)}} `choose` shows a category
 */
export function gradedAnswers({ set, name, target, signal, found }) {
  const list = element("div", {});
  const more = element("p", {});
  const status = element("p", { class: "status", role: "status" });
  const choice = (label, values, text) => element("label", {}, label,
    element("select", { change: () => start() }, values.map((value) => element("option", { value }, text(value)))));
  const tasks = found.result.tasks.filter((task) => task.answers).map((task) => task.task);
  const task = choice("Task", tasks, (value) => taskName(value, found.tasks));
  const category = choice("Category", ["failed", ...Object.keys(found.categories), ""],
    (value) => (value === "failed" ? "all that failed" : words(value) || "all"));
  const chosen = () => [task, category].map((label) => label.querySelector("select"));
  let asked = 0;  // what was asked for before is not shown any more

  async function showMore(cursor, shown, number = asked) {
    const [forTask, forCategory] = chosen().map((select) => select.value);
    fill(more, loading("answers"));
    try {
      const page = await get(["evaluations", set, name, "answers"],
        { target, task: forTask, category: forCategory, cursor, limit: LIMIT }, signal);
      if (number !== asked) return;
      list.append(...page.items.map((item) => answer(item, found.release)));
      const total = shown + page.items.length;
      status.textContent = `${counted(total, "answers")} shown${page.next_cursor ? "" : ", all there are"}.`;
      fill(more, page.next_cursor && element("button", { type: "button", click: async () => {
        await showMore(page.next_cursor, total);
        list.children[total]?.querySelector("h3").focus();
      } }, page.items.length ? "Show more" : "Search on"));
      if (!total && !page.next_cursor) fill(more, empty("No such answer.", "Choose another category."));
      announce(status.textContent);
    } catch (error) {
      if (signal.aborted || number !== asked) return;
      fill(more, failure(error, () => showMore(cursor, shown)));
    }
  }

  function start() {
    asked += 1;
    fill(list);
    status.textContent = "";
    return showMore("", 0);
  }

  start();
  return {
    node: [
      element("form", { class: "filters", submit: (event) => event.preventDefault() }, tasks.length > 1 ? task : null, category),
      status, list, more],
    choose(forTask, forCategory) {
      const [taskSelect, categorySelect] = chosen();
      taskSelect.value = forTask;
      categorySelect.value = forCategory;
      start();
      categorySelect.focus();
      category.scrollIntoView({ block: "start" });
    },
  };
}

function answer(item, version) {
  const isFunction = version && /^[0-9a-f]{64}$/.test(item.problem_id);
  const short = isFunction ? item.problem_id.slice(0, 12) : item.problem_id;
  const label = `answer ${item.sample + 1} to ${short}`;
  return element("article", { class: "graded" },
    element("h3", { tabindex: -1 }, `Answer ${count(item.sample + 1)} to `, isFunction
      ? element("a", { href: link(["releases", version, "programs", item.problem_id]) }, short)
      : short),
    element("p", { class: "badges" }, badge(item.category),
      element("span", {}, `${count(item.cases_passed)} of ${counted(item.cases_run, "cases")} right`),
      item.called_by && element("span", {}, `called by ${item.called_by}`),
      item.differential_inputs > 0 && element("span", {}, `${counted(item.differential_inputs, "inputs")} tried in search of a difference`)),
    item.detail && text(`What went wrong with ${label}`, "First case it failed", item.detail),
    item.counterexample && text(`Counterexample of ${label}`, "Arguments on which it differs from the program", item.counterexample),
    item.code
      ? element("div", { class: "code" },
        scrolling(`Code of ${label}`, element("pre", { class: "numbered" }, highlighted(item.code))),
        copyButton(item.code, "Copy code"))
      : text(`Text of ${label}`, "The answer, in which there is no code", item.text || "(empty)"));
}

function text(label, heading, content) {
  return element("div", { class: "message" }, element("h4", { class: "plain" }, heading), scrolling(label, element("pre", {}, content)));
}
