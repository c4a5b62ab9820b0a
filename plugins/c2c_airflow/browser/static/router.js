/** Places of the page, kept in the hash: `#/releases/V/programs?search=…&target=…`. */

/** The place that a hash names. */
export function parse(hash) {
  const [path, query = ""] = split(hash.replace(/^#\/?/, ""));
  return {
    segments: path.split("/").filter(Boolean).map(decoded),
    query: new URLSearchParams(query),
  };
}

/** The hash of a place. The target that is looked at now stays, unless the query names one. */
export function link(segments, query = {}) {
  const target = parse(location.hash).query.get("target");
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries({ target, ...query })) {
    if (value !== null && value !== undefined && value !== "") parameters.set(key, value);
  }
  const text = parameters.toString();
  return `#/${segments.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/**
 * Find the view of a place.
 * @param {Array<[string, Object]>} routes patterns as `releases/:version`, with their views
 * @returns {{view: Object, params: Object}|null}
 */
export function match(routes, segments) {
  for (const [pattern, view] of routes) {
    const parts = pattern.split("/");
    if (parts.length !== segments.length) continue;
    const params = {};
    const fits = parts.every((part, index) => {
      if (!part.startsWith(":")) return part === segments[index];
      params[part.slice(1)] = segments[index];
      return true;
    });
    if (fits) return { view, params };
  }
  return null;
}

function split(text) {
  const at = text.indexOf("?");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {  // a stray percent sign
    return text;
  }
}
