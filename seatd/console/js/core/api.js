// The REST API. Every call answers JSON (null for a 204) or throws an ApiError; who has to sign in first is led there.

const ROOT = "/api/v1";
const WRITE_S = 60;
const READ_S = 30;

/** A refusal, or no answer at all: `code` is the API's (`offline` when nothing came back). */
export class ApiError extends Error {
  constructor({ status = 0, code, detail, errors = [], retry_s = null }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retry_s = retry_s;
  }
}

let csrf = "";
let on_signed_out = () => {};
let renewed = async () => {};

/** What a page must send beside the cookie. */
export function setCsrf(value) {
  csrf = value;
}

/** `signedOut` is called when the session is over, `renew` when another tab has changed it: it fetches the profile. */
export function onSession({ signedOut, renew }) {
  on_signed_out = signedOut;
  renewed = renew;
}

/** `api.get("/licenses", { search: "call", page: 2 })`; what is empty is left out. */
export const api = {
  get: (path, query, options) => call("GET", path, { query, ...options }),
  post: (path, body, options) => call("POST", path, { body: body ?? undefined, ...options }),
  put: (path, body, options) => call("PUT", path, { body, ...options }),
  patch: (path, body, options) => call("PATCH", path, { body, ...options }),
  delete: (path, options) => call("DELETE", path, options ?? {}),
};

/** The address of a call, for links to downloads. */
export function address(path, query = {}) {
  const wanted = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(wanted).toString();
  return `${ROOT}${path}${text ? `?${text}` : ""}`;
}

/** A name as one part of a path. */
export const part = encodeURIComponent;

/** `background`: nobody has done anything, so it keeps no session from running out. `raw`: the Response itself. */
export async function call(method, path, options = {}) {
  try {
    return await once(method, path, options);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "cross_site" && csrf) {
      await renewed(); // another tab has switched or changed the password: the cookie is new, what we send beside it is not
      return once(method, path, options);
    }
    if (error.status === 401 && !options.open) on_signed_out();
    throw error;
  }
}

async function once(method, path, { query, body, signal, background, raw, key, csv, timeout_s }) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Seatd-CSRF"] = csrf;
  if (background) headers["X-Seatd-Background"] = "1";
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = csv ? "text/csv" : "application/json";
  const limit = AbortSignal.timeout((timeout_s ?? (method === "GET" ? READ_S : WRITE_S)) * 1000);
  const request = {
    method,
    headers,
    body: body === undefined || csv ? body : JSON.stringify(body),
    signal: raw ? signal : AbortSignal.any([limit, ...(signal ? [signal] : [])]),
    cache: "no-store",
  };
  const response = await answered(address(path, query), request, signal);
  if (!response.ok) throw await refusal(response);
  if (raw) return response;
  return response.status === 204 ? null : content(response, signal);
}

async function answered(url, request, signal) {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw unanswered(error, signal, "The server cannot be reached.");
  }
}

/** What was answered. It may break off, or be a page of whatever stands before the server. */
async function content(response, signal) {
  try {
    return await response.json();
  } catch (error) {
    throw unanswered(error, signal, "What came is no answer of the server.");
  }
}

function unanswered(error, signal, detail) {
  if (signal?.aborted) return error;
  return new ApiError({ code: "offline", detail: error.name === "TimeoutError" ? "The server has not answered in time." : detail });
}

async function refusal(response) {
  const retry_s = Number(response.headers.get("Retry-After")) || null;
  try {
    const { code, detail, errors } = await response.json();
    return new ApiError({ status: response.status, code, detail, errors, retry_s });
  } catch {
    const detail = `The server has answered ${response.status}.`;
    return new ApiError({ status: response.status, code: "internal", detail, retry_s });
  }
}

/** A key for a write that may be sent twice. (`crypto.randomUUID` is only there over TLS.) */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether an error only says that somebody has gone elsewhere. */
export function isAborted(error) {
  return error?.name === "AbortError";
}
