// All operations, each with a form to send a request.

import { control, description, resolve } from "./api.js";
import { dotted, el, pretty, prose, table } from "./dom.js";

export async function show(main, wanted, about, purpose) {
  const requested = location.hash;
  const document = await description();
  const all = operations(document);
  const chosen = all.find((one) => one.id === wanted) ?? all[0];
  const list = el("div");
  const filter = el("input", {
    type: "search", placeholder: "Filter", "aria-label": "Filter operations",
    oninput: () => fill(list, all, chosen, filter.value),
  });
  fill(list, all, chosen, "");
  // A request for existing resources is more useful than an example with unknown ids.
  const filled = "x-coze-websocket" in chosen.body ? null
    : await control(`try?operation=${encodeURIComponent(chosen.id)}&for=${encodeURIComponent(purpose)}`);
  if (location.hash !== requested) return; // another view was opened meanwhile
  main.replaceChildren(el("aside", {}, filter, list), el("section", {}, detail(document, chosen, filled, about.token, purpose)));
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function operations(document) {
  const found = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [verb, body] of Object.entries(item)) {
      if (body.operationId) found.push({ id: body.operationId, verb: verb.toUpperCase(), path, body });
    }
  }
  return found.sort((one, other) => (one.id < other.id ? -1 : 1));
}

function fill(list, all, chosen, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = all.filter((one) => words.every((word) => `${one.id} ${one.path} ${one.body.summary}`.toLowerCase().includes(word)));
  const tags = new Map();
  for (const one of shown) tags.set(one.body.tags[0], [...(tags.get(one.body.tags[0]) ?? []), one]);
  list.replaceChildren(
    ...[...tags].flatMap(([tag, members]) => [
      el("h3", {}, tag),
      ...members.map((one) =>
        el("a", { href: `#/operations/${one.id}`, title: one.body.summary, "aria-current": one === chosen ? "page" : null },
          el("span", { class: "verb" }, "x-coze-websocket" in one.body ? "WS" : one.verb), el("span", {}, dotted(one.id)))),
    ]),
  );
}

function detail(document, { id, verb, path, body }, filled, token, purpose) {
  const parameters = (body.parameters ?? []).map((one) => resolve(document, one));
  const head = [
    el("h2", {}, id),
    el("p", { class: "path" }, `${verb} ${path}`),
    el("p", {}, el("strong", {}, body.summary)),
    el("p", {}, prose(body.description ?? "")),
    body["x-coze-permission"] ? el("p", { class: "soft" }, "Permission: ", el("code", {}, body["x-coze-permission"])) : null,
    body.externalDocs ? el("p", {}, el("a", { href: body.externalDocs.url, rel: "noreferrer" }, "Official page")) : null,
  ];
  if ("x-coze-websocket" in body) {
    const note = "A WebSocket. Connect a client to it; its messages appear under Requests.";
    return [...head, el("p", { class: "soft" }, note)];
  }
  const fields = parameters.map((one) => [one, parameter(one, filled.parameters[one.in][one.name])]);
  const content = resolve(document, body.requestBody).content ?? {};
  const form = bodyForm(document, content, filled.body);
  const result = el("div", { id: "result", "aria-live": "polite" });
  const submit = async (event) => {
    event.preventDefault();
    result.replaceChildren(el("p", { class: "soft" }, "Waiting…"));
    try {
      await send({ verb, path, fields, form, token }, result);
    } catch (error) {
      result.replaceChildren(el("p", { class: "bad" }, String(error)));
    }
  };
  const rows = fields.map(([one, input]) =>
    el("tr", {}, el("td", {}, el("label", { for: input.id }, el("code", {}, one.name)), one.required ? " *" : ""),
      el("td", {}, input), el("td", { class: "soft" }, prose(one.description ?? ""))));
  return [
    ...head,
    purpose ? el("p", { id: "after", class: "soft" }, "Return to ", link(purpose, purpose), " afterwards.") : null,
    filled.note ? el("p", { class: "soft" }, filled.note) : null,
    filled.makers.length ? before(id, filled.makers) : null,
    el("form", { onsubmit: submit },
      rows.length ? [el("h3", {}, "Parameters"), table(["Name", "Value", "Meaning"], rows)] : null,
      form ? [el("h3", {}, "Body"), form.element] : null,
      el("p", {}, el("button", { class: "main", id: "send" }, "Send"))),
    result,
  ];
}

