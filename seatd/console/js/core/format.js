// Numbers, times and words, the same on every page. All times are UTC, 24 hours.

const WHOLE = new Intl.NumberFormat("en-GB");
const TENTH = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

/** 12,345 */
export function number(value) {
  return value === null || value === undefined ? "" : WHOLE.format(value);
}

/** 12.3 */
export function decimal(value) {
  return value === null || value === undefined ? "" : TENTH.format(value);
}

/** +12.5 %; "" when it is not known. */
export function growth(percent) {
  if (percent === null || percent === undefined) return "";
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${TENTH.format(Math.abs(percent))} %`;
}

/** 2026-01-31 */
export function day(moment) {
  return moment ? moment.slice(0, 10) : "";
}

/** 2026-01-31 14:05 */
export function minute(moment) {
  return moment ? `${moment.slice(0, 10)} ${moment.slice(11, 16)}` : "";
}

/** 2026-01-31 14:05:09 */
export function second(moment) {
  return moment ? `${moment.slice(0, 10)} ${moment.slice(11, 19)}` : "";
}

/** 14:05:09 of a Date. */
export function clock(date) {
  return date.toISOString().slice(11, 19);
}

/** "3 seats", "1 seat" */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** How long ago: "12 s", "5 min", "3 h 20 min", "4 days". */
export function ago(moment, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** "limit_lowered" as "Limit lowered". */
export function words(code) {
  const text = code.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}
