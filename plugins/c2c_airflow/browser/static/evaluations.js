/** The leaderboard: evaluations that asked the same problems, best first. */

import { get } from "./api.js";
import { announce, element, fill } from "./dom.js";
import { count, counted, time, words } from "./format.js";
import { interval, rateOf } from "./intervals.js";
import { link } from "./router.js";
import { empty, loading } from "./states.js";
import { badge, table } from "./table.js";

const FILTERS = ["task", "release"];

export const title = () => "Evaluations";

export async function show({ main, query, target, signal }) {
  const body = element("div", {}, loading("evaluations"));
  fill(main, element("h1", { tabindex: -1 }, "Evaluations"), body);
  const found = await get(["evaluations"], { target }, signal);
  if (!found.boards.length && !found.unreadable.length) {
    fill(body, empty("No evaluation yet.", "Run ", element("code", {}, "c2c evaluate"), ", or trigger the DAG case2code_evaluate, to grade a model on a release."));
    return;
  }
  const chosen = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const boards = found.boards.filter((board) =>
    (!chosen.task || board.task === chosen.task)
    && (!chosen.release || board.standings.some((row) => row.problem_set === chosen.release)));
  fill(body,
    filters(found, chosen),
    element("p", { class: "muted" }, "Only evaluations that asked the same problems, in the same way, are compared. They are ranked by pass@1 on what no prompt shows. A model stands behind those whose whole interval lies above its own, so models that differ by no more than chance share a rank."),
    boards.length ? boards.map((board) => boardSection(board, found)) : empty("No evaluation fits.", "Clear the filters to see all."),
    found.unreadable.length ? unreadable(found.unreadable) : null);
}

function filters({ boards, tasks }, chosen) {
  const choice = (name, text, values, label = (value) => value) => element("label", {}, text,
    element("select", { name, change: (event) => {
      location.hash = link(["evaluations"], { ...chosen, [name]: event.currentTarget.value });
    } },
    element("option", { value: "" }, "all"),
    [...new Set([chosen[name], ...values])].filter(Boolean).sort().reverse().map((value) =>
      element("option", { value, selected: value === chosen[name] }, label(value)))));
  return element("form", { class: "filters", submit: (event) => event.preventDefault() },
    choice("task", "Task", boards.map((board) => board.task), (task) => taskName(task, tasks)),
    choice("release", "Release or file", boards.flatMap((board) => board.standings.map((row) => row.problem_set))),
    FILTERS.some((name) => chosen[name]) && element("a", { class: "button", href: link(["evaluations"]) }, "Clear"));
}

/** The name of a task, without what it asks for. */
export function taskName(task, tasks) {
  return (tasks?.[task] ?? words(task)).split(":")[0];
}

function boardSection(board, { tasks, graded_on: gradedOn }) {
  const { split, problem_set: set, release } = board;
  const about = [
    set && [release ? element("a", { href: link(["releases", release]) }, set) : set, split && `, ${split} split`],
    counted(board.problems, "problems"),
    board.few_shot ? `${counted(board.few_shot, "solved problems")} in the prompt` : "zero-shot",
    board.float_tolerance ? `floats may differ by ${board.float_tolerance}` : null,
  ].filter(Boolean);
  const heading = [taskName(board.task, tasks), set && ` on ${set}`];
  const place = element("div", {});
  drawStandings(place, heading.filter(Boolean).join(""), board, gradedOn, null);
  return element("section", { class: "board" },
    element("h2", {}, heading),
    element("p", { class: "muted" }, about.map((part, index) => [index ? " · " : "", part])),
    place);
}

/** Draw the table, in the order of a column that was chosen; null: by rank. */
function drawStandings(place, label, board, gradedOn, order) {
  const columns = standingColumns(board, gradedOn);
  const sorted = columns[order?.column];
  const rows = [...board.standings];
  if (sorted) rows.sort((one, other) => (order.descending ? -1 : 1) * compare(sorted.value(one), sorted.value(other)));
  const choose = (index, descending) => {
    drawStandings(place, label, board, gradedOn, { column: index, descending });
    place.querySelectorAll("thead th")[index].querySelector("button").focus();
    announce(`Sorted by ${columns[index].name}`);
  };
  const titled = columns.map((column, index) => {
    const isSorted = order?.column === index;
    const descending = isSorted ? !order.descending : column.descending === true;
    return {
      ...column,
      sorted: isSorted ? (order.descending ? "descending" : "ascending") : null,
      title: element("button", { type: "button", class: "sort", click: () => choose(index, descending) },
        column.name, isSorted && element("span", { "aria-hidden": "true" }, order.descending ? " ↓" : " ↑")),
    };
  });
  fill(place, table(label, titled, rows, "standings"));
}

function compare(one, other) {
  if (typeof one === "string" || typeof other === "string") return String(one).localeCompare(String(other));
  return one - other;
}

function standingColumns({ standings }, gradedOn) {
  const ranks = standings.map((row) => row.rank);
  const rankText = ({ rank }) => {
    if (rank === null) return "–";
    return ranks.filter((other) => other === rank).length > 1 ? `${rank} =` : `${rank}`;
  };
  const rates = [...new Map(standings.flatMap((row) => row.pass_at).map((rate) => [`${rate.k} ${rate.graded_on}`, rate])).values()]
    .filter((rate) => rate.k === 1 || rate.graded_on === standings[0].ranked_by);
  return [
    { name: "Rank", class: "nowrap", value: (row) => row.rank ?? Infinity, cell: rankText },
    { name: "Model", head: true, value: (row) => row.model, cell: (row) => [
      element("a", { href: link(["evaluations", row.problem_set, row.name]) }, row.model),
      " ", row.rank === null ? badge("bound") : row.solver !== "vllm" && badge(row.solver)] },
    ...rates.map(({ k, graded_on: on }) => ({
      name: `pass@${k}, ${gradedOn[on] ?? words(on)}`, class: "wrapped", descending: true,
      value: (row) => rateOf(row.pass_at, on, k)?.value ?? -1,
      cell: (row) => interval(rateOf(row.pass_at, on, k)),
    })),
    { name: "Answers", number: true, descending: true, value: (row) => row.answers, cell: (row) => [
      count(row.answers), row.missing_answers > 0 && ` (${count(row.missing_answers)} missing)`] },
    standings.some((row) => row.prompt_style) && { name: "Prompt", value: (row) => row.prompt_style ?? "", cell: (row) => row.prompt_style ?? "–" },
    standings.some((row) => row.temperature !== null) && { name: "Temperature", number: true, value: (row) => row.temperature ?? -1, cell: (row) => row.temperature ?? "–" },
    { name: "Date", class: "nowrap", descending: true, value: (row) => row.date, cell: (row) => time(row.date) },
  ].filter(Boolean);
}

function unreadable(rows) {
  return element("section", {}, element("h2", {}, "Cannot be read"),
    table("Evaluations that cannot be read", [
      { title: "Release or file", class: "nowrap", cell: (row) => row.problem_set },
      { title: "Evaluation", head: true, class: "nowrap", cell: (row) => row.name },
      { title: "Why", class: "note", cell: (row) => row.fault },
    ], rows));
}
