// Who is signed in, and what follows from it. `session.profile` is null for a stranger.

import { api, call, onSession, setCsrf } from "./api.js";

class Session extends EventTarget {
  profile = null;

  constructor() {
    super();
    onSession({ signedOut: () => this.#forget(), renew: () => this.load() });
  }

  /** Asks who is signed in; null: nobody. */
  async load() {
    try {
      this.#keep(await call("GET", "/profile", { open: true }));
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#forget();
    }
    return this.profile;
  }

  /** `{name, password, code?}` or `{link, code?}`. */
  async signIn(given) {
    this.#keep(await call("POST", "/sign-in", { body: given, open: true }));
  }

  async signOut() {
    try {
      await api.post("/sign-out");
    } finally {
      this.#forget();
    }
  }

  /** Acts with another grant (by its number), or for one customer alone. */
  async switchTo(to) {
    this.#keep(await api.post("/profile/switch", to));
  }

  /** A profile that a call has answered: the session goes on with it. */
  renew(profile) {
    this.#keep(profile);
  }

  /** Whether the active grant's role may do this anywhere. */
  may(action) {
    return !action || Boolean(this.profile?.rights[action]);
  }

  /** The customer, when everything is about a single one; "" otherwise. */
  get customer() {
    const customers = this.profile?.grant.customers ?? [];
    return customers.length === 1 ? customers[0] : "";
  }

  #keep(profile) {
    const was = JSON.stringify([this.profile?.name, this.profile?.grant, this.profile?.totp_needed]);
    this.profile = profile;
    setCsrf(profile.csrf);
    const is = JSON.stringify([profile.name, profile.grant, profile.totp_needed]);
    if (was !== is) this.dispatchEvent(new Event("change"));
  }

  #forget() {
    if (this.profile === null) return;
    this.profile = null;
    setCsrf("");
    this.dispatchEvent(new Event("change"));
  }
}

export const session = new Session();

/** A grant in words: "Supervisor of acme (sales.acme.example)"; what counts everywhere is only the role. */
export function grantText({ role, agency, customers, domains }) {
  const name = role[0].toUpperCase() + role.slice(1);
  const where = agency ? `agency ${agency}` : customers.join(", ");
  const within = domains.length ? ` (${domains.join(", ")})` : "";
  return where ? `${name} of ${where}${within}` : name;
}
