/** Tabs, of which one is shown. */

import { element, fill } from "./dom.js";

let made = 0;

/**
 * @param {string} label
 * @param {Array<{title: string, content: function(): Array<Node>}>} entries
 */
export function tabs(label, entries) {
  const prefix = `tabs-${(made += 1)}`;
  const panel = element("div", { role: "tabpanel", id: `${prefix}-panel` });
  const buttons = entries.map(({ title }, index) => element("button", {
    type: "button", role: "tab", id: `${prefix}-${index}`, "aria-controls": panel.id, click: () => choose(index),
  }, title));
  const choose = (chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", buttons[chosen].id);
    fill(panel, entries[chosen].content());
  };
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next].focus();
  };
  choose(0);
  return element("div", { class: "tabs" },
    element("div", { role: "tablist", "aria-label": label, keydown: move }, buttons), panel);
}
