// A QR code as an SVG: always dark on light, whatever the theme, for that is what cameras read.

import { s } from "../core/dom.js";
import { qrModules } from "../core/qr.js";

const MARGIN = 4; // modules, as the standard wants

/** `qrCode(text, "QR code for your app")` */
export function qrCode(text, label) {
  const rows = qrModules(text);
  const size = rows.length + 2 * MARGIN;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : ""))).join("");
  return s("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" }, s("path", { d: path }));
}
