// Shows the OpenAPI document of this server. It fetches that document and nothing else, and builds the page by
// createElement and textContent only, so that no text of the document can become markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
// Behind a path prefix the page is at PREFIX/api-docs, and the API beside it.
const BASE = location.origin + location.pathname.replace(/\/api-docs\/?$/, "");

let spec = {};

// --- Elements -------------------------------------------------------------------------------------------------------

/** Nodes and text, out of lists in lists in which a part that is missing is null, undefined or false. */
const parts = (...nested) => nested.flat(Infinity).filter((part) => part !== null && part !== undefined && part !== false);

/** Makes an element. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...parts(children));
  return node;
}

/** Text in which `words like these` are code. */
function inline(text) {
  return text.split("`").map((part, at) => (at % 2 ? el("code", null, part) : part)).filter((part) => part !== "");
}

/** The little of Markdown that the document uses: headings, paragraphs, lists and code words. */
function prose(text) {
  return (text || "").trim().split(/\n\s*\n/).filter(Boolean).map((block) => {
    const lines = block.split("\n").map((line) => line.trim());
    if (lines[0].startsWith("## ")) return el("h2", null, lines[0].slice(3));
    if (!lines[0].startsWith("- ")) return el("p", null, inline(lines.join(" ")));
    const items = lines.join("\n").slice(2).split(/\n- /);
    return el("ul", null, items.map((item) => el("li", null, inline(item.replace(/\n/g, " ")))));
  });
}

/** A closed section whose content is made when it is first opened: most are never looked at. */
function lazyDetails(summary, make, { open = false, className = null } = {}) {
  const details = el("details", { class: className }, el("summary", null, summary));
  const fill = () => {
    if (details.open && details.childElementCount === 1) details.append(...parts(make()));
  };
  details.addEventListener("toggle", fill);
  details.open = open;
  fill();
  return details;
}

const ROLES = { table: "table", "thead, tbody": "rowgroup", tr: "row", "th[scope=col]": "columnheader", "th[scope=row]": "rowheader", td: "cell" };

function table(caption, heads, rows) {
  const head = el("thead", null, el("tr", null, heads.map((text) => el("th", { scope: "col" }, text))));
  // What scrolls must be reachable by keyboard.
  const box = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    el("table", null, el("caption", null, caption), head, el("tbody", null, rows)));
  // On a phone the cells are blocks, and a browser would no longer tell a screen reader that this is a table.
  for (const [part, role] of Object.entries(ROLES)) box.querySelectorAll(part).forEach((node) => node.setAttribute("role", role));
  return box;
}

function copyButton(label, text) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${label}` }, "Copy");
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
    } catch {
      // Without TLS a browser may refuse the clipboard: select the text, so that one key copies it.
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      say("Selected");
    }
  });
  return button;
}

function codeBlock(label, text) {
  return el("figure", { class: "code" }, el("figcaption", null, label), copyButton(label, text),
    el("pre", { tabindex: "0", "aria-label": label }, el("code", null, text)));
}

const badge = (kind, ...text) => el("span", { class: `badge ${kind}` }, ...text);
const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

// --- The document ---------------------------------------------------------------------------------------------------

/** Follows `$ref`. What stands beside it wins, as in JSON Schema 2020-12. The hops are bounded, since references may go round. */
function resolve(node) {
  let found = node;
  for (let hops = 0; found && typeof found.$ref === "string" && hops < 16; hops += 1) {
    const { $ref, ...beside } = found;
    const steps = $ref.replace(/^#\//, "").split("/").map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~"));
    const target = steps.reduce((at, step) => (at && Object.hasOwn(at, step) ? at[step] : undefined), spec);
    found = target === undefined ? { description: `Unresolved reference ${$ref}` } : { ...target, ...beside };
  }
  return found || {};
}

const refName = (node) => (node && typeof node.$ref === "string" ? node.$ref.split("/").pop() : null);

/** Every operation, in the order of the document's tags. */
function operationsByTag() {
  const groups = new Map((spec.tags || []).map((tag) => [tag.name, { tag, operations: [] }]));
  for (const [path, item] of Object.entries(spec.paths || {})) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const name = (operation.tags || ["Other"])[0];
      if (!groups.has(name)) groups.set(name, { tag: { name }, operations: [] });
      groups.get(name).operations.push({ path, method, operation, parameters: parametersOf(item, operation) });
    }
  }
  return [...groups.values()].filter((group) => group.operations.length > 0);
}

function parametersOf(item, operation) {
  return [...(item.parameters || []), ...(operation.parameters || [])].map(resolve);
}

/** The examples of a media type, parameter or header, as [title, value] pairs. */
function examplesOf(holder) {
  const named = Object.entries(holder.examples || {}).map(([key, example]) => {
    const { summary, value } = resolve(example);
    return [summary || key, value];
  });
  return holder.example === undefined ? named : [["Example", holder.example], ...named];
}

const bodyOf = (operation) => {
  const body = resolve(operation.requestBody);
  const [type, media] = Object.entries(body.content || {})[0] || [];
  return type ? { type, media, body } : null;
};

// --- Schemas --------------------------------------------------------------------------------------------------------

const LIMITS = [
  ["minLength", "at least", "characters"], ["maxLength", "at most", "characters"], ["minimum", "from"], ["maximum", "to"],
  ["minItems", "at least", "items"], ["maxItems", "at most", "items"], ["minProperties", "at least", "members"],
];

function typeName(node) {
  const schema = resolve(node);
  const alternatives = schema.oneOf || schema.anyOf;
  if (alternatives) return alternatives.map((one) => refName(one) || typeName(one)).join(" or ");
  const type = [].concat(schema.type || "any").join(" or ");
  if (schema.items) return `${type} of ${refName(schema.items) || typeName(schema.items)}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

