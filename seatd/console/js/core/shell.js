// The frame around every page: navigation, account, and the page that the address asks for.

import { h } from "./dom.js";
import { href, router } from "./router.js";
import { session } from "./session.js";
import { ApiError } from "./api.js";
import { GROUPS } from "../pages/index.js";
import { accountMenu } from "../elements/account-menu.js";
import { icon } from "../elements/icon.js";
import { emptyState, errorState } from "../elements/message.js";

class Shell {
  #page = null;
  #route = null;
  #who = null;

  /** Finds out who is there, then shows what the address asks for, from now on. */
  async start(body) {
    this.body = body;
    try {
      await session.load();
    } catch (error) {
      this.body.replaceChildren(h("main", { class: "alone" }, h("h1", { class: "visually-hidden" }, "seatd"), errorState(error, () => this.start(body))));
      return;
    }
    session.addEventListener("change", () => this.#signedInOrOut());
    router.addEventListener("change", () => this.#show());
    this.#show();
  }

  #isHeldUp() {
    return !session.profile || session.profile.totp_needed;
  }

  #signedInOrOut() {
    this.#leave();
    this.#show();
  }

  async #show() {
    if (this.#isHeldUp()) return this.#signIn();
    if (router.path === "/sign-in" || router.path === "/") return router.go(home(), { replace: true });
    this.#frame();
    this.#mark();
    const here = router.here;
    if (!here || !session.may(here.route.action)) return this.#nothing(here);
    return this.#open(here);
  }

  /** The page at this address; one that is there already is only told what has changed. */
  async #open(here) {
    if (this.#page && this.#route === here.route.path + JSON.stringify(here.params)) {
      await this.#page.enter(here);
      return;
    }
    this.#leave();
    const name = here.route.path + JSON.stringify(here.params);
    this.#route = name;
    document.title = `${here.route.title} – seatd`;
    try {
      const { default: PageElement } = await here.route.load();
      if (this.#route !== name) return; // somebody has gone on meanwhile
      this.#page = new PageElement();
      this.#page.dataset.page = here.route.path;
      this.main.replaceChildren(this.#page);
      scrollTo(0, 0);
      const shown = this.#page.enter(router.here);
      this.#page.querySelector("h1")?.focus({ preventScroll: true });
      await shown;
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof TypeError)) throw error;
      if (error instanceof TypeError && !/import/.test(error.message)) throw error;
      this.main.replaceChildren(errorState(new Error("The page could not be loaded."), () => location.reload()));
    }
  }

  #leave() {
    this.#page?.leave();
    this.#page = null;
    this.#route = null;
  }

  #nothing(here) {
    this.#leave();
    document.title = "Not found – seatd";
    const back = h("a", { class: "button", href: href("/") }, "To the start");
    const text = here ? "Your role does not allow this." : "There is no page at this address.";
    this.main.replaceChildren(emptyState({ symbol: here ? "lock" : "info", title: here ? "Not allowed" : "Not found", text, action: back }));
  }

  async #signIn() {
    const { default: SignInPage } = await import("../pages/sign-in.js");
    if (!this.#isHeldUp()) return; // somebody has signed in meanwhile
    this.#who = null;
    this.#leave();
    document.title = "Sign in – seatd";
    this.#page = new SignInPage();
    this.body.replaceChildren(this.#page);
    await this.#page.enter({ query: new URLSearchParams(location.search), params: {} });
  }

  // -- the frame -----------------------------------------------------------------------------------------

  #frame() {
    const who = JSON.stringify([session.profile.name, session.profile.grant]);
    if (this.#who === who) return;
    this.#who = who;
    this.main = h("main", { id: "main", tabindex: "-1" });
    const skip = h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), this.main.focus()) }, "Skip to the content");
    this.nav = h("nav", { class: "nav", "aria-label": "Main" }, GROUPS.map((group) => this.#group(group)).filter(Boolean));
    const brand = h("a", { class: "brand", href: href("/") }, logo(), h("span", {}, "seatd"));
    const open = h("button", { type: "button", class: "icon-button nav-open", "aria-label": "Menu", "aria-expanded": "false", onclick: () => this.#toggleNav() }, icon("menu"));
    this.opener = open;
    this.side = h("div", { class: "side" }, h("div", { class: "side-head" }, brand, open), h("div", { class: "side-body" }, this.nav, accountMenu()));
    window.addEventListener("keydown", (event) => event.key === "Escape" && this.#toggleNav(false));
    this.body.replaceChildren(skip, h("div", { class: "frame" }, this.side, this.main));
  }

  #group({ name, title }) {
    const links = router.menu.filter((route) => route.group === name).map((route) =>
      h("li", {}, h("a", { href: href(route.path), "data-path": route.path }, icon(route.icon), h("span", {}, route.title))),
    );
    return links.length ? h("section", {}, title ? h("h2", {}, title) : null, h("ul", {}, links)) : null;
  }

  #mark() {
    this.#toggleNav(false);
    for (const link of this.nav.querySelectorAll("a")) {
      const is_here = router.path === link.dataset.path || router.path.startsWith(`${link.dataset.path}/`);
      if (is_here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #toggleNav(wanted = !this.side.classList.contains("open")) {
    this.side.classList.toggle("open", wanted);
    this.opener.setAttribute("aria-expanded", String(wanted));
  }
}

/** The first page of the navigation. */
function home() {
  return router.menu[0]?.path ?? "/profile";
}

function logo() {
  const here = new URL("../../seatd.svg", import.meta.url);
  return h("img", { src: here.href, alt: "", width: "28", height: "28" });
}

export const shell = new Shell();
