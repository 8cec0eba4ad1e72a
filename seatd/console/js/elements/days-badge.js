// How many days a license has left, with a colour that warns in time.

import { counted } from "../core/format.js";
import { badge } from "./badge.js";

const SOON = 30;
const VERY_SOON = 7;

/** `{status, validity}` of a license. */
export function daysBadge({ status, validity }) {
  if (validity === "expired") return badge(status === -1 ? "Ended" : `Ended ${counted(-status - 1, "day")} ago`, "bad");
  if (validity === "not_yet_valid") return badge("Not yet valid", "info");
  if (status === 0) return badge("Last day", "bad");
  const kind = status <= VERY_SOON ? "bad" : status <= SOON ? "warn" : "good";
  return badge(counted(status, "day"), kind);
}
