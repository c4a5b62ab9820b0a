/** One program with its cases, what a trainer sees of it, and where it comes from. */

import { copyButton, element, facts, scrolling } from "./dom.js";
import { count, counted, share } from "./format.js";
import { highlighted } from "./python.js";
import { badge, table } from "./table.js";
import { tabs } from "./tabs.js";

/** The parts of the page for a program. */
export function showProgram(program) {
  const samples = program.samples ?? [];
  return [
    element("h2", { tabindex: -1, class: "name" }, program.entry_point),
    facts([
      ["Split", badge(program.split)],
      ["Licence", program.licence ?? "not known"],
      ["Repository", program.repository],
      ["File", `${program.path}, lines ${count(program.first_line)} to ${count(program.last_line)}`],
      ["Coverage of its cases", share(program.coverage, 1)],
      ["Inputs written by", program.writer],
      ["Dump", program.dump],
      ["Function id", element("code", {}, program.function_id)],
    ]),
    element("h3", {}, "Program"),
    element("div", { class: "code" },
      scrolling("Source of the program", element("pre", { class: "numbered" }, highlighted(program.program))),
      copyButton(program.program, "Copy program")),
    element("h3", {}, counted(program.cases.length, "cases")),
    table("Cases", CASE_COLUMNS, program.cases.map((case_, index) => ({ ...case_, number: index + 1 }))),
    element("h3", {}, "As a trainer sees it"),
    samples.length ? formats(samples) : element("p", { class: "muted" }, "No sample was made of this program."),
  ];
}

const CASE_COLUMNS = [
  { title: "No.", head: true, number: true, cell: (row) => row.number },
  { title: "Arguments", cell: (row) => element("code", {}, row.arguments) },
  { title: "Outcome", cell: (row) => badge(row.outcome) },
  { title: "Output or exception", cell: (row) => element("code", {}, result(row)) },
];

function result({ output, exception, exception_type: type, exception_message: message }) {
  return output ?? exception ?? [type, message].filter(Boolean).join(": ");
}

/** A tab for each format; a format may have several samples of a program. */
function formats(samples) {
  const names = [...new Set(samples.map((sample) => sample.format))];
  return tabs("Training formats", names.map((name) => ({
    title: name,
    content: () => samples.filter((sample) => sample.format === name).map(sampleParts),
  })));
}

function sampleParts(sample) {
  return element("article", { class: "sample" },
    element("p", { class: "muted" }, casesInWords(sample)),
    texts("Prompt", sample.prompt),
    texts("Completion", sample.completion));
}

function texts(role, text) {
  const messages = Array.isArray(text) ? text : text ? [{ role, content: text }] : [];
  return messages.map((message) => element("div", { class: "message" },
    element("h4", {}, message.role),
    scrolling(message.role, element("pre", {}, message.content))));
}

function casesInWords({ shown_cases: shown = [], held_cases: held = [] }) {
  const numbers = (positions) => positions.map((position) => position + 1).join(", ");
  const shows = shown.length ? `Shows ${shown.length === 1 ? "case" : "cases"} ${numbers(shown)}` : "Shows no case";
  return held.length ? `${shows}; holds back ${numbers(held)} for grading.` : `${shows}; holds none back.`;
}
