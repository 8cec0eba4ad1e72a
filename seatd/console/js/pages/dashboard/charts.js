// Last week's activity against the week before, a chart for each figure. A click opens Activity with that week, or that day.

import { h } from "../../core/dom.js";
import { day } from "../../core/format.js";
import { href, router } from "../../core/router.js";
import { barChart, lineChart } from "../../elements/chart.js";
import { growthText } from "../../elements/stat.js";
import { MEASURES } from "../activity/figures.js";

const SHOWN = { seat_hours: lineChart, peak: barChart, grants: lineChart, true_denials: barChart };
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Cards for what `GET /usage/activity` answers. */
export function activityCharts(activity) {
  return Object.entries(SHOWN).map(([measure, make]) => card(activity, measure, make));
}

/** The address of Activity for these days. */
export function activityAddress(measure, from, to, more = {}) {
  return `/activity?${new URLSearchParams({ from, to, ...(measure === "seat_hours" ? {} : { measure }), ...more })}`;
}

function card({ days, week, growth }, measure, make) {
  const { text, format, is_bad } = MEASURES[measure];
  const [first, last] = [day(days[0].day), day(days.at(-1).day)];
  const chart = make({
    label: `${text} last week, by day, against the week before`,
    points: days.map((one) => `${WEEKDAYS[new Date(one.day).getUTCDay()]} ${one.day.slice(8, 10)}`),
    series: [
      { name: "Last week", values: days.map(({ activity }) => activity[measure]) },
      { name: "Week before", values: days.map((one) => one.week_before[measure]), past: true },
    ],
    format,
    height: 180,
    onChoose: (at) => router.go(activityAddress(measure, day(days[at].day), day(days[at].day), { resolution: "hour" })),
  });
  return h("section", { class: "card chart-card" },
    h("div", { class: "card-head" }, h("h2", {}, h("a", { href: href(activityAddress(measure, first, last)) }, text)), h("p", { class: "chart-total" }, h("strong", {}, format(week[measure])), growthText(growth[measure], { is_bad }))),
    h("div", { class: "card-body" }, chart),
  );
}
