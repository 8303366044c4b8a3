// Reads /openapi.json and shows every operation with its parameters, body and answer as an outline.

import { get } from "./lib/api.js";
import { element, node } from "./lib/dom.js";
import { mountShell } from "./lib/shell.js";
import { say } from "./lib/words.js";

const DEPTH_MAX = 5;

function resolve(schema, all) {
  return schema.$ref ? all[schema.$ref.split("/").pop()] : schema;
}

function kindOf(schema, all) {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => kindOf(resolve(choice, all), all)).join(" | ");
  if (schema.type === "array") return kindOf(resolve(schema.items ?? {}, all), all) + "[]";
  return schema.title ?? schema.type ?? "any";
}

// one line a field: name, whether it may be left out, kind, and what it means
function outline(schema, all, indent = "", depth = 0) {
  const found = resolve(schema, all);
  if (found.anyOf && depth < DEPTH_MAX) return found.anyOf.map((one) => outline(one, all, indent, depth + 1)).join("");
  if (found.type === "array") return outline(found.items ?? {}, all, indent, depth + 1);
  if (!found.properties || depth > DEPTH_MAX) return "";
  const required = new Set(found.required ?? []);
  return Object.entries(found.properties).map(([name, property]) => {
    const inner = resolve(property, all);
    const mark = required.has(name) ? "" : "?";
    const about = property.description ?? (inner.properties ? "" : inner.description);
    const line = `${indent}${name}${mark}: ${kindOf(inner, all)}${about ? "    " + about.split("\n")[0] : ""}\n`;
    return line + outline(property, all, indent + "    ", depth + 1);
  }).join("");
}

function section(title, text, into) {
  if (!text) return;
  into.append(node("div", { text: title, className: "quiet" }));
  const block = node("pre");
  block.append(node("code", { text: text.trimEnd() }));
  into.append(block);
}

function operation(path, verb, about, all) {
  const made = node("details");
  made.dataset.operation = `${verb} ${path}`;
  const head = node("summary");
  head.append(node("span", { text: verb.toUpperCase(), className: "verb" }), node("code", { text: path }), node("span", { text: about.summary, className: "quiet" }));
  if (about["x-scope"]) head.append(node("span", { text: about["x-scope"], className: "scope" }));
  const inner = node("div", { className: "inner" });
  inner.append(node("p", { text: about.description }));
  section("parameters", about.parameters.map((p) =>
    `${p.name}${p.required ? "" : "?"}: ${kindOf(resolve(p.schema, all), all)}${p.description ? "    " + p.description : ""}\n`).join(""), inner);
  if (about.requestBody) section("body", outline(about.requestBody.content["application/json"].schema, all), inner);
  section("answer", outline(about.responses["200"].content["application/json"].schema, all), inner);
  made.append(head, inner);
  return made;
}

async function show() {
  const api = await get("/openapi.json");
  const all = api.components.schemas;
  element("about").textContent = api.info.description;
  element("example").textContent =
    `BODY='{"symbol":"H100.GUIAN.2701","side":"buy","price":"11.90","quantity":2}'\n` +
    `dongxi sign --as MEMBER POST /v1/orders "$BODY" | curl -H @- --data "$BODY" ${location.origin}/v1/orders`;
  const groups = new Map();
  for (const [path, verbs] of Object.entries(api.paths)) {
    for (const [verb, about] of Object.entries(verbs)) {
      const tag = about.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, verb, about, all));
    }
  }
  for (const [tag, operations] of groups) {
    const box = node("section", { className: "panel" });
    box.append(node("h2", { text: tag }), ...operations);
    element("operations").append(box);
  }
  element("note").textContent = say("api_feed");
}

await mountShell();
show().catch((error) => { element("note").textContent = say("api_unread", { why: error.message }); });
