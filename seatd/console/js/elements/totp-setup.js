// Setting up one-time codes in two steps: a secret for the authenticator app, then a code that the app shows.

import { api } from "../core/api.js";
import { copy } from "../core/clipboard.js";
import { define, h } from "../core/dom.js";
import { session } from "../core/session.js";
import { field } from "./field.js";
import { icon } from "./icon.js";
import { problemBox } from "./message.js";
import { qrCode } from "./qr-code.js";

class TotpSetup extends HTMLElement {
  /** See `totpSetup`. */
  set({ onDone, onCancel }) {
    this.onDone = onDone;
    this.onCancel = onCancel;
    this.#ask();
    return this;
  }

  #ask() {
    const password = field({ label: "Password", type: "password", autocomplete: "current-password", hint: "Leave it empty if you have none yet" });
    const present = session.profile.totp
      ? field({ label: "Present one-time code", inputmode: "numeric", autocomplete: "one-time-code", required: true })
      : null;
    this.#form([password, present].filter(Boolean), "Continue", async () => {
      const given = { password: password.value, code: present?.value.trim() ?? "" };
      this.#confirm(await api.post("/profile/totp", given));
    });
    password.control.focus();
  }

  #confirm({ secret, uri }) {
    const code = field({ label: "Code that the app shows", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 6 });
    const spaced = secret.match(/.{1,4}/g).join(" ");
    const copied = h("button", { type: "button", class: "icon-button", "aria-label": "Copy the secret", onclick: () => copy(secret) }, icon("copy"));
    const steps = h(
      "div",
      { class: "totp-secret" },
      h("p", {}, "Scan this with your authenticator app:"),
      qrCode(uri, "QR code for your authenticator app"),
      h("p", {}, "Or put this secret into it (time based, six digits):"),
      h("p", { class: "secret-line" }, h("code", {}, spaced), copied),
      h("p", {}, h("a", { href: uri }, "Open it in an app on this device")),
    );
    this.#form([steps, code], "Set up", async () => this.onDone(await api.put("/profile/totp", { code: code.value.trim() })));
    code.control.focus();
  }

  #form(parts, action, act) {
    const problem = problemBox();
    const submit = h("button", { type: "submit", class: "primary" }, action);
    const cancel = h("button", { type: "button", onclick: () => this.onCancel() }, "Cancel");
    const submitted = async (event) => {
      event.preventDefault();
      if (!parts.every((part) => part.check?.() ?? true)) return;
      submit.disabled = true;
      problem.show(null);
      try {
        await act();
      } catch (error) {
        problem.show(error);
        submit.disabled = false;
      }
    };
    this.replaceChildren(h("form", { novalidate: true, onsubmit: submitted }, parts, problem, h("div", { class: "form-actions" }, cancel, submit)));
  }
}

define("totp-setup", TotpSetup);

/** `{onDone(profile), onCancel()}` */
export function totpSetup(options) {
  return document.createElement("totp-setup").set(options);
}
