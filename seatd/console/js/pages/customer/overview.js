// What there is to know of a customer at a glance; each card has its own button to change what it shows.

import { api, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { counted, day, growth, minute, number } from "../../core/format.js";
import { href, router } from "../../core/router.js";
import { session } from "../../core/session.js";
import { badge } from "../../elements/badge.js";
import { card, factList } from "../../elements/card.js";
import { icon } from "../../elements/icon.js";
import { emptyState } from "../../elements/message.js";
import { button } from "../../elements/page-head.js";
import { usageBar } from "../../elements/usage-bar.js";
import { changeAccount, changeBlocks, changeContacts, changeMoney } from "./changes.js";
import { permissionsCard } from "./permissions.js";
import { mayWhole } from "./standing.js";

/** An element with `show(customer)`. `onChange(customer)`: it was changed here. */
export function overviewTab(customer, onChange) {
  let now = customer;
  const change = (action, deed, label) => {
    if (!mayWhole(customer, action)) return [];
    const act = async () => {
      const after = await deed(now);
      if (after) onChange(after);
    };
    return [button({ label: "Edit", symbol: icon("edit"), "aria-label": label, onclick: act })];
  };
  const edits = {
    account: change("customers.change", changeAccount, "Edit the account"),
    money: change("customers.money", changeMoney, "Edit balance and debit limit"),
    contacts: change("customers.change", changeContacts, "Edit contacts"),
    blocks: change("customers.change", changeBlocks, "Edit number blocks"),
  };
  const ending = h("div", { class: "ending", role: "status", hidden: true });
  const cards = [
    liveCard(),
    card({ title: "Account", actions: edits.account, of: ({ products, in_use, ...rest }) => rest, render: account }),
    customer.money ? card({ title: "Balance", actions: edits.money, of: ({ money }) => money, render: ({ money: amounts }) => money(amounts) }) : null,
    card({ title: "Contacts", actions: edits.contacts, of: ({ contacts }) => contacts, render: ({ contacts }) => contactList(contacts) }),
    card({ title: "Internal number blocks", actions: edits.blocks, of: ({ number_blocks }) => number_blocks, render: ({ number_blocks }) => blockList(number_blocks) }),
    permissionsCard(onChange),
  ].filter(Boolean);
  const element = h("div", {}, ending, h("div", { class: "cards" }, cards));
  element.show = (given) => {
    now = given;
    showEnding(ending, given);
    for (const each of cards) each.show(given);
  };
  element.show(customer);
  return element;
}

function showEnding(box, { delete_at }) {
  const text = delete_at ? `The subscription is cancelled. It works as normal until it is deleted on ${day(delete_at)}, and can be withdrawn until then.` : "";
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  box.hidden = !text;
  box.replaceChildren(...(text ? [icon("clock"), h("span", {}, text)] : []));
}

function liveCard() {
  return card({
    title: "In use now",
    of: ({ in_use, products, week }) => [in_use, products, week],
    render: ({ in_use, products, week, id }) => [
      h("div", { class: "figures live" }, figure(number(in_use.seats), in_use.seats === 1 ? "seat" : "seats"), figure(number(in_use.sessions), in_use.sessions === 1 ? "session" : "sessions"), figure(growth(week) || "–", "week over week")),
      products.length ? h("ul", { class: "limits wide-limits live", "aria-label": "Limits by product" }, products.map((one) => productLine(one, id))) : h("p", { class: "muted" }, "No licenses yet."),
    ],
  });
}

function figure(value, name) {
  return h("div", { class: "figure" }, h("strong", {}, value), h("span", { class: "muted" }, name));
}

function productLine({ product, used, limit, above_limit, licenses, combine }, customer) {
  const to = `/licenses?customer=${part(customer)}&search=${part(product)}`;
  const name = router.has("/licenses") && session.may("licenses.read") ? h("a", { href: href(to) }, product) : product;
  const how = licenses > 1 ? `${counted(licenses, "license")}, ${combine === "max" ? "the largest counts" : "added up"}` : counted(licenses, "license");
  return h("li", {},
    h("span", { class: "limit-name" }, name, h("small", { class: "muted" }, how)),
    h("span", { class: "limit-figures" }, above_limit ? badge(`${number(above_limit)} above`, "bad") : null, `${number(used)} / ${number(limit)}`),
    usageBar({ used, limit, label: `Use of ${product}` }),
  );
}

function account(customer) {
  return factList([
    ["ID", customer.id],
    ["Name", customer.name],
    ["External ID", customer.external_id],
    ["Agency", customer.agency],
    ["Domains", customer.domains.join(", ")],
    ["Created", minute(customer.created)],
  ]);
}

function money({ balance, debit_limit, currency }) {
  const amount = (text) => `${text}${currency ? ` ${currency}` : ""}`;
  const is_over = Number(balance) < -Number(debit_limit);
  return factList([
    ["Balance", h("span", { class: "badges" }, h("span", { class: "amount" }, amount(balance)), is_over ? badge("Beyond the debit limit", "bad") : Number(balance) < 0 ? badge("In debit", "warn") : null)],
    ["Debit limit", h("span", { class: "amount" }, amount(debit_limit))],
  ]);
}

function contactList(contacts) {
  if (!contacts.length) return emptyState({ symbol: "user", title: "No contacts yet" });
  const one = ({ name, role, email, phone }) =>
    h("li", {},
      h("strong", {}, name),
      role ? h("span", { class: "muted" }, role) : null,
      email ? h("a", { href: `mailto:${encodeURIComponent(email).replaceAll("%40", "@")}` }, email) : null,
      phone ? h("a", { href: `tel:${phone.replace(/[^+0-9]/g, "")}` }, phone) : null,
    );
  return h("ul", { class: "contacts" }, contacts.map(one));
}

function blockList(blocks) {
  if (!blocks.length) return emptyState({ symbol: "phone", title: "No number blocks yet", text: "Extensions can only be provisioned within them." });
  const size = ({ first, last }) => counted(Number(last) - Number(first) + 1, "number");
  return h("ul", { class: "blocks" }, blocks.map((block) => h("li", {}, h("span", { class: "amount" }, `${block.first} – ${block.last}`), h("span", { class: "muted" }, size(block)))));
}
