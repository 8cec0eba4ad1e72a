// Who waits for a seat, and at which place.

import { define, h } from "../core/dom.js";
import { number } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { badge } from "../elements/badge.js";
import { customerColumn, deviceCell, sinceCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { filterCustomer } from "../elements/filters.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";

const EVERY_S = 2;

class QueuePage extends ListPage {
  path = "/queue";

  build() {
    this.filters = { customer: filterCustomer({ onChange: this.filtered("customer"), all: "All customers" }), product: { show() {} } };
    this.table = dataTable({
      label: "Queue",
      columns: [
        { key: "user", label: "User", class: "nowrap" },
        { key: "position", label: "Place", class: "live", render: placeCell },
        { key: "product", label: "Product", class: "nowrap" },
        ...customerColumn(),
        { key: "device", label: "Device", render: deviceCell },
        { key: "ahead_s", label: "Expected wait", class: "nowrap live", render: ({ ahead_s }) => (ahead_s === null ? h("span", { class: "muted" }, "not known") : `about ${duration(ahead_s)}`) },
        { key: "since", label: "There for", class: "nowrap", value: ({ since }) => Math.floor((Date.now() - Date.parse(since)) / 5_000), render: ({ since }) => sinceCell(since) },
        { key: "node", label: "Node", class: "nowrap" },
      ],
      rowKey: (row) => row.session,
      empty: () => ({ symbol: "queue", title: "Nobody waits", text: "Who finds all seats taken and chooses to wait appears here, in order." }),
      onPage: this.paged,
    });
    this.append(
      pageHead({ title: "Queue", about: "Who waits for a seat, in order. The next seat that becomes free goes to the first of its product.", live: liveBadge(this.liveness, this.signal) }),
      h("div", { class: "toolbar" }, this.filters.customer),
      this.table,
    );
    this.watch(EVERY_S);
  }
}

function placeCell({ position }) {
  return position === 1 ? badge("Next", "good") : number(position);
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
}

define("queue-page", QueuePage);

export default QueuePage;
