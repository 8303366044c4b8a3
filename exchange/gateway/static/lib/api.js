// Requests to the exchange with the session's cookie, which no script sees, and its token.

import { say } from "./words.js";

const PAGE = 1000;
export const NOT_LOGGED_IN = "NOT_LOGGED_IN";
let csrfToken = "";
let onSessionOver = () => {};

/** Call `listener` when a request finds that the session, which there was, is over. */
export function whenSessionOver(listener) {
  onSessionOver = listener;
}

/** What the exchange refused: `code` is stable, `message` says what was wrong and what to do. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.message);
    this.status = status;
    this.code = problem.code;
    this.field = problem.field;
  }
}

/** Nothing came back. */
export class Unreachable extends Error {}

/** Whether the outcome of what was sent is unknown: it never came back, or the server failed over it. */
export const isUnknown = (error) => !(error instanceof Refused) || (error.status >= 500 && error.status !== 503);

/** Ask and return the answer. Throws Refused or Unreachable. */
export async function ask(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrfToken) headers["Dongxi-Csrf"] = csrfToken;
  const { ok, status, answer } = await fetched(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!ok && csrfToken && answer.error.code === NOT_LOGGED_IN) onSessionOver();
  if (!ok) throw new Refused(status, answer.error);
  return answer;
}

async function fetched(path, request) {
  try {
    const response = await fetch(path, request);
    return { ok: response.ok, status: response.status, answer: await response.json() };
  } catch (error) {
    throw new Unreachable(say("unreachable"), { cause: error });
  }
}

export const get = (path) => ask("GET", path);

/** Collect the rows called `name` of every page. */
export async function getAll(path, name) {
  const found = [];
  let cursor = "";
  do {
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}${cursor && `&cursor=${cursor}`}`);
    found.push(...page[name]);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return found;
}

// no script sees the cookie; this remembers that there may be a session, so that nobody else's page asks for one
const remember = (opened) => (opened ? localStorage.setItem("session", "open") : localStorage.removeItem("session"));

/** Return who is logged in, or null. */
export async function session() {
  if (!localStorage.getItem("session")) return null;
  try {
    const found = await get("/v1/session");
    csrfToken = found.csrf_token;
    return found;
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    remember(false);
    return null;
  }
}

export async function logIn(member, password) {
  const opened = await ask("POST", "/v1/session", { member, password });
  csrfToken = opened.csrf_token;
  remember(true);
  return opened;
}

export async function logOut() {
  await ask("DELETE", "/v1/session");
  csrfToken = "";
  remember(false);
}
