// A forced logout as it is everywhere: ask, with a reason and a cool-down; do it; show the receipt.

import { api, freshKey } from "../core/api.js";
import { h } from "../core/dom.js";
import { counted, number } from "../core/format.js";
import { badge } from "./badge.js";
import { openDialog } from "./dialog.js";
import { field } from "./field.js";
import { problemBox } from "./message.js";

const OUTCOMES = {
  acknowledged: ["Acknowledged", "good", "The client has confirmed that it uses no seat any more."],
  closed: ["Closed", "good", "The client has closed its connection."],
  offline: ["Offline", "", "It had no connection, so nothing was delivered; its seat is free."],
  pending: ["Pending", "warn", "Not known yet: its seat is free at the latest when its lease ends."],
};
const COOLDOWNS = [["", "As the server has it"], ["0", "None"], ["60", "1 minute"], ["300", "5 minutes"], ["900", "15 minutes"], ["3600", "1 hour"], ["28800", "8 hours"]];

/**
 * `targets`: as the API has them (`users`, `sessions`, `license`, `domain`, `customer`). `who`: whom it concerns, in words;
 * `devices`: on how many, if that is known. The answer with its receipts; null when it was cancelled.
 */
export async function forceLogout(targets, { who, devices = null }) {
  const reason = field({ label: "Reason", hint: "Shown to the person. It stands in the audit trail, too.", maxlength: 200 });
  const cooldown = field({ label: "Cool-down", type: "select", options: COOLDOWNS, hint: "So long nobody of them may sign in again." });
  const problem = problemBox();
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const act = h("button", { type: "submit", class: "danger" }, "Force out");
  const about = devices ? `${who} is signed out on ${counted(devices, "device")}, and the seat is free.` : `${who} is signed out on all devices.`;
  const dialog = openDialog({ title: "Force out", description: about, body: [reason, cooldown, problem], actions: [cancel, act], onSubmit: () => submit() });
  const key = freshKey();
  const told = (error) => {
    problem.show(error);
    act.textContent = "Force out";
  };
  const submit = () => {
    if (act.disabled) return;
    act.textContent = "Waiting for the receipt …";
    problem.show(null);
    const cooldown_s = cooldown.value === "" ? null : Number(cooldown.value);
    dialog.during(() => api.post("/logout", { ...targets, reason: reason.value.trim(), cooldown_s }, { key }), told);
  };
  const answer = await dialog.closed;
  if (!answer) return null;
  await receipt(answer);
  return answer;
}

/** What became of each session. */
async function receipt({ sessions, logged_out }) {
  const close = h("button", { type: "button", class: "primary", onclick: () => dialog.close(), autofocus: true }, "Close");
  const text = logged_out ? `${counted(logged_out, "session")} ended.` : "Nobody was signed in any more.";
  const dialog = openDialog({ title: "Receipt", description: text, wide: sessions.length > 0, body: sessions.length ? table(sessions) : [], actions: [close] });
  await dialog.closed;
}

function table(sessions) {
  const head = ["User", "Device", "Node", "Outcome", "Milliseconds"];
  const row = ({ user, device, node, outcome, milliseconds }) => {
    const [text, kind, title] = OUTCOMES[outcome];
    return h("tr", {},
      h("th", { scope: "row" }, user),
      h("td", {}, device.name || `${device.kind} ${device.id}`),
      h("td", {}, node),
      h("td", {}, badge(text, kind, { title })),
      h("td", { class: "number" }, number(milliseconds)),
    );
  };
  return h(
    "div",
    { class: "plain-table receipt", tabindex: "0", role: "region", "aria-label": "Receipts" },
    h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, sessions.map(row))),
  );
}
