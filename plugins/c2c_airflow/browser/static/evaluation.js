/** One evaluation: how often answers were right, what came of the others, and how it was asked. */

import { address, get } from "./api.js";
import { copyButton, element, facts, fill, scrolling } from "./dom.js";
import { bytes, count, counted, duration, share, time, words } from "./format.js";
import { taskName } from "./evaluations.js";
import { bar, funnelTable } from "./funnel.js";
import { gradedAnswers } from "./graded.js";
import { interval, rateOf } from "./intervals.js";
import { optionTable, section, tree } from "./release.js";
import { link } from "./router.js";
import { loading } from "./states.js";
import { table } from "./table.js";

const BOUNDS = {
  reference: "No model has answered: these are the recorded programs themselves, which show how high a model can come.",
  lookup: "No model has answered: this is a table of the cases that each prompt shows, which shows how much that alone is worth.",
};

const SOURCES = ["release", "case_file", "mbpp_file"];

export const title = ({ name }) => `Evaluation ${name}`;

export async function show({ main, params: { set, name }, target, signal }) {
  const body = element("div", {}, loading("the evaluation"));
  fill(main, element("h1", { tabindex: -1 }, "Evaluation ", name), body);
  const found = await get(["evaluations", set, name], { target }, signal);
  const { result } = found;
  const answers = found.has_answers ? gradedAnswers({ set, name, target, signal, found }) : null;
  fill(body,
    BOUNDS[result.solver.name] && element("p", { class: "notice" }, BOUNDS[result.solver.name]),
    result.remarks.map((remark) => element("p", { class: "notice" }, `${remark}.`)),
    element("p", { class: "links" },
      element("a", { class: "button", href: link(["evaluations"], { release: set }) }, "Leaderboard"),
      found.release && element("a", { class: "button", href: link(["releases", found.release]) }, `Release ${found.release}`),
      element("a", { class: "button", href: address(["evaluations", set, name, "card"], { target }), download: `${name}.md` }, "Report as Markdown")),
    facts([
      ["Model", result.model],
      ["Problems of", problemsOf(result)],
      ["Date", time(result.date)],
      ["Tokens read", result.prompt_tokens ? count(result.prompt_tokens) : null],
      ["Tokens written", result.completion_tokens ? count(result.completion_tokens) : null],
      ...Object.entries(result.seconds).map(([step, seconds]) => [`Time to ${words(step)}, all shards`, duration(seconds)]),
      ["Size", `${bytes(found.bytes)} in ${count(found.files)} files`],
      ["Run", result.evaluation_id],
    ]),
    result.tasks.map((task) => taskSection(task, found, answers)),
    answers && section("Answers", answers.node),
    section("Problems and answers that went on", wentOn(found)),
    section("Skipped", skipped(found)),
    section("Run it again", element("div", { class: "code" }, scrolling("Command", element("pre", {}, found.command)), copyButton(found.command, "Copy command"))),
    section("Solver", tree(result.solver)),
    section("Sandbox", tree(result.sandbox)),
    section("What it was made with", tree({
      code_version: result.code_version,
      address: found.uri,
      ...Object.fromEntries(SOURCES.filter((source) => result[source]).map((source) => [source, result[source]])),
    })),
    section("Options", optionTable(found.options, "evaluation")));
}

function problemsOf({ release, case_file: file }) {
  if (release) return `${release.version}, ${release.split} split`;
  return file ? element("code", {}, file.uri) : "benchmarks";
}

function wentOn({ funnel }) {
  return funnel?.length ? funnelTable(funnel) : null;
}

function skipped({ problems, problems_in_all: all }) {
  if (!problems.length) return null;
  return element("details", {}, element("summary", {}, `The first ${count(problems.length)} of ${count(all)} that are named`),
    element("ul", {}, problems.map((problem) => element("li", {}, problem))));
}

function taskSection(task, found, answers) {
  const name = taskName(task.task, found.tasks);
  return element("section", {},
    element("h2", {}, name),
    element("p", {}, inWords(task)),
    task.pass_at.length ? passTable(task, found.graded_on, name) : element("p", { class: "muted" }, "Nothing was answered, so there is no rate."),
    task.answers > 0 && [element("h3", {}, "What came of the answers"), categories(task, found, name, answers)],
    Object.entries(task.breakdowns).map(([by, groups]) => breakdown(groups, found.breakdowns[by] ?? words(by), found.graded_on, name)));
}

function inWords(task) {
  return [
    `${counted(task.problems, "problems")}, ${counted(task.answers, "answers")}.`,
    task.unanswered && `${counted(task.unanswered, "problems")} without an answer, wrong.`,
    task.missing_answers && `${counted(task.missing_answers, "answers")} missing, wrong.`,
    task.ungraded && `${counted(task.ungraded, "problems")} could not be graded and do not count.`,
    task.truncated && `${counted(task.truncated, "answers")} cut off at the limit of tokens.`,
  ].filter(Boolean).join(" ");
}

function gradedOnOf(rates) {
  return [...new Set(rates.map((rate) => rate.graded_on))];
}

function passTable(task, labels, name) {
  const ks = [...new Set(task.pass_at.map((rate) => rate.k))];
  return table(`pass@k of ${name}`, [
    { title: "Right on", head: true, cell: (on) => labels[on] ?? words(on) },
    ...ks.map((k) => ({ title: `pass@${k}`, cell: (on) => interval(rateOf(task.pass_at, on, k)) })),
  ], gradedOnOf(task.pass_at), "compact");
}

/** A bar of all answers by category, and the table that says the same. */
function categories(task, found, name, answers) {
  const rows = Object.entries(task.categories).map(([category, number]) => ({ category, number }));
  const parts = rows.filter((row) => row.number).map((row) => {
    const part = element("span", { class: `part ${row.category}` });
    part.style.inlineSize = `${(100 * row.number) / task.answers}%`;
    return part;
  });
  return [
    element("div", { class: "stacked", "aria-hidden": "true" }, parts),
    table(`Answers of ${name} by what came of them`, [
      { title: "Category", head: true, class: "nowrap", cell: (row) => [
        element("span", { class: `swatch ${row.category}`, "aria-hidden": "true" }), words(row.category)] },
      { title: "Answers", number: true, cell: (row) => count(row.number) },
      { title: "Share", class: "nowrap kept", cell: (row) => [bar(row.number, task.answers), " ", share(row.number, task.answers)] },
      { title: "Meaning", class: "note", cell: (row) => found.categories[row.category] ?? "" },
      { title: "Look at", has: () => answers, cell: (row) => row.number > 0 && element("button", {
        type: "button", class: "small", "aria-label": `Show ${words(row.category)} answers of ${name}`,
        click: () => answers.choose(task.task, row.category),
      }, "Show") },
    ], rows, "categories"),
  ];
}

function breakdown(groups, heading, labels, name) {
  const on = gradedOnOf(groups.flatMap((group) => group.pass_at_1));
  return [
    element("h3", {}, heading),
    table(`pass@1 of ${name} by: ${heading}`, [
      { title: "Group", head: true, class: "nowrap", cell: (group) => group.label },
      { title: "Problems", number: true, cell: (group) => count(group.problems) },
      ...on.map((gradedOn) => ({ title: `pass@1, ${labels[gradedOn] ?? words(gradedOn)}`, cell: (group) => interval(rateOf(group.pass_at_1, gradedOn)) })),
    ], groups, "compact"),
  ];
}
