// Signing in: by name and password, or by a link; with a one-time code where there is one.

import { define, h } from "../core/dom.js";
import { Page } from "../core/page.js";
import { session } from "../core/session.js";
import { field } from "../elements/field.js";
import { problemBox } from "../elements/message.js";
import { totpSetup } from "../elements/totp-setup.js";

class SignInPage extends Page {
  build() {
    const here = new URL("../../seatd.svg", import.meta.url).href;
    const brand = h("div", { class: "brand" }, h("img", { src: here, alt: "", width: "40", height: "40" }), h("span", {}, "seatd"));
    this.card = h("div", { class: "sign-in-card" });
    this.append(h("main", { class: "sign-in" }, brand, this.card));
  }

  show() {
    if (session.profile?.totp_needed) return this.#setUpCodes();
    const link = location.hash.slice(1);
    return link ? this.#byLink(link) : this.#byPassword();
  }

  #byPassword() {
    this.name = field({ label: "Name", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
    this.password = field({ label: "Password", name: "password", type: "password", autocomplete: "current-password", required: true });
    this.code = codeField();
    this.#form("Sign in", "", [this.name, this.password, this.code], () => ({
      name: this.name.value.trim(),
      password: this.password.value,
      code: this.code.value.trim(),
    }));
  }

  #byLink(link) {
    this.code = codeField();
    this.#form("Sign in by link", "Your link signs you in once.", [this.code], () => ({ link, code: this.code.value.trim() }));
  }

  #form(title, about, fields, given) {
    const problem = problemBox();
    const submit = h("button", { type: "submit", class: "primary block" }, "Sign in");
    const sign_in = async (event) => {
      event.preventDefault();
      if (!fields.every((one) => one.check())) return;
      submit.disabled = true;
      problem.show(null);
      try {
        if (location.hash) history.replaceState(null, "", location.pathname + location.search); // no secret stays in the history
        await session.signIn(given());
      } catch (error) {
        problem.show(refusal(error));
        submit.disabled = false;
        fields.find((one) => one.control.type === "password")?.control.select();
      }
    };
    const form = h("form", { novalidate: true, onsubmit: sign_in }, fields, problem, submit);
    this.card.replaceChildren(h("h1", { tabindex: "-1" }, title), about ? h("p", { class: "muted" }, about) : "", form);
    fields[0].control.focus();
  }

  #setUpCodes() {
    this.card.replaceChildren(
      h("h1", { tabindex: "-1" }, "Set up one-time codes"),
      h("p", { class: "muted" }, "They are required here: nothing else can be done before."),
      totpSetup({ onDone: (profile) => session.renew(profile), onCancel: () => session.signOut() }),
    );
  }
}

function codeField() {
  return field({
    label: "One-time code",
    name: "code",
    hint: "Only if you have set one up",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    maxlength: 16,
  });
}

function refusal(error) {
  if (error.code !== "too_many_attempts") return error;
  const wait = error.retry_s ? ` Try again in ${error.retry_s} s.` : "";
  return new Error(`Too many attempts have failed.${wait}`);
}

define("sign-in-page", SignInPage);

export default SignInPage;
