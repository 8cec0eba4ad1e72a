// What is wrong or unwise about the deployment, as the node that answers sees it: the checks of `seatd doctor`.

import { api } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { words } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { badge } from "../elements/badge.js";
import { dataTable } from "../elements/data-table.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";

const EVERY_S = 10;
const LEVELS = { wrong: ["Wrong", "bad"], warning: ["Unwise", "warn"], ok: ["Good", "good"] };

class DeploymentPage extends ListPage {
  path = "/checks";

  build() {
    this.node = h("p", { class: "toolbar muted" });
    this.table = dataTable({
      label: "Checks",
      columns: [
        { key: "name", label: "What", class: "nowrap", render: ({ name }) => words(name) },
        { key: "level", label: "State", render: ({ level }) => badge(...LEVELS[level]) },
        { key: "message", label: "Found", class: "wrap" },
      ],
      rowKey: (row) => row.key,
    });
    this.append(pageHead({ title: "Deployment", about: "What `seatd doctor` looks at: store, keys, clocks, limits.".replaceAll("`", ""), live: liveBadge(this.liveness, this.signal) }), this.node, this.table);
    this.watch(EVERY_S);
  }

  ask(_, options) {
    return api.get(this.path, {}, options);
  }

  listing({ node, items }) {
    this.node.textContent = node ? `As seen by the node ${node}` : "";
    const order = Object.keys(LEVELS);
    const rows = items.map((item, at) => ({ ...item, key: `${item.name} ${at}` }));
    return { items: rows.sort((one, other) => order.indexOf(one.level) - order.indexOf(other.level)) };
  }
}

define("deployment-page", DeploymentPage);

export default DeploymentPage;
