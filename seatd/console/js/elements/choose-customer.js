// A dialog to find a customer in.

import { api, isAborted } from "../core/api.js";
import { h } from "../core/dom.js";
import { openDialog } from "./dialog.js";
import { searchField } from "./field.js";
import { emptyState, errorState } from "./message.js";

/** The id of the customer that was chosen; null when it was cancelled. */
export async function chooseCustomer({ title }) {
  const list = h("ul", { class: "choices", "aria-label": "Customers" });
  let asked = new AbortController();
  const choice = (row) =>
    h("li", {}, h("button", { type: "button", onclick: () => dialog.close(row.id) }, h("strong", {}, row.name || row.id), h("small", {}, row.id)));
  const look = async (search) => {
    asked.abort();
    asked = new AbortController();
    try {
      const { items } = await api.get("/customers", { search, size: 50 }, { signal: asked.signal });
      list.replaceChildren(...(items.length ? items.map(choice) : [h("li", {}, emptyState({ title: "No such customer" }))]));
    } catch (error) {
      if (!isAborted(error)) list.replaceChildren(h("li", {}, errorState(error, () => look(search))));
    }
  };
  const dialog = openDialog({ title, body: [searchField({ label: "Search customers", onSearch: look }), list] });
  look("");
  return (await dialog.closed) ?? null;
}
