// Log-in with a member's password. The session is an HttpOnly cookie that this script never sees; what changes
// something brings the session's token, which only a page of this site can read.

import { ask, get, logIn, logOut } from "./lib/api.js";
import { element } from "./lib/dom.js";
import { mountShell } from "./lib/shell.js";
import { fact } from "./lib/tables.js";
import { say, yuan } from "./lib/words.js";

function showOutside() {
  element("inside").hidden = true;
  element("login").hidden = false;
  element("password").value = "";
  element(element("member").value ? "password" : "member").focus();
}

async function showInside(session) {
  const balance = await get("/v1/balances");
  element("facts").replaceChildren(
    fact("member", session.member),
    fact("kind", session.kind),
    fact("account", session.account),
    fact("may", [...session.scopes, ...session.roles].join(", ")),
    fact("cash", yuan(balance.cash_fen)),
  );
  element("login").hidden = true;
  element("inside").hidden = false;
  element("logout").focus();
}

// where the reader came from, if it is a page of this site
function nextPage() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/[a-z]*(#[\w.-]*)?$/.test(next) ? next : null;
}

function saying(action, done) {
  return async (event) => {
    event.preventDefault();
    const button = event.submitter ?? event.currentTarget;
    button.disabled = true;
    element("note").textContent = "";
    try {
      await action();
      element("note").textContent = say(done);
    } catch (error) {
      element("note").textContent = error.message;
    }
    button.disabled = false;
  };
}

element("login").addEventListener("submit", saying(async () => {
  const opened = await logIn(element("member").value, element("password").value);
  if (nextPage()) location.assign(nextPage());
  else await showInside(opened);
}, "logged_in"));

element("change").addEventListener("submit", saying(async () => {
  await ask("POST", "/v1/session/password", { old_password: element("old").value, new_password: element("new").value });
  element("change").reset();
  showOutside();
}, "password_changed"));

element("logout").addEventListener("click", saying(async () => {
  await logOut();
  showOutside();
}, "logged_out"));

const opened = await mountShell();
if (opened) await showInside(opened);
else showOutside();
