// What became of a CSV file, row by row; what is wrong comes first, with its column.

import { h } from "../../core/dom.js";
import { counted, number } from "../../core/format.js";
import { badge } from "../../elements/badge.js";
import { dataTable } from "../../elements/data-table.js";
import { icon } from "../../elements/icon.js";

const OUTCOMES = { created: ["Created", "good"], checked: ["Good", "good"], wrong: ["Wrong", "bad"], left: ["Not made", ""] };
const SIZE = 50;

/** An element that shows a report. */
export function bulkReport(report) {
  const lines = linesOf(report);
  const table = dataTable({
    label: "Report",
    columns: [
      { key: "row", label: "Row", class: "number", render: ({ row }) => (row ? number(row) : "–") },
      { key: "extension", label: "Extension", class: "nowrap" },
      { key: "outcome", label: "Outcome", render: ({ outcome }) => badge(...OUTCOMES[outcome]) },
      { key: "column", label: "Column", class: "nowrap" },
      { key: "message", label: "What is wrong" },
    ],
    rowKey: (line) => line.key,
    onPage: (to) => show(to),
  });
  const show = ({ page, size }) => table.show({ items: lines.slice((page - 1) * size, page * size), page, size, total: lines.length });
  show({ page: 1, size: SIZE });
  return h("section", { class: "change" }, summary(report, lines), table);
}

function summary({ status, rows, created }, lines) {
  const wrong = lines.filter(({ outcome }) => outcome === "wrong").length;
  if (status === "refused") return h("div", { class: "problem", role: "alert" }, icon("alert"), h("p", {}, `${counted(wrong, "fault")} in the file. Nothing was changed.`));
  const text = status === "created" ? `${counted(created, "extension")} made.` : `All ${counted(rows, "row")} are good. Nothing is made yet.`;
  return h("p", { role: "status" }, badge(status === "created" ? "Done" : "Checked", "good"), " ", text);
}

/** A line per fault; a row without one has one line. The API names a place "row 3, User". */
function linesOf({ report, errors }) {
  const wrong = [];
  const rest = [];
  for (const { row, extension, outcome, errors: own } of report) {
    if (own.length) own.forEach((error, at) => wrong.push({ key: `${row} ${at}`, row, extension, outcome, ...place(error) }));
    else rest.push({ key: `${row}`, row, extension, outcome, column: "", message: "" });
  }
  const known = new Set(wrong.map(({ row, column, message }) => `${row} ${column} ${message}`));
  const of_file = errors.map((error, at) => ({ key: `file ${at}`, extension: "", outcome: "wrong", ...place(error) })).filter(({ row, column, message }) => !known.has(`${row} ${column} ${message}`));
  return [...of_file, ...wrong, ...rest];
}

function place({ path, message }) {
  const found = /^row (\d+)(?:, (.*))?$/.exec(path);
  return { row: found ? Number(found[1]) : 0, column: found ? (found[2] ?? "") : path, message };
}
