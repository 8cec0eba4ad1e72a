// Dead letters of a webhook: what was given up, to be sent after all or thrown away.

import { api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { counted, minute, number, words } from "../../core/format.js";
import { badge } from "../../elements/badge.js";
import { dataTable } from "../../elements/data-table.js";
import { openDialog } from "../../elements/dialog.js";
import { icon } from "../../elements/icon.js";
import { toast } from "../../elements/toast.js";
import { session } from "../../core/session.js";

/** Opens it; `{close(), closed}`. `path`: of the dead letters. */
export function lettersDialog(path, { signal }) {
  const wanted = { page: 1, size: 25 };
  const may = session.may("webhooks.change");
  const retry_all = may ? h("button", { type: "button", disabled: true, onclick: () => act(() => api.post(`${path}/retry`)) }, icon("refresh"), "Send all once more") : null;
  const table = dataTable({
    label: "Dead letters",
    columns: columns(may, (row) => act(() => api.post(`${path}/${part(row.id)}/retry`)), (row) => act(() => api.delete(`${path}/${part(row.id)}`))),
    rowKey: (row) => row.id,
    empty: { symbol: "check", title: "No dead letters", text: "Everything has arrived, or is still being tried." },
    onPage: (to) => {
      Object.assign(wanted, to);
      load();
    },
  });
  const dialog = openDialog({ title: "Dead letters", description: "What was tried for about a day, and given up.", wide: true, body: table, actions: retry_all ?? [] });

  const load = async () => {
    table.loading();
    try {
      const listing = await api.get(path, wanted, { signal });
      table.show(listing);
      if (retry_all) retry_all.disabled = !listing.total;
    } catch (error) {
      if (!isAborted(error)) table.fail(error, load);
    }
  };
  const act = async (call) => {
    try {
      const answer = await call();
      toast(answer ? `${counted(answer.retried, "delivery", "deliveries")} sent once more.` : "Thrown away.", "good");
    } catch (error) {
      toast(error.message, "bad");
    }
    await load();
  };
  load();
  return { close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

function columns(may, onRetry, onDelete) {
  const buttons = (row) => h("span", { class: "badges" },
    h("button", { type: "button", "aria-label": `Send ${row.event} once more`, onclick: () => onRetry(row) }, "Once more"),
    h("button", { type: "button", class: "icon-button", "aria-label": `Throw ${row.event} away`, onclick: () => onDelete(row) }, icon("trash")),
  );
  return [
    { key: "at", label: "Happened (UTC)", class: "nowrap", render: ({ at }) => minute(at) },
    { key: "type", label: "Type", class: "nowrap", render: ({ type, times }) => badge(times > 1 ? `${words(type)} × ${number(times)}` : words(type)) },
    { key: "about", label: "About", value: ({ user, product, license }) => [user, product, license], render: ({ user, product, license }) => [user, product, license].filter(Boolean).join(" · ") },
    { key: "tries", label: "Tries", class: "number" },
    { key: "why", label: "Why not", class: "wrap" },
    ...(may ? [{ key: "do", label: "Do", class: "action-cell", value: ({ id }) => id, render: buttons }] : []),
  ];
}
