// Signing in with the stack's issuer: the code flow with PKCE (RFC 7636). What it brings stays in memory.

const KEPT_AT = "cj-sign-in"; // the verifier of a flow that is under way; a token never
const described = document.querySelector('meta[name="sign-in"]')?.content;
const issuer = described ? JSON.parse(described) : null;
const SOON = 60;
let refreshToken = null;

/** Whether people can sign in here. */
export const canSignIn = issuer !== null;

const encode = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const draw = () => encode(crypto.getRandomValues(new Uint8Array(32)));
const redirectUri = () => `${location.origin}${location.pathname}`;

/** Leave for the issuer; whoever comes back goes on where they were. */
export async function beginSignIn() {
  const flow = { verifier: draw(), state: draw(), nonce: draw(), route: location.hash };
  const challenge = encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier))));
  sessionStorage.setItem(KEPT_AT, JSON.stringify(flow));
  const target = new URL(issuer.authorization_endpoint);
  const asked = { response_type: "code", client_id: issuer.client_id, redirect_uri: redirectUri(), scope: issuer.scope, state: flow.state, nonce: flow.nonce, code_challenge: challenge, code_challenge_method: "S256", audience: issuer.audience };
  for (const [name, value] of Object.entries(asked)) if (value) target.searchParams.set(name, value);
  location.assign(target);
}

/** Whether the issuer has just sent somebody back. */
export const isComingBack = () => canSignIn && new URLSearchParams(location.search).has("state");

/** The token that the issuer's answer in the address stands for; the address is cleaned at once. */
export async function completeSignIn(readClaims) {
  const answer = new URLSearchParams(location.search);
  const flow = JSON.parse(sessionStorage.getItem(KEPT_AT) ?? "null");
  sessionStorage.removeItem(KEPT_AT);
  history.replaceState(null, "", `${location.pathname}${flow?.route || "#/"}`);
  const isOurs = flow && answer.get("state") === flow.state && [null, issuer.issuer].includes(answer.get("iss"));
  if (!isOurs || !answer.get("code")) throw new Error(answer.get("error_description") ?? answer.get("error") ?? "state");
  const tokens = await askForTokens({ grant_type: "authorization_code", code: answer.get("code"), redirect_uri: redirectUri(), code_verifier: flow.verifier });
  if (tokens.id_token && readClaims(tokens.id_token)?.nonce !== flow.nonce) throw new Error("nonce");
  return choose(tokens, readClaims);
}

/** A new token in place of one that ends soon; null where the one that is there has to do. */
export async function renew(token, readClaims) {
  const end = readClaims(token)?.exp;
  if (!refreshToken || !end || end - Date.now() / 1000 > SOON) return null;
  const known = refreshToken;
  refreshToken = null; // one at a time; an issuer may take it once only
  try {
    const tokens = await askForTokens({ grant_type: "refresh_token", refresh_token: known });
    refreshToken ??= known;
    return choose(tokens, readClaims);
  } catch {
    return null;
  }
}

export function forgetSignIn() {
  refreshToken = null;
}

async function askForTokens(fields) {
  const response = await fetch(issuer.token_endpoint, {
    method: "POST", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
    body: new URLSearchParams({ ...fields, client_id: issuer.client_id }),
  });
  const tokens = await response.json();
  if (!response.ok) throw new Error(tokens.error_description ?? tokens.error ?? `${response.status}`);
  refreshToken = tokens.refresh_token ?? refreshToken;
  return tokens;
}

/** The token that is for this API: by its audience, the access token first. */
function choose(tokens, readClaims) {
  const known = [tokens.access_token, tokens.id_token].filter((each) => each && readClaims(each));
  return known.find((each) => !issuer.audience || [readClaims(each).aud].flat().includes(issuer.audience)) ?? tokens.id_token ?? tokens.access_token;
}
