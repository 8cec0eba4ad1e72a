// A customer that is made by hand, before there is a license key that names it.

import { api, freshKey } from "../../core/api.js";
import { session } from "../../core/session.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { toast } from "../../elements/toast.js";
import { agencyChoices } from "./agencies.js";

/** The customer that was made; null when it was cancelled. */
export async function newCustomer() {
  const key = freshKey();
  const agencies = session.may("agencies.read") ? await agencyChoices() : [];
  if (!agencies) return null;
  return formDialog({
    title: "Add customer",
    text: "A license key that names it later adds its domains and licenses.",
    action: "Add customer",
    fields: {
      id: field({ label: "ID", required: true, maxlength: 64, autocomplete: "off", spellcheck: "false", hint: "As license keys name it. It cannot be changed." }),
      name: field({ label: "Name", maxlength: 200 }),
      external_id: field({ label: "External ID", maxlength: 200, hint: "In the system that orders come from." }),
      agency: field({ label: "Agency", type: "select", options: [["", "None"], ...agencies] }),
    },
    submit: async (values) => {
      const made = await api.post("/customers", { ...values, id: values.id.trim() }, { key });
      toast(`${made.id} is there.`, "good");
      return made;
    },
  });
}
