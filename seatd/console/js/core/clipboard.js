// Copying text, also where the page did not come over TLS and `navigator.clipboard` is not there.

import { h } from "./dom.js";
import { toast } from "../elements/toast.js";

/** Copies, and says so. */
export async function copy(text, said = "Copied to clipboard") {
  const is_copied = await copied(text);
  toast(is_copied ? said : "This browser does not let the page copy.", is_copied ? "good" : "bad");
  return is_copied;
}

async function copied(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not permitted: perhaps the old way is
    }
  }
  return copiedTheOldWay(text);
}

function copiedTheOldWay(text) {
  const area = h("textarea", { class: "visually-hidden", "aria-hidden": "true", readonly: true, value: text });
  const before = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const is_copied = document.execCommand("copy");
  area.remove();
  before?.focus();
  return is_copied;
}
