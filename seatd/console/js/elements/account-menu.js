// Who is signed in, what he acts with, and what he can change about it.

import { h } from "../core/dom.js";
import { grantText, session } from "../core/session.js";
import { router } from "../core/router.js";
import { setTheme, theme } from "../core/theme.js";
import { chooseCustomer } from "./choose-customer.js";
import { icon } from "./icon.js";
import { menuButton } from "./menu.js";
import { toast } from "./toast.js";

const THEMES = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];

/** The button at the foot of the navigation. */
export function accountMenu() {
  const { name, grant } = session.profile;
  const who = h("span", { class: "who" }, h("strong", {}, name), h("small", {}, grantText(grant)));
  const letter = h("span", { class: "avatar", "aria-hidden": "true" }, name[0].toUpperCase());
  return menuButton({ label: `Account of ${name}`, content: [letter, who, icon("chevron_down")], items, kind: "account" });
}

function items() {
  return [
    ...switching(),
    { heading: "Theme" },
    ...THEMES.map(([key, text]) => ({ text, checked: theme() === key, onclick: () => setTheme(key) })),
    null,
    ...profile(),
    { text: "Sign out", symbol: icon("logout"), onclick: () => told(session.signOut()) },
  ];
}

/** Other grants, and single customers of the present one. */
function switching() {
  const { grant, grants } = session.profile;
  const has_many = grants.some(({ customers }) => customers.length !== 1);
  if (grants.length < 2 && !has_many) return [];
  return [
    { heading: "Act as" },
    ...grants.map((one) => ({
      text: grantText(one),
      checked: sameGrant(one, grant),
      onclick: () => told(session.switchTo({ grant: one.number })),
    })),
    ...(has_many ? [{ text: "One customer alone …", symbol: icon("building"), onclick: actForOne }] : []),
    null,
  ];
}

function profile() {
  const is_there = router.has("/profile");
  return is_there ? [{ text: "Profile", symbol: icon("user"), onclick: () => router.go("/profile") }] : [];
}

async function actForOne() {
  const customer = await chooseCustomer({ title: "Act for one customer alone" });
  if (customer) await told(session.switchTo({ customer }));
}

async function told(doing) {
  try {
    await doing;
  } catch (error) {
    toast(error.message, "bad");
  }
}

function sameGrant(one, other) {
  const facts = ({ role, agency, customers, domains }) => JSON.stringify([role, agency, customers, domains]);
  return facts(one) === facts(other);
}
