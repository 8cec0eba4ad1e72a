// The agencies that a customer may be given to.

import { everything } from "../../core/everything.js";
import { toast } from "../../elements/toast.js";

/** `[id, name]` of each; null when the server does not tell, which is said. */
export async function agencyChoices() {
  try {
    const { items } = await everything("/agencies", { sort: "name" });
    return items.map(({ id, name }) => [id, name || id]);
  } catch (error) {
    toast(error.message, "bad");
    return null;
  }
}
