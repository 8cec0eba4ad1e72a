// What last week would cost, for whoever may see the invoices of the one customer that everything is about.

import { api, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { session } from "../../core/session.js";
import { lastDays, later } from "../../elements/date-range.js";
import { growthText, stat } from "../../elements/stat.js";
import { grown } from "../activity/figures.js";

const MONEY = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A card; null when there are no prices, or somebody may not know. */
export async function chargeCard(options) {
  const is_for = session.customer && session.may("invoices.read") && !session.profile.grant.domains.length;
  if (!is_for) return null;
  const week = lastDays(7);
  const before = { from: later(week.from, -7), to: later(week.to, -7) };
  const drafts = [week, before].map((days) => api.get(`/customers/${part(session.customer)}/invoices/draft`, days, options));
  const [now, then] = await Promise.all(drafts);
  if (!Object.keys(now.prices.products).length) return null;
  const growth = growthText(grown(Number(now.total), Number(then.total)), { is_bad: true, against: "the week before" });
  const unpriced = now.unpriced.length ? h("span", { class: "muted" }, `. Without a price: ${now.unpriced.join(", ")}`) : null;
  return stat({ label: "Estimated charge", value: `${MONEY.format(Number(now.total))} ${now.currency}`, about: h("span", {}, growth, unpriced) });
}
