// Suspending and resuming, cancelling and withdrawing: each asks first, and answers the customer as it is then.

import { api, part } from "../../core/api.js";
import { day } from "../../core/format.js";
import { formDialog } from "../../elements/form-dialog.js";
import { toast } from "../../elements/toast.js";
import { endOfMonth } from "./standing.js";

/** The customer works as normal to the end of the month. */
export function cancelCustomer(customer) {
  const name = customer.name || customer.id;
  return ask(customer, "cancel", {
    title: "Cancel the subscription",
    text: `${name} works as normal to the end of the month, and is deleted on ${endOfMonth()} with its users, licenses and usage. Until then this can be withdrawn.`,
    action: "Cancel subscription",
    danger: true,
    said: (after) => `Cancelled: it ends on ${day(after.delete_at)}.`,
  });
}

/** Takes a cancellation back. */
export function withdrawCancellation(customer) {
  return ask(customer, "reinstate", {
    title: "Withdraw the cancellation",
    text: `${customer.name || customer.id} goes on as if nothing had been, and is not deleted on ${day(customer.delete_at)}.`,
    action: "Withdraw cancellation",
    said: () => "The cancellation is withdrawn.",
  });
}

/** Nobody of the customer gets anything new. */
export function suspendCustomer(customer) {
  return ask(customer, "suspend", {
    title: "Suspend",
    text: `Who has a seat of ${customer.name || customer.id} keeps it; nobody gets a new one, and nothing is provisioned.`,
    action: "Suspend",
    danger: true,
    said: () => "Suspended.",
  });
}

/** Takes a suspension back. */
export function resumeCustomer(customer) {
  return ask(customer, "resume", {
    title: "Resume",
    text: `${customer.name || customer.id} gets seats again, at once.`,
    action: "Resume",
    said: () => "Resumed.",
  });
}

function ask({ id }, what, { said, ...dialog }) {
  const submit = async () => {
    const after = await api.post(`/customers/${part(id)}/${what}`);
    toast(said(after), "good");
    return after;
  };
  return formDialog({ ...dialog, submit });
}
