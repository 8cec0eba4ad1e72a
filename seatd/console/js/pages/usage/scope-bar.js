// What usage is asked about: which customer, rows by what, which product. For the pages that show usage.

import { api, isAborted } from "../../core/api.js";
import { freshId, h } from "../../core/dom.js";
import { session } from "../../core/session.js";
import { chooseCustomer } from "../../elements/choose-customer.js";
import { icon } from "../../elements/icon.js";

const GROUPS = [["customer", "Customer"], ["product", "Product"], ["domain", "Domain"], ["license", "License"]];
const WITH_PRODUCT = ["product", "domain"];

/** Whoever has a right to some domains only is told of rows by domain. */
function isOfDomains() {
  return session.profile.grant.domains.length > 0;
}

/** `{by, customer, product}` that the query of an address asks for. */
export function scopeOf(query, by = "product") {
  const wanted = query.get("by");
  const known = GROUPS.some(([name]) => name === wanted) ? wanted : by;
  const group = isOfDomains() ? "domain" : known;
  return { by: group, customer: query.get("customer") ?? "", product: WITH_PRODUCT.includes(group) ? (query.get("product") ?? "") : "" };
}

/** Controls; `onChange` gets what is to change in the address. `show(scope)` says how things stand. */
export function scopeBar({ signal, onChange }) {
  const [by_id, product_id] = [freshId("by"), freshId("product")];
  const groups = isOfDomains() ? GROUPS.filter(([name]) => name === "domain") : GROUPS;
  const by = h("select", { id: by_id, onchange: () => onChange({ by: by.value, product: WITH_PRODUCT.includes(by.value) ? product.value : "" }) }, groups.map(([value, text]) => h("option", { value }, text)));
  const product = h("select", { id: product_id, onchange: () => onChange({ product: product.value }) }, h("option", { value: "" }, "All products"));
  const customer = h("span", { class: "scope-customer" });
  const choose = async () => {
    const chosen = await chooseCustomer({ title: "Choose a customer" });
    if (chosen) onChange({ customer: chosen });
  };
  const bar = h("div", { class: "scope-bar" },
    session.customer ? null : customer,
    h("label", { for: by_id }, "Rows by"), by,
    h("span", { class: "scope-product" }, h("label", { for: product_id }, "of"), product),
  );
  bar.show = (scope) => {
    by.value = scope.by;
    product.parentElement.hidden = !WITH_PRODUCT.includes(scope.by);
    offered(product, scope.product);
    product.value = scope.product;
    if (session.customer) return;
    const name = h("button", { type: "button", onclick: choose }, icon("building"), h("span", {}, scope.customer || "All customers"));
    const all = scope.customer ? h("button", { type: "button", class: "icon-button", "aria-label": "All customers", onclick: () => onChange({ customer: "" }) }, icon("close")) : null;
    customer.replaceChildren(...[name, all].filter(Boolean));
  };
  products(signal).then((names) => {
    const chosen = product.value;
    product.append(...names.filter((name) => ![...product.options].some(({ value }) => value === name)).map((name) => h("option", { value: name }, name)));
    product.value = chosen;
  }).catch((error) => isAborted(error) || null); // then there is nothing to choose from; what is shown does not depend on it
  return bar;
}

function offered(select, name) {
  if (name && ![...select.options].some(({ value }) => value === name)) select.append(h("option", { value: name }, name));
}

async function products(signal) {
  if (!session.may("licenses.read")) return [];
  const { items } = await api.get("/licenses/totals", { customer: session.customer, size: 500 }, { signal });
  return [...new Set(items.map((total) => total.product))].sort();
}
