// The cards of what is going on now.

import { h } from "../../core/dom.js";
import { counted, day, number, words } from "../../core/format.js";
import { href } from "../../core/router.js";
import { badge } from "../../elements/badge.js";
import { daysBadge } from "../../elements/days-badge.js";
import { stat } from "../../elements/stat.js";
import { usageBar } from "../../elements/usage-bar.js";

const DEVICES = { desktop: "Desktop", mobile: "Mobile", web_phone: "Web phone", ip_phone: "IP phone" };
const MOST_PRODUCTS = 7;
const ROWS = "products of customers";
const NODE_STATES = { up: ["Up", "good"], partly: ["Partly", "warn"], gone: ["Gone", "bad"] };
const LEVELS = { ok: ["OK", "good"], warning: ["Warning", "warn"], wrong: ["Wrong", "bad"] };

/** The figures on top, as far as somebody may know them. */
export function tiles({ sessions, products, denials }) {
  const used = products?.rows.reduce((total, one) => total + one.used, 0);
  const limit = products?.rows.reduce((total, one) => total + one.limit, 0);
  const { waiting, parked } = sessions ?? {};
  return [
    sessions ? stat({ label: "Live sessions", value: number(sessions.total), about: parked ? `${number(parked)} without a connection just now` : "All are connected" }) : null,
    products ? stat({ label: "Seats in use", value: number(used), bar: usageBar({ used, limit, label: "Seats in use" }), about: [`of ${number(limit)}`, cut(products, ROWS)].filter(Boolean).join(". "), link: href("/usage") }) : null,
    sessions ? stat({ label: "Queue", value: number(waiting), about: waiting ? "waiting for a seat" : "Nobody waits for a seat" }) : null,
    denials ? stat({ label: "Denied today", value: number(denials.denied), about: [`${number(denials.true_denials)} for want of a seat, ${number(denials.healed)} healed`, cut(denials, "customers")].filter(Boolean).join(". "), link: href("/usage?resolution=day") }) : null,
  ].filter(Boolean);
}

/** Sessions by device, and of which nodes. */
export function devicesCard(sessions) {
  const { looked_at, devices } = sessions;
  const lines = devices.map(([kind, count]) => line(DEVICES[kind] ?? words(kind), number(count), usageBar({ used: count, limit: looked_at, label: DEVICES[kind] ?? kind })));
  return card("Sessions by device", lines.map(plain), "Nobody is signed in", cut(sessions, "sessions"));
}

/** Seats by product. */
export function productsCard(products) {
  const { rows } = products;
  const lines = rows.slice(0, MOST_PRODUCTS).map(({ product, used, limit }) => line(product, `${number(used)} of ${number(limit)}`, usageBar({ used, limit, label: `Seats of ${product}` })));
  const more = rows.length - MOST_PRODUCTS;
  const link = more > 0 ? h("a", { href: href("/licenses?sort=-used") }, `${more} more in the registry`) : "";
  return card("Seats by product", lines, "No licenses yet", [cut(products, ROWS), link]);
}

/** Why somebody was refused today. */
export function denialsCard(denials) {
  const { codes, denied } = denials;
  const lines = codes.map(([code, times]) => line(words(code), number(times), usageBar({ used: times, limit: denied, label: words(code) })));
  return card("Denials today", lines.map(plain), "Nobody was refused today", cut(denials, "customers"));
}

/** Licenses that end soon. */
export function endingCard(licenses) {
  const lines = licenses.map((license) => h("li", { class: "list-line" }, h("span", {}, h("a", { href: href(`/licenses?search=${encodeURIComponent(license.id)}`) }, license.id), h("small", { class: "muted" }, `${license.product}, ${license.customer_name || license.customer}, until `, h("span", { class: "nowrap" }, day(license.valid_till)))), daysBadge(license)));
  return card("Licenses that end soon", lines, "None ends within 60 days");
}

/** The nodes, and what is right and wrong with the deployment. Who may not ask for them sees those of the sessions. */
export function healthCard({ nodes, sessions }, checks) {
  const known = nodes ?? (sessions?.nodes ?? []).map(([node, count]) => ({ node, sessions: count }));
  const found = known.map((one) => h("li", { class: "list-line" }, h("span", {}, one.node || "–", h("small", { class: "muted live" }, counted(one.sessions, "session"))), one.state ? badge(...NODE_STATES[one.state]) : null));
  const looked = (checks?.items ?? []).map(({ name, level, message }) => h("li", { class: "list-line" }, h("span", {}, words(name), h("small", { class: "muted" }, message)), badge(...LEVELS[level])));
  return card(checks ? "Nodes and store" : "Nodes", [...found, ...looked], "No node has a session", nodes || !sessions ? "" : cut(sessions, "sessions"));
}

/** What is said where not all have been counted. */
function cut({ looked_at, total }, what) {
  return looked_at < total ? `Of the first ${number(looked_at)} of ${number(total)} ${what}.` : "";
}

function line(name, value, bar) {
  return h("li", { class: "bar-line" }, h("span", {}, name), h("strong", { class: "live" }, value), bar);
}

/** A bar that shows a share, not a limit: it warns of nothing. */
function plain(one) {
  one.classList.add("share");
  return one;
}

function card(title, lines, empty, about = "") {
  const told = [about].flat().filter(Boolean).map((one) => h("p", { class: "card-about muted" }, one));
  const body = lines.length ? h("ul", { class: "lines" }, lines) : h("p", { class: "muted" }, empty);
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, title)), h("div", { class: "card-body" }, body, told));
}