/** What a value must fulfil, in words. */
function constraints(schema) {
  const words = LIMITS.filter(([key]) => schema[key] !== undefined)
    .map(([key, before, after]) => [before, schema[key].toLocaleString("en"), after].filter(Boolean).join(" "));
  if (schema.uniqueItems) words.push("no duplicates");
  if (schema.default !== undefined) words.push(`default ${JSON.stringify(schema.default)}`);
  const nodes = words.length ? [el("span", null, words.join(", "))] : [];
  const allowed = schema.enum || (schema.const !== undefined ? [schema.const] : null);
  if (allowed) nodes.push(el("span", null, "one of ", allowed.flatMap((value, at) => [at ? ", " : null, el("code", null, String(value))])));
  if (schema.pattern) nodes.push(el("span", null, "matches ", el("code", null, schema.pattern)));
  if (schema.not && schema.not.pattern) nodes.push(el("span", null, "does not match ", el("code", null, schema.not.pattern)));
  return nodes.length ? el("div", { class: "limits" }, nodes) : null;
}

/** The parts of a schema that can be opened further: members, items and alternatives. */
function membersOf(schema) {
  const required = new Set(schema.required || []);
  const members = Object.entries(schema.properties || {}).map(([name, node]) => ({ name, node, required: required.has(name) }));
  if (schema.items) members.push({ name: "each item", node: schema.items });
  if (schema.additionalProperties && Object.keys(schema.additionalProperties).length) members.push({ name: "each member", node: schema.additionalProperties });
  for (const node of schema.oneOf || schema.anyOf || []) if (typeName(node) !== "null") members.push({ name: refName(node) || "or", node });
  return members;
}

const worthOpening = (node) => {
  const schema = resolve(node);
  return membersOf(schema).length > 0 || Boolean(constraints(schema)) || Boolean(schema.description);
};

function memberRow({ name, node, required }) {
  const label = [el("code", { class: "name" }, name), " ", el("span", { class: "type" }, typeName(node)), required ? badge("required", "required") : null];
  // Each level is made when it is opened, so a schema that contains itself is no endless loop.
  return el("li", null, worthOpening(node) ? lazyDetails(label, () => schemaBody(node)) : el("div", { class: "leaf" }, label));
}

function schemaBody(node) {
  const schema = resolve(node);
  const members = membersOf(schema);
  return el("div", { class: "schema" }, prose(schema.description), constraints(schema),
    members.length ? el("ul", { class: "members" }, members.map(memberRow)) : null);
}

function schemaView(node, label = "Schema") {
  return lazyDetails([label, " ", el("span", { class: "type" }, refName(node) || typeName(node))], () => schemaBody(node));
}

// --- One operation --------------------------------------------------------------------------------------------------

function parameterRow(parameter) {
  const schema = resolve(parameter.schema);
  const [, example] = examplesOf(parameter)[0] || [];
  const text = parameter.description || schema.description;
  return el("tr", null,
    el("th", { scope: "row" }, el("code", null, parameter.name), parameter.required ? badge("required", "required") : null),
    el("td", null, parameter.in),
    el("td", null, el("span", { class: "type" }, typeName(schema)), constraints(schema)),
    el("td", null, prose(text), example === undefined ? null : el("p", { class: "sample" }, "Example: ", el("code", null, pretty(example)))));
}

function parametersView(parameters) {
  if (!parameters.length) return null;
  return [el("h4", null, "Parameters"), table("Parameters", ["Name", "In", "Type", "Meaning"], parameters.map(parameterRow))];
}

