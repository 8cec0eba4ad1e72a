// The own profile: password, one-time codes, and where one is signed in.

import { api, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { counted, minute } from "../core/format.js";
import { Page } from "../core/page.js";
import { grantText, session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { sinceCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { field } from "../elements/field.js";
import { formDialog } from "../elements/form-dialog.js";
import { problemBox } from "../elements/message.js";
import { pageHead } from "../elements/page-head.js";
import { toast } from "../elements/toast.js";
import { totpSetup } from "../elements/totp-setup.js";

const SHORTEST = 12;

class ProfilePage extends Page {
  build() {
    this.codes = h("div", { class: "card-body" });
    this.table = dataTable({
      label: "Your sessions",
      columns: [
        { key: "address", label: "From", class: "nowrap", render: ({ address, present }) => h("span", { class: "badges" }, address || "unknown", present ? badge("This one", "info") : null) },
        { key: "created", label: "Signed in (UTC)", class: "nowrap", render: ({ created }) => minute(created) },
        { key: "seen", label: "Last used", class: "nowrap", render: ({ seen }) => h("span", {}, sinceCell(seen), " ago") },
        { key: "ends", label: "Ends (UTC)", class: "nowrap", render: ({ ends }) => minute(ends) },
      ],
      rowKey: (row) => `${row.created} ${row.address} ${row.present}`,
    });
    const others = h("button", { type: "button", onclick: () => this.#endOthers() }, "End all others");
    const all = h("button", { type: "button", onclick: () => this.#endAll() }, "End all, this one too");
    this.append(
      pageHead({ title: "Profile" }),
      h("div", { class: "profile" },
        card("You", h("div", { class: "card-body" }, facts())),
        card("One-time codes", this.codes),
        card("Password", h("div", { class: "card-body" }, this.#passwordForm())),
      ),
      h("section", { class: "own-sessions", "aria-label": "Sessions" }, h("div", { class: "toolbar" }, h("h2", {}, "Where you are signed in"), h("span", { class: "end" }, others, " ", all)), this.table),
    );
    this.#showCodes();
  }

  show() {
    return this.#load();
  }

  async #load() {
    this.table.loading();
    try {
      this.table.show(await api.get("/profile/sessions", { size: 100 }, { signal: this.signal }));
    } catch (error) {
      if (!isAborted(error)) this.table.fail(error, () => this.#load());
    }
  }

  // -- password ------------------------------------------------------------------------------------------

  #passwordForm() {
    const old = field({ label: "Present password", type: "password", autocomplete: "current-password", hint: "Empty, if you have none yet" });
    const fresh = field({ label: "New password", type: "password", autocomplete: "new-password", hint: `At least ${SHORTEST} characters`, check: (text) => (text.length < SHORTEST ? `At least ${SHORTEST} characters are needed.` : "") });
    const again = field({ label: "New password, once more", type: "password", autocomplete: "new-password", check: (text) => (text === fresh.value ? "" : "The two are not the same.") });
    const problem = problemBox();
    const submit = h("button", { type: "submit", class: "primary" }, "Change password");
    const name = h("input", { type: "text", name: "username", autocomplete: "username", value: session.profile.name, hidden: true, "aria-label": "Name" });
    const change = async (event) => {
      event.preventDefault();
      if (!fresh.check() || !again.check()) return;
      submit.disabled = true;
      problem.show(null);
      try {
        session.renew(await api.put("/profile/password", { old: old.value, new: fresh.value }));
        for (const one of [old, fresh, again]) one.value = "";
        toast("The password was changed. All other sessions have ended.", "good");
        await this.#load();
      } catch (error) {
        problem.show(error);
      } finally {
        submit.disabled = false;
      }
    };
    return h("form", { novalidate: true, onsubmit: change }, name, old, fresh, again, problem, h("div", { class: "form-actions" }, submit));
  }

  // -- one-time codes ------------------------------------------------------------------------------------

  #showCodes() {
    const has = session.profile.totp;
    const set_up = h("button", { type: "button", class: has ? "" : "primary", onclick: () => this.#setUp() }, has ? "Set up another app" : "Set up one-time codes");
    const remove = has ? h("button", { type: "button", onclick: () => this.#remove() }, "Do without") : null;
    this.codes.replaceChildren(
      h("p", {}, has ? badge("On", "good") : badge("Off", "warn"), has ? " Signing in takes a code that your app shows." : " Signing in takes only the password."),
      h("div", { class: "form-actions" }, remove ?? "", set_up),
    );
  }

  #setUp() {
    const done = (profile) => {
      session.renew(profile);
      this.#showCodes();
      toast("One-time codes are set up. All other sessions have ended.", "good");
      return this.#load();
    };
    this.codes.replaceChildren(totpSetup({ onDone: done, onCancel: () => this.#showCodes() }));
    this.codes.querySelector("input")?.focus();
  }

  async #remove() {
    const code = field({ label: "One-time code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 16 });
    const done = await formDialog({
      title: "Do without one-time codes?",
      text: "Signing in takes only the password then.",
      fields: [code],
      action: "Do without",
      danger: true,
      submit: async () => session.renew(await api.delete("/profile/totp", { body: { code: code.value.trim() } })),
    });
    if (!done) return;
    this.#showCodes();
    await this.#load();
  }

  // -- sessions ------------------------------------------------------------------------------------------

  async #endOthers() {
    try {
      const { ended } = await api.delete("/profile/sessions", { query: { keep_present: true } });
      toast(`${counted(ended, "other session")} ended.`, "good");
      await this.#load();
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async #endAll() {
    const done = await formDialog({
      title: "End all your sessions?",
      text: "Also this one: you are led to the sign-in.",
      action: "End all",
      danger: true,
      submit: () => api.delete("/profile/sessions"),
    });
    if (done) await session.load();
  }
}

function card(title, body) {
  return h("section", { class: "card", "aria-label": title }, h("div", { class: "card-head" }, h("h2", {}, title)), body);
}

function facts() {
  const { name, grant, grants, ends } = session.profile;
  const others = grants.filter((one) => one.number !== grant.number);
  return h("dl", { class: "facts" },
    h("dt", {}, "Name"), h("dd", {}, name),
    h("dt", {}, "Acts as"), h("dd", {}, grantText(grant)),
    others.length ? [h("dt", {}, "May also act as"), h("dd", {}, others.map(grantText).join("; "))] : null,
    h("dt", {}, "Session ends"), h("dd", {}, `${minute(ends)} UTC, or when it is not used`),
  );
}

define("profile-page", ProfilePage);

export default ProfilePage;
