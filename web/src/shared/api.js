// The public API. The token stays in memory: a reload asks for the link again.

import { canSignIn, completeSignIn, forgetSignIn, renew } from "./signin.js";

const BASE = new URL("../", document.baseURI);
const ATTEMPTS = 4;
let token = null;

/** What the API refuses: a problem document (RFC 9457), or that nothing answered. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `${status}`);
    this.status = status;
    this.title = problem.title ?? "";
    this.kind = (problem.type ?? "").split(":").at(-1);
    this.problems = problem.errors ?? [];
  }
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Take the token of the link, and take it out of the address at once. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = given.get("token") ?? given.get("invitation");
  if (!found) return null;
  const claims = useToken(found);
  const route = given.get("open") ?? (claims?.batch_id ? `/judge/${claims.batch_id}` : "/");
  history.replaceState(null, "", `${location.pathname}${location.search}#${route}`);
  return claims;
}

/** Use a token, or a link that holds one; its claims, or null if it is neither. */
export function useToken(text) {
  const found = text.trim().split(/[#&](?:token|invitation)=/).at(-1).split("&")[0];
  const claims = readClaims(found);
  if (claims) token = found;
  return claims;
}

export function forgetToken() {
  token = null;
  forgetSignIn();
}

/** Take the token of whoever comes back from the issuer; their claims. */
export async function takeSignIn() {
  return useToken(await completeSignIn(readClaims));
}

function readClaims(text) {
  try {
    const part = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (each) => each.codePointAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" ? claims : null;
  } catch {
    return null;
  }
}

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** One request. What may pass is tried again, unless `once` is set. */
export async function call(method, path, { body, headers = {}, once = false, keepalive = false, isText = false } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(method, path, { body, headers, keepalive, isText });
    } catch (error) {
      if (once || !error.isPassing || attempt >= ATTEMPTS) throw error;
      await wait(300 * 2 ** attempt + Math.random() * 300);
    }
  }
}

async function send(method, path, { body, headers, keepalive, isText }) {
  let response;
  if (token && canSignIn) token = (await renew(token, readClaims)) ?? token;
  try {
    response = await fetch(new URL(path.replace(/^\//, ""), BASE), {
      method, keepalive, cache: "no-store", referrerPolicy: "no-referrer", credentials: "omit",
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, { detail: "" });
  }
  const text = await response.text();
  if (response.ok) return isText ? text : JSON.parse(text || "null");
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    problem = { detail: `${response.status}` };
  }
  throw new ApiError(response.status, problem);
}

export const get = (path, options) => call("GET", path, options);
export const batchPath = (id) => `/v1/batches/${encodeURIComponent(id)}`;
export const essayPath = (id, essay) => `${batchPath(id)}/essays/${encodeURIComponent(essay)}`;

/** Comparisons of a batch from a cursor on, page by page until there are enough: {comparisons, cursor}; at the end the cursor is null. */
export async function readComparisons(id, from = null, enough = Infinity) {
  const comparisons = [];
  let cursor = from;
  do {
    const page = await get(`${batchPath(id)}/comparisons?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    comparisons.push(...page.comparisons);
    cursor = page.cursor ?? null;
  } while (cursor && comparisons.length < enough);
  return { comparisons, cursor };
}

/** All comparisons of a batch. */
export const listComparisons = async (id) => (await readComparisons(id)).comparisons;
