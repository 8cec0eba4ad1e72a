// Many extensions from a CSV file: the template, the check, the making, and what became of each row.

import { address, api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { counted, number } from "../../core/format.js";
import { openDialog } from "../../elements/dialog.js";
import { icon } from "../../elements/icon.js";
import { problemBox } from "../../elements/message.js";
import { toast } from "../../elements/toast.js";
import { bulkReport } from "./bulk-report.js";

const MOST_BYTES = 16 * 1024 * 1024;
const STEPS = { read: "Reading", made: "Making" };

/** `{close(), closed}`; `onCreated()`: extensions were made. */
export function bulkDialog(customer, { signal, onCreated }) {
  const path = `/customers/${part(customer.id)}/provision`;
  const template = h("a", { class: "button", href: address(`${path}/template.csv`), download: "extensions.csv" }, icon("download"), "Download template");
  const input = h("input", { type: "file", accept: ".csv,text/csv", "aria-label": "CSV file", onchange: () => choose(input.files[0]) });
  const drop = h("div", { class: "drop" }, h("p", {}, "Choose a CSV file, or drop it here. It is checked first; nothing is made yet."), input);
  const problem = problemBox();
  const progress = h("progress", { max: 1, "aria-label": "Progress" });
  const said = h("span", { class: "muted", role: "status" });
  const status = h("div", { class: "upload-progress", hidden: true }, progress, said);
  const result = h("div", { class: "bulk-result" });
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const make = h("button", { type: "submit", class: "primary", disabled: true }, "Create extensions");
  const dialog = openDialog({
    title: "Extensions from a CSV file",
    description: "Columns: Ext key, Number, User, and as many Addon license columns as are needed. All rows are made, or none.",
    wide: true,
    body: [h("div", {}, template), drop, problem, status, result],
    actions: [cancel, make],
    onSubmit: () => create(),
  });
  const over = new AbortController();
  dialog.closed.then(() => over.abort());
  let asked = new AbortController();
  let file = null;

  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragenter" || name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    });
  }

  /** Sends the file; `{report}`, or null when that did not work. */
  const send = async (text, query) => {
    asked.abort();
    asked = new AbortController();
    problem.show(null);
    result.replaceChildren();
    told(status, progress, said, null);
    make.disabled = true;
    try {
      const ends = AbortSignal.any([signal, over.signal, asked.signal]);
      const response = await api.post(`${path}/bulk?${new URLSearchParams({ progress: true, ...query })}`, text, { csv: true, raw: true, signal: ends });
      const report = await followed(response, (step) => told(status, progress, said, step));
      result.replaceChildren(bulkReport(report));
      return report;
    } catch (error) {
      if (!isAborted(error)) problem.show(error);
      return null;
    } finally {
      status.hidden = true;
    }
  };
  const choose = async (chosen) => {
    file = chosen ?? null;
    if (!file) return;
    if (file.size > MOST_BYTES) return problem.show(new Error("The file is larger than 16 MiB."));
    const checked = file;
    const report = await send(file, { dry_run: true });
    if (checked === file && report?.status === "checked") {
      make.disabled = false;
      make.textContent = `Create ${counted(report.rows, "extension")}`;
    }
  };
  const create = async () => {
    if (!file || make.disabled) return;
    drop.hidden = true;
    const report = await send(file, {});
    drop.hidden = report?.status === "created";
    input.value = "";
    if (report?.status !== "created") return;
    file = null;
    make.hidden = true;
    toast(`${counted(report.created, "extension")} made.`, "good");
    onCreated();
    cancel.focus();
  };
  return { close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

/** How far it has come; null: it begins. */
function told(status, progress, said, step) {
  status.hidden = false;
  if (!step) {
    progress.removeAttribute("value");
    said.textContent = "Uploading …";
    return;
  }
  progress.max = Math.max(step.of, step.rows, 1);
  progress.value = step.rows;
  said.textContent = `${STEPS[step.step]}: ${number(step.rows)} of ${number(Math.max(step.of, step.rows))}`;
}

/** The report, which is the last of the lines that the API answers; `onStep` gets those before. */
async function followed(response, onStep) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let last = null;
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (text + (value ?? "")).split("\n");
    text = done ? "" : lines.pop();
    for (const line of lines.filter(Boolean)) {
      last = JSON.parse(line);
      if (last.step) onStep(last);
    }
    if (done) break;
  }
  if (!last?.status) throw new Error("The answer broke off. Look at the extensions: a file is made wholly, or taken back.");
  return last;
}