function mediaView(type, media) {
  return [el("p", { class: "media" }, el("code", null, type)), media.schema ? schemaView(media.schema) : null,
    examplesOf(media).map(([title, value], at) => lazyDetails(`Example: ${title}`, () => codeBlock(title, pretty(value)), { open: at === 0 }))];
}

function requestView(operation) {
  const request = bodyOf(operation);
  if (!request) return null;
  return [el("h4", null, "Request body ", request.body.required ? badge("required", "required") : badge("quiet", "optional")),
    prose(request.body.description), mediaView(request.type, request.media)];
}

function headerRow([name, node]) {
  const header = resolve(node);
  return el("tr", null, el("th", { scope: "row" }, el("code", null, name)),
    el("td", null, prose(header.description)),
    el("td", null, header.example === undefined ? null : el("code", null, String(header.example))));
}

function responseView([status, node]) {
  const response = resolve(node);
  const summary = [badge(`status s${status[0]}`, status), " ", ...inline((response.description || "").split("\n")[0])];
  return lazyDetails(summary, () => [
    Object.entries(response.content || {}).map(([type, media]) => mediaView(type, media)),
    response.headers ? lazyDetails("Headers", () => table(`Headers of ${status}`, ["Name", "Meaning", "Example"], Object.entries(response.headers).map(headerRow))) : null,
  ], { className: "response" });
}

function securityView(operation) {
  const names = (operation.security || spec.security || []).flatMap((one) => Object.keys(one));
  if (!names.length) return el("p", { class: "facts" }, badge("quiet", "no authentication"));
  const schemes = (spec.components || {}).securitySchemes || {};
  const facts = names.map((name) => el("abbr", { class: "badge", title: (schemes[name] || {}).description || null }, name));
  const scope = operation["x-required-scope"];
  const events = [].concat(operation["x-audit-event"] || []);
  return el("p", { class: "facts" }, facts,
    scope ? badge("scope", `scope ${scope}`) : null,
    operation["x-or-own"] ? badge("scope", "or one's own") : null,
    events.map((event) => badge("quiet", `event ${event}`)));
}

// --- curl -----------------------------------------------------------------------------------------------------------

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

function urlOf({ path, parameters }) {
  const filled = path.replace(/\{(\w+)\}/g, (whole, name) => {
    const [, value] = examplesOf(parameters.find((one) => one.name === name) || {})[0] || [];
    return value === undefined ? whole : encodeURIComponent(String(value));
  });
  return quoted(BASE + filled);
}

/** How a caller shows who it is, without a secret in the command. */
function authLines({ security = [] }) {
  const names = security.flatMap((one) => Object.keys(one));
  if (names.includes("clientBasic")) return ['-u "$CLIENT_ID:$CLIENT_SECRET"'];
  return names.includes("bearer") ? ['-H "Authorization: Bearer $TOKEN"'] : [];
}

function bodyLines(operation) {
  const request = bodyOf(operation);
  const [, value] = request ? examplesOf(request.media)[0] || [] : [];
  if (value === undefined) return [];
  if (request.type === "application/x-www-form-urlencoded") {
    return Object.entries(value).flatMap(([name, one]) => [].concat(one).map((part) => `--data-urlencode ${quoted(`${name}=${part}`)}`));
  }
  return [`-H ${quoted(`Content-Type: ${request.type}`)}`, `--data ${quoted(pretty(value))}`];
}

function curl(entry) {
  const verb = entry.method === "get" ? "" : `-X ${entry.method.toUpperCase()} `;
  return [`curl -sS ${verb}${urlOf(entry)}`, ...authLines(entry.operation), ...bodyLines(entry.operation)].join(" \\\n  ");
}

// --- The page -------------------------------------------------------------------------------------------------------

const method = (name) => el("span", { class: `method ${name}` }, name.toUpperCase());
const anchorOf = ({ operation, method: name, path }) => operation.operationId || `${name}${path.replace(/\W+/g, "-")}`;

/** A path that may break after a slash, and nowhere inside a word. */
const pathText = (path) => el("code", { class: "path" }, path.split("/").flatMap((part, at) => (at ? ["/", el("wbr"), part] : [part])));

function permalink(id, label) {
  return el("a", { class: "permalink", href: `#${id}`, "aria-label": `Link to ${label}` }, "#");
}

