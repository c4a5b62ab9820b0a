/** Python text in colours: comments, strings, keywords and numbers. */

import { element } from "./dom.js";

const KEYWORDS = "False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield";
const TOKENS = new RegExp([
  "(?<comment>#[^\\n]*)",
  "(?<string>\\b[rRbBuUfF]{0,2}(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?)|(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?))",
  `(?<keyword>\\b(?:${KEYWORDS})\\b)`,
  "(?<number>\\b\\d[\\w.]*)",
].join("|"), "g");

/** The lines of a Python text, each an element, so that they can be numbered. */
export function highlighted(text) {
  let line = element("span", { class: "line" });
  const lines = [line];
  const add = (piece, kind) => piece.split("\n").forEach((part, index) => {
    if (index) lines.push(line = element("span", { class: "line" }));
    if (part) line.append(kind ? element("span", { class: `py-${kind}` }, part) : part);
  });
  let end = 0;
  const source = text.replace(/\n$/, "");
  for (const found of source.matchAll(TOKENS)) {
    add(source.slice(end, found.index));
    add(found[0], Object.keys(found.groups).find((kind) => found.groups[kind] !== undefined));
    end = found.index + found[0].length;
  }
  add(source.slice(end));
  return lines.flatMap((made) => [made, "\n"]);
}
