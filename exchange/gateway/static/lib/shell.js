// What every screen has: the way to the others, language, light or dark, who is logged in, whether the feed lives.

import { logOut, NOT_LOGGED_IN, Refused, session, Unreachable, whenSessionOver } from "./api.js";
import { element, node } from "./dom.js";
import { Feed } from "./feed.js";
import { scrollingByKeys } from "./scrolling.js";
import { language, say, switchLanguage, translate } from "./words.js";

const SCREENS = [["/", "market"], ["/provider", "provider"], ["/enterprise", "enterprise"], ["/operator", "operator"], ["/docs", "api"]];
const SCHEMES = ["light dark", "light", "dark"];

function link([path, name]) {
  const made = node("a", { href: path, text: say(`screen.${name}`) });
  if (location.pathname === path) made.setAttribute("aria-current", "page");
  return made;
}

function schemeButton() {
  let scheme = localStorage.getItem("scheme") ?? SCHEMES[0];
  const button = node("button", { type: "button", className: "plain" });
  const show = () => {
    document.documentElement.style.colorScheme = scheme;
    button.textContent = { "light dark": "◐", light: "☀", dark: "☾" }[scheme];
    button.title = say(`scheme.${scheme.replace(" ", "_")}`);
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    scheme = SCHEMES[(SCHEMES.indexOf(scheme) + 1) % SCHEMES.length];
    localStorage.setItem("scheme", scheme);
    show();
  });
  show();
  return button;
}

// the log-in page, on the way back to what is shown now
const logInLink = () => node("a", { href: `/login?next=${encodeURIComponent(location.pathname + location.hash)}`, text: say("log_in") });

function whoIsIn(opened) {
  if (!opened) return logInLink();
  const leave = node("button", { type: "button", className: "plain", text: say("log_out") });
  leave.addEventListener("click", async () => {
    await logOut();
    location.reload();
  });
  return node("span", {}, node("a", { href: "/login", text: opened.member }), " ", leave);
}

// what a screen asked for and didn't get is said in the header; it asks again when the feed comes back
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Unreachable) && !(event.reason instanceof Refused)) return;
  event.preventDefault();
  showTrouble(event.reason.message);
});

/** Build the header and translate the page; return who is logged in, or null. */
export async function mountShell() {
  translate();
  document.querySelectorAll(".scroll").forEach(scrollingByKeys);
  const other = node("button", { type: "button", className: "plain", text: language === "zh" ? "English" : "中文", onclick: switchLanguage });
  other.lang = language === "zh" ? "en" : "zh";
  const who = node("span", { id: "who" });
  document.body.prepend(node("header", {},
    node("h1", {}, "Dongxi ", node("span", { text: "东西", lang: "zh" })),
    node("nav", { "aria-label": say("screens") }, ...SCREENS.map(link)),
    node("span", { className: "right" }, node("span", { id: "trouble", role: "alert", className: "refused" }), node("span", { id: "light", role: "status" }), schemeButton(), other, who)));
  const opened = await session();
  who.append(whoIsIn(opened));
  whenSessionOver(showSessionOver);
  return opened;
}

let sessionOver = false;

// stays until the reader has logged in again
function showSessionOver() {
  sessionOver = true;
  element("trouble").replaceChildren(say("session_over"), " ", logInLink());
  element("who").replaceChildren();
}

function showTrouble(text) {
  if (!sessionOver) element("trouble").textContent = text;
}

/** Open the feed, with the account's own channel if someone is logged in; the header says how it goes. */
export function liveFeed(opened) {
  const feed = new Feed(showConnection);
  feed.on("error", (message) => (message.code === NOT_LOGGED_IN ? showSessionOver() : showTrouble(message.message)));
  if (opened) feed.logOnBySession(opened.csrf_token);
  return feed;
}

// whether what the page shows is live
function showConnection(state) {
  const light = element("light");
  light.className = state;
  light.textContent = say(`connection.${state}`);
  if (state === "open") showTrouble("");
}
