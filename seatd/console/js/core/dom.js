// Making elements. Text is always text: nothing here, or anywhere in the console, makes HTML of it.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element: `h("button", { class: "primary", onclick: save, disabled: busy }, "Save")`.
 * Names that begin with `on` are listeners; `true` is an attribute without a value, `false`, null and undefined none.
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets attributes and listeners as `h` does. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" && "value" in element && element.namespaceURI !== SVG) element.value = value ?? "";
    else if (value === true) element.setAttribute(name, "");
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  return element;
}

function filled(element, attributes, children) {
  set(element, attributes);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Defines a custom element once, however often its module is loaded. */
export function define(tag, element) {
  if (!customElements.get(tag)) customElements.define(tag, element);
}

let last = 0;

/** An id that nothing else on the page has: for labels. */
export function freshId(prefix = "id") {
  last += 1;
  return `${prefix}-${last}`;
}

/** Waits until calls have stopped coming for a while, then makes the last one. */
export function settled(call, wait_ms = 250) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait_ms);
  };
}
