/** Elements made by hand. What a release holds is strangers' text: it is never read as markup. */

/**
 * Make an element.
 * @param {string} name of the tag
 * @param {Object} attributes a function listens to the event of that name; true is an attribute
 *   without value; null, undefined and false are left out
 * @param {...(Node|string|number|Array|null|false)} children text stays text
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...present(children));
  return made;
}

/** Put children into a node in place of those it has. */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

/** Have a screen reader say a text when it has nothing else to say. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer.textContent !== text) announcer.textContent = text;
}

/** A region that scrolls, so that the keyboard must reach it. */
export function scrolling(label, ...children) {
  return element("div", { class: "scrolling", role: "region", "aria-label": label, tabindex: 0 }, ...children);
}

/** A list of terms with what they are: pairs of which the second may be null, and is left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { class: "facts" }, known.map(([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

/** A sentence of ours, in which what stands between backquotes is code. */
export function sentence(text) {
  return String(text).split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** A button that copies a text. */
export function copyButton(text, label = "Copy") {
  return element("button", { type: "button", class: "small", click: async (event) => {
    const button = event.currentTarget;
    button.textContent = (await copy(text)) ? "Copied" : "Select it and copy";
    announce(button.textContent);
    setTimeout(() => { button.textContent = label; }, 2000);
  } }, label);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // not over HTTPS, or not allowed
    const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    before?.focus();
    return copied;
  }
}

function present(children) {
  return children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);
}
