/** Pass rates: the number, its interval, and a bar that shows both. */

import { element } from "./dom.js";
import { share } from "./format.js";

/** A rate of 0 to 1 with its interval as text: 41.2 % (35.0 to 47.5). */
export function rateInWords({ value, low, high }) {
  const bare = (number) => share(number, 1).replace(" %", "");
  return `${share(value, 1)} (${bare(low)} to ${bare(high)})`;
}

/** A rate with a bar for the eye alone: its band is the interval, its mark the value. */
export function interval(rate) {
  if (!rate) return "–";
  const band = element("span", { class: "band" });
  band.style.insetInlineStart = percent(rate.low);
  band.style.inlineSize = percent(rate.high - rate.low);
  const mark = element("span", { class: "mark" });
  mark.style.insetInlineStart = percent(rate.value);
  return element("span", { class: "rate" },
    element("span", { class: "interval", "aria-hidden": "true" }, band, mark),
    element("span", {}, rateInWords(rate)));
}

/** The rate of `graded_on` and `k` among several; undefined where it was not computed. */
export function rateOf(rates, gradedOn, k = 1) {
  return rates.find((rate) => rate.graded_on === gradedOn && rate.k === k);
}

function percent(number) {
  return `${Math.min(100, Math.max(0, 100 * number))}%`;
}
