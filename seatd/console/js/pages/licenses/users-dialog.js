// The users of a license, and the switch that forces one out.

import { api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { ago, minute, number } from "../../core/format.js";
import { Liveness, poll } from "../../core/live.js";
import { badge } from "../../elements/badge.js";
import { dataTable } from "../../elements/data-table.js";
import { openDialog } from "../../elements/dialog.js";
import { searchField } from "../../elements/field.js";
import { liveBadge } from "../../elements/live-badge.js";
import { switchButton } from "../../elements/switch.js";
import { usageBar } from "../../elements/usage-bar.js";
import { forceLogout } from "../../elements/force-logout.js";

const EVERY_S = 2;
const SIZE = 25;

/** Opens it; `{license, close(), closed}`. `row`: the license as the page has it, if it has. */
export function usersDialog(id, { row, signal }) {
  const over = new AbortController();
  const ends = AbortSignal.any([over.signal, signal]);
  const wanted = { search: "", page: 1, size: SIZE };
  const liveness = new Liveness();
  const summary = h("div", { class: "users-summary" });
  const table = dataTable({
    label: `Users of ${id}`,
    columns: columns((user) => logout(user)),
    rowKey: (user) => user.user,
    empty: () => ({ symbol: "users", title: wanted.search ? "No user found" : "Nobody uses this license now" }),
    onPage: ({ page, size }) => {
      Object.assign(wanted, { page, size });
      load();
    },
  });
  const search = searchField({
    label: "Search users",
    onSearch: (text) => {
      Object.assign(wanted, { search: text, page: 1 });
      load();
    },
  });
  const bar = h("div", { class: "toolbar" }, search, h("span", { class: "end" }, liveBadge(liveness, ends)));
  const dialog = openDialog({ title: `Users of ${id}`, wide: true, body: [summary, bar, table] });
  dialog.closed.then(() => over.abort());

  const ask = (background, of) => Promise.all([
    api.get(`/licenses/${part(id)}/users`, wanted, { signal: of, background }),
    api.get(`/licenses/${part(id)}`, {}, { signal: of, background }),
  ]);
  const load = async () => {
    table.loading();
    try {
      const [users, license] = await ask(false, ends);
      table.show(users);
      summary.replaceChildren(...sum(license));
      liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) table.fail(error, load);
    }
  };
  const look = async (of) => {
    if (table.hasAttribute("data-loading")) return;
    const before = JSON.stringify(wanted);
    const [users, license] = await ask(true, of);
    if (before !== JSON.stringify(wanted) || table.hasAttribute("data-loading")) return;
    table.refresh(users);
    summary.replaceChildren(...sum(license));
  };
  const logout = async (user) => {
    if (await forceLogout({ users: [user.user] }, { who: user.user, devices: user.sessions })) load();
  };
  if (row) summary.replaceChildren(...sum(row));
  load();
  poll(look, { every_s: EVERY_S, liveness, signal: ends });
  return { license: id, close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

function sum(license) {
  const { product, kind, used, limit, id } = license;
  return [
    h("span", {}, h("strong", {}, product), ` · ${kind}`),
    h("span", { class: "users-figures" }, `${number(used)} of ${number(limit)}`, usageBar({ used, limit, label: `Use of ${id}` })),
  ];
}

function columns(onLogout) {
  return [
    { key: "user", label: "User", class: "nowrap" },
    { key: "domain", label: "Domain", class: "nowrap" },
    { key: "sessions", label: "Devices", class: "number", render: ({ sessions }) => number(sessions) },
    { key: "since", label: "Since", class: "nowrap", value: ({ since }) => [since, since && ago(since)], render: sinceCell },
    { key: "assigned", label: "Assigned", render: ({ assigned }) => (assigned ? badge("Assigned", "info") : "") },
    { key: "used", label: "Online", value: ({ used, may_logout }) => [used, may_logout], render: (user) => onlineSwitch(user, onLogout) },
  ];
}

function sinceCell({ since }) {
  return since ? h("time", { datetime: since, title: `${minute(since)} UTC` }, `${minute(since)} (${ago(since)})`) : "";
}

/** Only to be switched off: nobody is signed in from here. */
function onlineSwitch(user, onLogout) {
  const { used, may_logout, domain } = user;
  const hint = !may_logout ? `You may not force out users of ${domain}: it is not a domain of your own.` : used ? "" : "This user is not online.";
  return switchButton({
    label: `${user.user} is ${used ? "online: switch off to force out" : "offline"}`,
    checked: used,
    disabled: Boolean(hint),
    hint,
    onToggle: () => onLogout(user),
  });
}
