// How a customer stands, and what whoever is signed in may do with it.

import { day } from "../../core/format.js";
import { session } from "../../core/session.js";
import { badge } from "../../elements/badge.js";

const STATUS = { active: ["Active", "good"], suspended: ["Suspended", "bad"], pending_deletion: ["Pending deletion", "warn"], deleted: ["Deleted", "bad"] };

/** The status, and beside it the end of a customer that is suspended and cancelled as well. */
export function statusBadges({ status, delete_at }) {
  const [text, kind] = STATUS[status];
  const ends = delete_at ? badge(`Ends ${day(delete_at)}`, "warn") : null;
  return [badge(text, kind), ends].filter(Boolean);
}

/** Whether the role may do it with this customer: an agency may what the customer permits. */
export function mayAt(customer, action) {
  const far = session.profile?.rights[action];
  if (!far) return false;
  return far === "all" || far === "own" || customer.permissions.includes(far);
}

/** The same for what concerns all of the customer: who is limited to some of its domains may not. */
export function mayWhole(customer, action) {
  return mayAt(customer, action) && !session.profile.grant.domains.length;
}

/** The day on which a customer goes that is cancelled now: the first of the next month, in UTC. */
export function endOfMonth(now = new Date()) {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString().slice(0, 10);
}
