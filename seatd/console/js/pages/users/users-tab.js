// Users x licenses: a row per user, a column per license; a check mark gives one, or takes it back.

import { api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { poll } from "../../core/live.js";
import { dataTable } from "../../elements/data-table.js";
import { searchField } from "../../elements/field.js";
import { forceLogout } from "../../elements/force-logout.js";
import { formDialog } from "../../elements/form-dialog.js";
import { icon } from "../../elements/icon.js";
import { button } from "../../elements/page-head.js";
import { toast } from "../../elements/toast.js";
import { mayAt } from "../customer/standing.js";
import { userColumns } from "./user-columns.js";
import { changeUser, newUser } from "./user-dialogs.js";

const EVERY_S = 5;
const ROLES = [["", "Any role"], ["owner", "Owner"], ["admin", "Admin"], ["supervisor", "Supervisor"], ["agent", "Agent"]];

/** An element with `follow(query)`. */
export function usersTab({ customer, licenses, signal, liveness, setQuery, is_shown }) {
  const path = `/customers/${part(customer.id)}/users`;
  const may = { change: mayAt(customer, "users.change"), assign: mayAt(customer, "licenses.assign"), logout: mayAt(customer, "logout") };
  let wanted = null;
  let asked = new AbortController();
  let writing = 0; // a row that is being changed is not overwritten by what was asked for before
  const table = dataTable({
    label: "Users and their licenses",
    columns: userColumns({ customer, licenses, may, onAssign: (...given) => assign(...given), actions: (user) => actions(user) }),
    rowKey: (row) => row.user,
    remember: `users.${customer.id}`,
    empty: () => empty(),
    onSort: (sort) => setQuery({ sort, page: "" }),
    onPage: ({ page, size }) => setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size }),
  });
  const search = searchField({ label: "Search users", placeholder: "Name or group …", onSearch: (text) => setQuery({ search: text, page: "" }) });
  const select = (name, label, options) => h("select", { class: "filter", "aria-label": label, onchange: (event) => setQuery({ [name]: event.target.value, page: "" }) }, options.map(([value, text]) => h("option", { value }, text)));
  const role = select("role", "Role", ROLES);
  const domain = select("domain", "Domain", [["", "All domains"], ...customer.domains.map((name) => [name, name])]);
  domain.hidden = customer.domains.length < 2;
  const add = may.change ? button({ label: "Add user", symbol: icon("plus"), kind: "primary", onclick: () => added() }) : null;
  const refresh = button({ label: "Refresh", symbol: icon("refresh"), compact: true, onclick: () => load() });

  const load = async () => {
    asked.abort();
    asked = new AbortController();
    table.loading();
    try {
      table.show(await api.get(path, { ...wanted, licenses: true }, { signal: AbortSignal.any([signal, asked.signal]) }));
      liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) table.fail(error, load);
    }
  };
  const look = async (of) => {
    const [before, at] = [wanted, writing];
    if (!wanted || !is_shown() || table.hasAttribute("data-loading")) return;
    const listing = await api.get(path, { ...wanted, licenses: true }, { signal: of, background: true });
    if (before === wanted && at === writing && !table.hasAttribute("data-loading")) table.refresh(listing);
  };
  const assign = async (user, license, is_wanted) => {
    const of = `/licenses/${part(license.id)}/users/${part(user.user)}`;
    writing += 1;
    try {
      await (is_wanted ? api.put(of) : api.delete(of));
      user.licenses = is_wanted ? [...user.licenses, license.id] : user.licenses.filter((id) => id !== license.id);
    } catch (error) {
      toast(`${license.product} for ${user.user}: ${error.message}`, "bad");
    }
    writing += 1;
    table.update(user);
    return user.licenses.includes(license.id);
  };
  const added = async () => {
    if (await newUser(customer)) load();
  };
  const actions = (user) => [
    may.change ? { text: "Edit …", symbol: icon("edit"), onclick: async () => (await changeUser(customer, user)) && load() } : undefined,
    user.extension ? { text: `Extension ${user.extension}`, symbol: icon("phone"), onclick: () => setQuery({ tab: "extensions", search: user.extension, page: "", sort: "", role: "", domain: "" }) } : undefined,
    may.logout && user.online ? { text: "Force out …", symbol: icon("logout"), onclick: async () => (await forceLogout({ users: [user.user], customer: customer.id }, { who: user.user })) && load() } : undefined,
    may.change ? { text: "Delete …", symbol: icon("trash"), onclick: () => remove(user) } : undefined,
  ].filter(Boolean);
  const remove = async (user) => {
    const done = await formDialog({
      title: "Delete the user",
      text: `${user.user} loses the licenses that were given, for good. An extension must be taken away before.`,
      action: "Delete user",
      danger: true,
      submit: () => api.delete(`${path}/${part(user.user)}`),
    });
    if (done) load();
  };
  const empty = () => {
    if (wanted?.search || wanted?.role || wanted?.domain) return { symbol: "search", title: "No user found", text: wanted.search ? `Nothing fits “${wanted.search}”.` : "" };
    return { symbol: "users", title: "No users yet", text: "Add them here, or with their extensions from a CSV file." };
  };

  const element = h("div", {}, h("div", { class: "toolbar" }, search, domain, role, h("span", { class: "end" }), table.columnMenu(), refresh, add), table);
  element.follow = (query) => {
    const of = (name) => query.get(name) ?? "";
    const now = { search: of("search"), domain: of("domain"), role: of("role"), sort: of("sort") || "user", page: Number(of("page")) || 1, size: Number(of("size")) || 50 };
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    wanted = now;
    search.show(now.search);
    role.value = now.role;
    domain.value = now.domain;
    table.sort = now.sort;
    load();
  };
  poll(look, { every_s: EVERY_S, liveness, signal });
  return element;
}
