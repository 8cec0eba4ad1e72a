// A form field: label, control, hint and error belong together, for the eye and for a screen reader.
//
//     const reason = field({ label: "Reason", hint: "Shown to the person", maxlength: 200 });
//     reason.value; reason.error = "Too long"; reason.check();

import { define, freshId, h } from "../core/dom.js";

class FormField extends HTMLElement {
  #error = null;
  #check = () => "";

  /** Called by `field`. */
  set({ label, hint, control, check, required }) {
    const [id, hint_id, error_id] = [freshId("field"), freshId("hint"), freshId("error")];
    this.control = control;
    this.#check = check ?? (() => (required && !this.value.trim() ? `${label} is needed.` : ""));
    this.#error = h("p", { class: "field-error", id: error_id, role: "alert", hidden: true });
    control.id = id;
    control.setAttribute("aria-describedby", `${hint ? `${hint_id} ` : ""}${error_id}`);
    if (required) control.setAttribute("aria-required", "true");
    control.addEventListener("input", () => (this.error = ""));
    this.append(h("label", { for: id }, label), control);
    if (hint) this.append(h("p", { class: "field-hint", id: hint_id }, hint));
    this.append(this.#error);
    return this;
  }

  get value() {
    return this.control.type === "checkbox" ? this.control.checked : this.control.value;
  }

  set value(given) {
    if (this.control.type === "checkbox") this.control.checked = given;
    else this.control.value = given;
  }

  /** A sentence below the control; "" takes it away. */
  set error(text) {
    this.#error.textContent = text;
    this.#error.hidden = !text;
    this.control.setAttribute("aria-invalid", text ? "true" : "false");
  }

  /** Whether the value will do; says so when it does not, and goes there. */
  check() {
    const fault = this.#check(this.value);
    this.error = fault;
    if (fault) this.control.focus();
    return !fault;
  }
}

define("form-field", FormField);

/**
 * `{label, hint, type, options, required, check(value), ...attributes of the control}`. `type`: of an input, or "textarea",
 * or "select" with `options` (`[value, text]` or texts). `check` answers what is wrong, or "".
 */
export function field({ label, hint, type = "text", options, value, check, required, ...attributes }) {
  const control = made(type, options, attributes);
  if (value !== undefined && type !== "checkbox") control.value = value;
  if (type === "checkbox") control.checked = Boolean(value);
  const element = document.createElement("form-field");
  element.classList.add(type);
  return element.set({ label, hint, control, check, required });
}

function made(type, options, attributes) {
  if (type === "textarea") return h("textarea", attributes);
  if (type === "select") return h("select", attributes, options.map(choice));
  return h("input", { type, ...attributes });
}

function choice(option) {
  const [value, text] = Array.isArray(option) ? option : [option, option];
  return h("option", { value }, text);
}

/** A search box: `onSearch(text)` is called when typing has paused, and at once on Enter. */
export function searchField({ label, value = "", onSearch, placeholder = label }) {
  const id = freshId("search");
  const input = h("input", { type: "search", id, placeholder, value, autocomplete: "off", spellcheck: "false" });
  let timer = 0;
  let last = value;
  const search = () => {
    clearTimeout(timer);
    if (input.value.trim() === last) return;
    last = input.value.trim();
    onSearch(last);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, input.value ? 250 : 0);
  });
  input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), search()));
  const box = h("div", { class: "search" }, h("label", { for: id, class: "visually-hidden" }, label), input);
  /** The text, when it comes from elsewhere (the address): it is not searched again, nor is typing disturbed. */
  box.show = (text) => {
    last = text;
    if (input !== document.activeElement) input.value = text;
  };
  box.input = input;
  return box;
}
