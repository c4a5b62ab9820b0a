/** Numbers, sizes, times and dates as people read them. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const DECIMAL = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const NONE = "–";

/** 12,345. */
export function count(value) {
  return isNumber(value) ? WHOLE.format(value) : NONE;
}

/** 12,345 programs; 1 program. */
export function counted(value, unit) {
  return `${count(value)} ${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** A rate: 1,234 or 5.3. */
export function rate(value) {
  if (!isNumber(value)) return NONE;
  return Math.abs(value) < 100 ? DECIMAL.format(value) : WHOLE.format(value);
}

/** 87.2 %; nothing of nothing is no share. */
export function share(part, whole) {
  return isNumber(part) && whole > 0 ? `${DECIMAL.format((100 * part) / whole)} %` : NONE;
}

/** 1.3 MB, by thousands. */
export function bytes(value) {
  if (!isNumber(value)) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  let scaled = value;
  while (scaled >= 999.95 && power < units.length - 1) {
    scaled /= 1000;
    power += 1;
  }
  return `${power ? DECIMAL.format(scaled) : WHOLE.format(scaled)} ${units[power]}`;
}

/** 4.2 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds) {
  if (!isNumber(seconds)) return NONE;
  if (seconds < 60) return `${seconds < 10 ? DECIMAL.format(seconds) : WHOLE.format(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${count(hours)} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

/** 2026-11-24 13:05:09 UTC of a time stamp; a date stays as it is. */
export function time(value) {
  if (!value) return NONE;
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const zoned = /(Z|[+-]\d\d:?\d\d| UTC)$/.test(text) ? text : `${text}Z`;
  const moment = new Date(zoned);
  return Number.isNaN(moment.getTime()) ? text : `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `failed_to_load` as words. */
export function words(name) {
  return String(name).replaceAll("_", " ");
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