function before(id, makers) {
  const links = makers.flatMap((maker, number) => [number ? " and " : " ", link(maker, `${maker}/${id}`)]);
  return el("p", { id: "before", class: "odd" }, "A resource that this request needs does not exist yet. First use", links, ".");
}

function link(id, place) {
  return el("a", { href: `#/operations/${place}` }, el("code", {}, id));
}

function parameter(one, value) {
  return el("input", {
    id: `in-${one.in}-${one.name}`, name: one.name, "data-in": one.in, required: one.required,
    value: value === undefined ? null : String(value), placeholder: one.example === undefined ? "" : String(one.example),
  });
}

function bodyForm(document, content, filled) {
  if (content["application/json"]) {
    const element = el("textarea", { id: "body", "aria-label": "JSON body", spellcheck: "false" }, JSON.stringify(filled, null, 2));
    return { element, make: () => ({ body: element.value, headers: { "Content-Type": "application/json" } }) };
  }
  const media = content["multipart/form-data"];
  if (!media) return null;
  const schema = resolve(document, media.schema);
  const inputs = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const described = resolve(document, property);
    const file = described.format === "binary" || "contentMediaType" in described;
    const required = schema.required?.includes(name);
    return [name, el("input", { id: `part-${name}`, type: file ? "file" : "text", required, value: file ? null : filled[name] }), described.description ?? property.description];
  });
  const rows = inputs.map(([name, input, meaning]) =>
    el("tr", {}, el("td", {}, el("label", { for: input.id }, el("code", {}, name))), el("td", {}, input),
      el("td", { class: "soft" }, prose(meaning ?? ""))));
  const make = () => {
    const data = new FormData();
    for (const [name, input] of inputs) {
      if (input.type === "file") [...input.files].forEach((file) => data.append(name, file));
      else if (input.value) data.append(name, input.value);
    }
    return { body: data, headers: {} };
  };
  return { element: table(["Part", "Value", "Meaning"], rows), make };
}

async function send({ verb, path, fields, form, token }, result) {
  const headers = { Authorization: `Bearer ${token}` };
  const query = new URLSearchParams();
  let address = path;
  for (const [one, input] of fields) {
    if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (one.in === "query") query.append(one.name, input.value);
    else headers[one.name] = input.value;
  }
  const made = form?.make() ?? { headers: {} };
  const url = query.size ? `${address}?${query}` : address;
  const began = performance.now();
  const response = await fetch(url, { method: verb, body: made.body, headers: { ...headers, ...made.headers }, redirect: "manual" });
  const status = el("p", { id: "status", class: response.ok ? "good" : "bad" },
    response.type === "opaqueredirect" ? "A redirect, whose target a page cannot read"
      : `HTTP ${response.status} ${response.statusText} after ${Math.round(performance.now() - began)} ms`);
  const logid = response.headers.get("x-tt-logid");
  const shown = el("div");
  result.replaceChildren(el("h3", {}, "Response"), status, logid ? el("p", { class: "soft" }, "logid ", el("code", {}, logid)) : "", shown);
  await read(response, shown);
}

async function read(response, shown) {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) {
    const text = el("pre", { id: "answer" });
    shown.replaceChildren(text);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) text.append(part.value);
  } else if (type.includes("json")) {
    const answer = pretty(await response.json());
    answer.id = "answer";
    shown.replaceChildren(answer);
  } else {
    const blob = await response.blob();
    if (!blob.size) return;
    const link = el("a", { href: URL.createObjectURL(blob), download: "answer" }, `${blob.size} bytes of ${type || "no type"}`);
    shown.replaceChildren(el("p", { id: "answer" }, link));
  }
}
