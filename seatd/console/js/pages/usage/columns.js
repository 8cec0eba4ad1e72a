// The columns of usage, by what a row is about and how long it lasts.

import { day, minute } from "../../core/format.js";
import { session } from "../../core/session.js";

const FIGURE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });

const WHEN = {
  live: { label: "Since (UTC)", text: (moment) => moment.slice(11, 16) },
  hour: { label: "Hour (UTC)", text: minute },
  day: { label: "Day (UTC)", text: day },
  month: { label: "Month (UTC)", text: (moment) => moment.slice(0, 7) },
};

/** When a row's time began, as its resolution shows it. */
export function when(row, resolution) {
  return WHEN[resolution].text(row.from);
}

/** What a row is about, in one word. */
export function nameOf(row) {
  return row.license ?? ([row.product, row.domain].filter(Boolean).join(" in ") || row.customer);
}

/** What tells a row from all others. */
export function keyOf(row) {
  return [row.customer, row.domain, row.product, row.license, row.from].map((part) => part ?? "").join("|");
}

/** For `dataSheet`. */
export function usageColumns({ resolution, by, customer }) {
  const is_of_several = !session.customer && !customer;
  return [
    is_of_several || by === "customer" ? text("customer", "Customer") : null,
    by === "domain" ? text("domain", "Domain") : null,
    by === "domain" || by === "product" ? text("product", "Product") : null,
    by === "license" ? text("license", "License") : null,
    { key: "from", label: WHEN[resolution].label, class: "nowrap names", text: (row) => when(row, resolution), value: (row) => when(row, resolution) },
    resolution === "live" ? figure("in_use", "In use", "Seats in use now") : null,
    figure("peak", "Peak", "The most seats at one moment"),
    figure("average", "Average", "Seats in use on average over the whole time"),
    figure("seat_hours", "Seat-hours", "A seat for an hour is one"),
    figure("overdraft_hours", "Overdraft", "Seat-hours above the limit"),
    figure("grants", "Grants", "How often a seat was given"),
    figure("denied", "Denied", "How often a seat was refused, for whatever reason"),
    figure("healed", "Healed", "Denied for want of a seat, and granted within 5 s"),
    figure("true_denials", "True denials", "Denied for want of a seat, and not granted within 5 s"),
    figure("suggested_seats", "Suggested", "Seats that suffice for 99 % of the time in use"),
  ].filter(Boolean);
}

function text(key, label) {
  return { key, label, class: "nowrap names", text: (row) => row[key] ?? "", value: (row) => row[key] };
}

function figure(key, label, about) {
  const shown = (row) => (row[key] === null ? "" : FIGURE.format(row[key]));
  return { key, label, about, class: "number", text: shown, value: (row) => row[key] };
}
