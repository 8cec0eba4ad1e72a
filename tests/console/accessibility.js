// What is wrong with the page as it is now, for those who hear it, use a keyboard, or see little contrast. A list of sentences.
//
// Not everything that could be wrong can be seen from here; what can, is: names, roles and their states, ids, headings,
// landmarks, contrast (WCAG 2.2: 1.4.3, 1.4.11 for switches), sizes (2.5.8), and whether anything sticks out sideways.
() => {
  const findings = [];
  const open_dialogs = [...document.querySelectorAll("dialog[open]")];
  const top_dialog = open_dialogs.at(-1) ?? null;
  const scope = top_dialog ?? document.body;
  const all = [...scope.querySelectorAll("*")];

  const where = (element) => {
    const name = element.id ? `#${element.id}` : element.className && typeof element.className === "string" ? `.${element.className.trim().replace(/\s+/g, ".")}` : "";
    const text = (element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.localName}${name}> ${text ? `“${text}”` : ""}`;
  };
  const told = (element, sentence) => findings.push(`${sentence}: ${where(element)}`);
  const is_rendered = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const clipped = (element) => Boolean(element.closest(".visually-hidden, .skip"));
  const is_silent = (element) => Boolean(element.closest("[aria-hidden=true], [hidden], [inert]"));
  const is_seen = (element) => is_rendered(element) && !clipped(element);

  // -- names ---------------------------------------------------------------------------------------------

  const texts = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const spoken = (element) => {
    if (element.getAttribute("aria-hidden") === "true") return "";
    if (element.localName === "img") return element.alt;
    return [...element.childNodes].map((node) => (node.nodeType === 3 ? node.data : node.nodeType === 1 ? (node.getAttribute("aria-label") ?? spoken(node)) : "")).join(" ");
  };
  const name_of = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const label = element.labels?.length ? [...element.labels].map((one) => one.textContent).join(" ") : "";
    const own = /^(input|select|textarea|meter)$/.test(element.localName) || ["meter", "region", "dialog", "tablist", "tabpanel", "menu"].includes(element.getAttribute("role")) ? "" : spoken(element);
    return ((by && texts(by)) || element.getAttribute("aria-label") || label || own || element.title || "").trim();
  };

  const NAMED = "button, a[href], input:not([type=hidden]), select, textarea, summary, dialog, [role=switch], [role=tab], [role=tablist], [role=menuitem], [role=menuitemradio], [role=menuitemcheckbox], [role=meter], [role=region], [role=menu], [role=dialog], [role=img], [role=grid], nav:not(:only-of-type), iframe";
  for (const element of scope.querySelectorAll(NAMED)) {
    if (is_rendered(element) && !is_silent(element) && !name_of(element)) told(element, "has no name");
  }
  for (const image of scope.querySelectorAll("img:not([alt])")) told(image, "an image without alt");
  for (const drawn of scope.querySelectorAll("svg")) {
    if (!is_silent(drawn) && drawn.getAttribute("role") !== "img") told(drawn, "an SVG is neither hidden nor an image");
  }
  for (const control of scope.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const is_labelled = control.labels?.length || control.hasAttribute("aria-label") || control.hasAttribute("aria-labelledby");
    if (is_rendered(control) && !is_labelled) told(control, "a control without a label (a placeholder is none)");
  }

  // -- roles and states ------------------------------------------------------------------------------------

  const NEEDS = {
    switch: ["aria-checked"], checkbox: ["aria-checked"], radio: ["aria-checked"], menuitemradio: ["aria-checked"],
    menuitemcheckbox: ["aria-checked"], tab: ["aria-selected"], meter: ["aria-valuenow", "aria-valuemin", "aria-valuemax"],
    progressbar: [], slider: ["aria-valuenow"], combobox: ["aria-expanded"],
  };
  const PARENTS = {
    tab: "[role=tablist]", row: "[role=table], [role=rowgroup], [role=grid], table", cell: "[role=row], tr", gridcell: "[role=row]",
    columnheader: "[role=row], tr", rowheader: "[role=row], tr", menuitem: "[role=menu], [role=group]", option: "[role=listbox]",
    menuitemradio: "[role=menu]", menuitemcheckbox: "[role=menu]",
  };
  const ROLES = new Set("alert alertdialog application article banner button cell checkbox columnheader combobox complementary contentinfo dialog feed figure form grid gridcell group heading img link list listbox listitem log main math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation none note option presentation progressbar radio radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider spinbutton status switch tab table tablist tabpanel term textbox timer toolbar tooltip tree treegrid treeitem".split(" "));
  for (const element of all) {
    const role = element.getAttribute("role");
    if (!role || !is_rendered(element)) continue;
    if (!ROLES.has(role)) told(element, `there is no role ${role}`);
    for (const state of NEEDS[role] ?? []) if (!element.hasAttribute(state)) told(element, `role ${role} needs ${state}`);
    if (PARENTS[role] && !element.parentElement.closest(PARENTS[role])) told(element, `role ${role} stands outside of ${PARENTS[role]}`);
  }
  for (const element of all) {
    for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
      for (const id of (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean)) {
        if (!document.getElementById(id)) told(element, `${attribute} names ${id}, which is not there`);
      }
    }
    if (element.tabIndex > 0) told(element, "has a place of its own in the tab order");
    if (is_silent(element) && element.closest("[aria-hidden=true]") && element.tabIndex >= 0 && is_rendered(element) && element.matches("button, a[href], input, select, textarea, [tabindex]")) told(element, "can be reached by keyboard, but is hidden from screen readers");
  }
  const CONTROLS = "button, a[href], input:not([type=hidden]), select, textarea, [role=switch], [role=tab]";
  for (const control of scope.querySelectorAll(CONTROLS)) {
    const outer = control.parentElement.closest("button, a[href], label > input");
    if (outer) told(control, "a control within a control");
  }
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX + getComputedStyle(element).overflowY) && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
  for (const element of all) {
    if (is_seen(element) && scrolls(element) && element.tabIndex < 0 && !element.querySelector(`:is(${CONTROLS}, [tabindex])`) && !/^(input|textarea|select)$/.test(element.localName)) told(element, "scrolls, but cannot be reached by keyboard");
  }

  // -- the document ------------------------------------------------------------------------------------------

  if (!document.documentElement.lang) findings.push("the page says no language");
  if (!document.title) findings.push("the page has no title");
  if (document.querySelectorAll("main").length !== 1) findings.push(`there are ${document.querySelectorAll("main").length} main landmarks`);
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(is_rendered);
  if (headings.filter((one) => one.localName === "h1").length !== 1) findings.push(`there are ${headings.filter((one) => one.localName === "h1").length} h1`);
  const seen = new Map();
  for (const element of document.querySelectorAll("[id]")) {
    if (seen.has(element.id)) told(element, `the id ${element.id} is there twice`);
    seen.set(element.id, element);
  }
  for (const table of scope.querySelectorAll("table")) {
    if (is_rendered(table) && !table.querySelector("th")) told(table, "a table without headers");
  }
  for (const list of scope.querySelectorAll("ul, ol")) {
    for (const child of list.children) if (!["li", "template"].includes(child.localName)) told(child, "stands in a list and is no item");
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) findings.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);

  // -- contrast ------------------------------------------------------------------------------------------------

  const rgba = (text) => {
    const numbers = text.match(/-?[\d.]+(e-?\d+)?%?/g)?.map((each) => (each.endsWith("%") ? parseFloat(each) / 100 : parseFloat(each))) ?? [0, 0, 0, 0];
    if (text.startsWith("color(")) return [numbers[0] * 255, numbers[1] * 255, numbers[2] * 255, numbers[3] ?? 1];
    return [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1];
  };
  const over = (upper, lower) => {
    const alpha = upper[3];
    return [0, 1, 2].map((at) => upper[at] * alpha + lower[at] * (1 - alpha)).concat(1);
  };
  const ground_of = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] >= 1) break;
      if (one.localName === "dialog" || one.popover) break;
    }
    return layers.reverse().reduce((lower, upper) => over(upper, lower), rgba(getComputedStyle(document.body).backgroundColor));
  };
  const luminance = (color) => {
    const [red, green, blue] = color.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const opacity_of = (element) => {
    let opacity = 1;
    for (let one = element; one; one = one.parentElement) opacity *= Number(getComputedStyle(one).opacity);
    return opacity;
  };
  const is_disabled = (element) => Boolean(element.closest(":disabled, [aria-disabled=true], [data-stale]"));
  const judged = (element, color) => {
    if (!is_seen(element) || is_disabled(element)) return;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const is_large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ground = ground_of(element);
    const own = rgba(color);
    const ratio = contrast(over([own[0], own[1], own[2], own[3] * opacity_of(element)], ground), ground);
    if (ratio < (is_large ? 3 : 4.5) - 0.01) told(element, `text has a contrast of ${ratio.toFixed(2)}`);
  };
  for (const element of all) {
    const has_text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (has_text && !element.closest("svg")) judged(element, getComputedStyle(element).color);
    if (element.closest("svg") && element.localName === "text" && is_rendered(element)) judged(element, getComputedStyle(element).fill);
    if (element.matches("input, textarea") && is_seen(element)) judged(element, element.value ? getComputedStyle(element).color : getComputedStyle(element, "::placeholder").color);
    if (element.matches("input:not([type=checkbox]):not([type=radio]), select, textarea, .switch") && is_seen(element) && !is_disabled(element)) {
      const ratio = contrast(over(rgba(getComputedStyle(element).borderTopColor), ground_of(element.parentElement)), ground_of(element.parentElement));
      const inner = contrast(ground_of(element), ground_of(element.parentElement));
      if (Math.max(ratio, inner) < 2.99) told(element, `its edge has a contrast of ${Math.max(ratio, inner).toFixed(2)}`);
    }
  }

  // -- sizes -----------------------------------------------------------------------------------------------------

  for (const control of scope.querySelectorAll("button, select, input:not([type=hidden]), [role=switch], .button")) {
    if (!is_seen(control)) continue;
    const { width, height } = control.getBoundingClientRect();
    const is_check = control.matches("[type=checkbox], [type=radio]");
    if (!is_check && (width < 23.5 || height < 19.5)) told(control, `is only ${Math.round(width)} x ${Math.round(height)} px`);
  }
  return [...new Set(findings)];
}
