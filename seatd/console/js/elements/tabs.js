// Tabs: arrow keys move, the panel follows.

import { define, freshId, h } from "../core/dom.js";

class TabSet extends HTMLElement {
  #tabs = [];
  #chosen = "";

  /** `tabs`: `{name, text, build()}`, built when first shown; `onChoose(name)` when somebody chooses another. */
  set({ label, tabs, chosen = tabs[0].name, onChoose = () => {} }) {
    const list = h("div", { role: "tablist", "aria-label": label });
    this.#tabs = tabs.map((tab) => this.#made(tab, onChoose));
    list.append(...this.#tabs.map(({ button }) => button));
    list.addEventListener("keydown", (event) => this.#moved(event));
    this.replaceChildren(list, ...this.#tabs.map(({ panel }) => panel));
    this.choose(tabs.some(({ name }) => name === chosen) ? chosen : tabs[0].name);
    return this;
  }

  get chosen() {
    return this.#chosen;
  }

  /** Shows a tab. */
  choose(name) {
    this.#chosen = name;
    for (const tab of this.#tabs) {
      const is_it = tab.name === name;
      tab.button.setAttribute("aria-selected", String(is_it));
      tab.button.tabIndex = is_it ? 0 : -1;
      tab.panel.hidden = !is_it;
      if (is_it && !tab.panel.hasChildNodes()) tab.panel.append(...[tab.build()].flat());
    }
  }

  #made(tab, onChoose) {
    const [button_id, panel_id] = [freshId("tab"), freshId("panel")];
    const chosen = () => {
      this.choose(tab.name);
      onChoose(tab.name);
    };
    const button = h("button", { type: "button", role: "tab", id: button_id, "aria-controls": panel_id, onclick: chosen }, tab.text);
    const panel = h("div", { role: "tabpanel", id: panel_id, "aria-labelledby": button_id, tabindex: "0" });
    return { ...tab, button, panel };
  }

  #moved(event) {
    const at = this.#tabs.findIndex(({ name }) => name === this.#chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.#tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { button } = this.#tabs[(to + this.#tabs.length) % this.#tabs.length];
    button.click();
    button.focus();
  }
}

define("tab-set", TabSet);

/** `{label, tabs, chosen, onChoose}`, see `TabSet.set`. */
export function tabSet(options) {
  return document.createElement("tab-set").set(options);
}
