// What is selected in a sheet, and what it comes to: a rectangle of cells, its figures, and its text for a spreadsheet.

const FORMULA = /^[=+\-@\t\r]/;

/** A rectangle between two corners, `[row, column]` each. */
export function rectangle([row, column], [other_row, other_column]) {
  return {
    top: Math.min(row, other_row),
    bottom: Math.max(row, other_row),
    left: Math.min(column, other_column),
    right: Math.max(column, other_column),
  };
}

/** The values in a rectangle, row by row: numbers, texts, and null for what is empty. */
export function valuesIn({ top, bottom, left, right }, rows, columns) {
  return rows.slice(top, bottom + 1).map((row) => columns.slice(left, right + 1).map((column) => column.value(row)));
}

/** `{cells, count, sum, average, least, most}`: `count` is of the numbers; without any the others are null. */
export function figuresOf(values) {
  const all = values.flat();
  const numbers = all.filter((value) => typeof value === "number");
  if (!numbers.length) return { cells: all.length, count: 0, sum: null, average: null, least: null, most: null };
  const sum = numbers.reduce((total, value) => total + value, 0);
  return {
    cells: all.length,
    count: numbers.length,
    sum,
    average: sum / numbers.length,
    least: numbers.reduce((one, other) => Math.min(one, other)),
    most: numbers.reduce((one, other) => Math.max(one, other)),
  };
}

/** Lines with tabs between, as spreadsheets take them. What would be taken for a formula has an apostrophe before it. */
export function textOf(values) {
  return values.map((row) => row.map(word).join("\t")).join("\n");
}

function word(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(Math.round(value * 1e6) / 1e6);
  const text = String(value).replace(/[\t\r\n]+/g, " ");
  return FORMULA.test(text) ? `'${text}` : text;
}
