"use strict";
// Log-in with a member's password. The session is an HttpOnly cookie that this script never sees; what changes
// something brings the session's token, which only a page of this site can read.

const element = (id) => document.getElementById(id);
let csrfToken = "";

async function ask(method, path, body) {
  const headers = { ...(body && { "Content-Type": "application/json" }), "Dongxi-Csrf": csrfToken };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

function yuan(fen) {
  return (fen / 100).toLocaleString("en", { minimumFractionDigits: 2 }) + " CNY";
}

function fact(name, value) {
  const box = document.createElement("div");
  const label = document.createElement("span");
  const shown = document.createElement("b");
  label.textContent = name;
  shown.textContent = value;
  box.append(label, shown);
  return box;
}

function showOutside() {
  csrfToken = "";
  element("inside").hidden = true;
  element("login").hidden = false;
  element("password").value = "";
  element(element("member").value ? "password" : "member").focus();
}

async function showInside(session) {
  csrfToken = session.csrf_token;
  const balance = await ask("GET", "/v1/balances");
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

function saying(action, done) {
  return async (event) => {
    event.preventDefault();
    const button = event.submitter ?? event.currentTarget;
    button.disabled = true;
    element("note").textContent = "";
    try {
      await action();
      element("note").textContent = done;
    } catch (error) {
      element("note").textContent = error.message;
    }
    button.disabled = false;
  };
}

element("login").addEventListener("submit", saying(async () => {
  const [member, password] = [element("member").value, element("password").value];
  await showInside(await ask("POST", "/v1/session", { member, password }));
}, "Logged in."));

element("change").addEventListener("submit", saying(async () => {
  await ask("POST", "/v1/session/password", { old_password: element("old").value, new_password: element("new").value });
  element("change").reset();
  showOutside();
}, "The password is changed; log in with the new one."));

element("logout").addEventListener("click", saying(async () => {
  await ask("DELETE", "/v1/session");
  showOutside();
}, "Logged out."));

(async () => {
  try {
    await showInside(await ask("GET", "/v1/session"));
  } catch {
    showOutside();
  }
})();