function operationView(entry) {
  const { operation, path, parameters } = entry;
  const id = anchorOf(entry);
  return el("article", { id, class: "operation", tabindex: "-1", "aria-labelledby": `${id}-title` },
    el("h3", { id: `${id}-title` }, operation.summary || id, " ", permalink(id, operation.summary || id)),
    el("p", { class: "route" }, method(entry.method), " ", pathText(path)),
    securityView(operation), prose(operation.description),
    parametersView(parameters), requestView(operation),
    el("h4", null, "Responses"), Object.entries(operation.responses || {}).map(responseView),
    codeBlock("curl", curl(entry)));
}

function tagView({ tag, operations }) {
  const id = `tag-${tag.name}`;
  return el("section", { id, tabindex: "-1", "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, tag.name, " ", permalink(id, tag.name)), prose(tag.description),
    operations.map(operationView));
}

function schemasView() {
  const all = Object.entries((spec.components || {}).schemas || {});
  const items = all.map(([name]) => el("li", { id: `schema-${name}`, tabindex: "-1" }, schemaView({ $ref: `#/components/schemas/${name}` }, "")));
  return el("section", { id: "schemas", tabindex: "-1", "aria-labelledby": "schemas-title" },
    el("h2", { id: "schemas-title" }, "Schemas ", permalink("schemas", "Schemas")), el("ul", { class: "schemas" }, items));
}

function introView({ title, version, description }) {
  return el("section", { id: "about", tabindex: "-1", "aria-labelledby": "about-title" },
    el("h1", { id: "about-title" }, title, " ", badge("quiet", version)), prose(description));
}

function tocEntry(entry) {
  const { operation, path } = entry;
  const words = [entry.method, path, operation.summary, operation.operationId, operation["x-required-scope"], operation["x-audit-event"], operation.tags];
  const link = el("a", { href: `#${anchorOf(entry)}` }, method(entry.method), el("span", null, operation.summary || path));
  return el("li", { "data-words": words.flat().join(" ").toLowerCase() }, link);
}

function tocView(groups) {
  const lists = groups.map(({ tag, operations }) =>
    el("section", null, el("h2", null, el("a", { href: `#tag-${tag.name}` }, tag.name)), el("ul", null, operations.map(tocEntry))));
  return [el("p", null, el("a", { href: "#about" }, "About")), ...lists, el("p", null, el("a", { href: "#schemas" }, "Schemas"))];
}

/** Shows the entries that hold every word, in the navigation and on the page. */
function filterBy(text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of document.querySelectorAll("#toc li")) {
    const fits = wanted.every((word) => item.dataset.words.includes(word));
    item.hidden = !fits;
    document.getElementById(item.firstChild.hash.slice(1)).hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const group of document.querySelectorAll("#toc section, #main > section")) {
    const entries = [...group.querySelectorAll("li[data-words], article")];
    group.hidden = entries.length > 0 ? entries.every((entry) => entry.hidden) : wanted.length > 0;
  }
  document.getElementById("filter-result").textContent = wanted.length ? `${shown} operation${shown === 1 ? "" : "s"}` : "";
}

/** Opens, shows and focuses what the address names: its element may be new, hidden by the filter, or closed. */
function goToAnchor() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) clearFilter();
  const details = target.querySelector(":scope > details");
  if (details && target.id.startsWith("schema-")) details.open = true;
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}

function clearFilter() {
  document.getElementById("filter").value = "";
  filterBy("");
}

function setMenu(open) {
  document.body.classList.toggle("menu-open", open);
  document.getElementById("menu").setAttribute("aria-expanded", String(open));
}

function listen() {
  const menu = document.getElementById("menu");
  const filter = document.getElementById("filter");
  menu.addEventListener("click", () => setMenu(!document.body.classList.contains("menu-open")));
  document.getElementById("toc").addEventListener("click", (event) => { if (event.target.closest("a")) setMenu(false); });
  filter.addEventListener("input", () => filterBy(filter.value));
  addEventListener("hashchange", goToAnchor);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); setMenu(true); filter.focus(); }
    if (event.key === "Escape" && document.body.classList.contains("menu-open")) { setMenu(false); menu.focus(); }
  });
}

async function load() {
  const response = await fetch("api-docs/openapi.json", { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

function render() {
  const groups = operationsByTag();
  const main = document.getElementById("main");
  document.title = `${spec.info.title} API`;
  document.getElementById("brand").textContent = spec.info.title;
  document.getElementById("toc").replaceChildren(...tocView(groups));
  main.replaceChildren(introView(spec.info), ...groups.map(tagView), schemasView());
  main.removeAttribute("aria-busy");
}

async function start() {
  try {
    spec = await load();
    render();
    listen();
    goToAnchor();
  } catch (error) {
    document.getElementById("main").replaceChildren(el("p", { role: "alert" }, `The document could not be shown: ${error.message}. Reload the page to try again.`));
  }
}

start();
