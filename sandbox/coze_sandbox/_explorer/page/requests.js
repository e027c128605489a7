// The log of requests, with verdicts.

import { control } from "./api.js";
import { dotted, el, notice, pretty, table } from "./dom.js";

const PAUSE = 1000;
const MOST = 500;
const CLASSES = { ok: "good", refused: "odd", fault: "odd", failed: "bad" };
const KEPT = {
  shortened: "The body was too large: long strings are cut, and only its first values are kept.",
  dropped: "Body and messages were dropped to make room for later requests.",
};

export async function show(main, wanted) {
  const verdict = el("select", { "aria-label": "Verdict", onchange: () => draw() },
    ["all", "ok", "refused", "failed", "fault", "tolerated"].map((name) => el("option", {}, name)));
  const clear = el("button", { onclick: async () => { await control("requests", { method: "DELETE" }); await refresh(); } }, "Clear");
  const list = el("div");
  const detail = el("div", { id: "request" });
  const records = new Map(); // by number, oldest first
  let revision = "";
  let chosen = Number(wanted) || null;

  const holds = (record) =>
    verdict.value === "all" || record.verdict === verdict.value || (verdict.value === "tolerated" && record.tolerated.length > 0);

  function draw() {
    const shown = [...records.values()].filter(holds).slice(-MOST).reverse();
    list.replaceChildren(shown.length ? table(["#", "Operation", "Status", "Code", "Verdict"], shown.map(row)) : el("p", { class: "soft" }, "No requests yet."));
    const record = records.get(chosen);
    detail.replaceChildren(...(record ? details(record) : []));
  }

  function row(record) {
    const open = () => { chosen = record.number; history.replaceState(null, "", `#/requests/${chosen}`); draw(); };
    return el("tr", { "data-number": record.number, tabindex: 0, "aria-selected": String(record.number === chosen), onclick: open,
      onkeydown: (event) => event.key === "Enter" && open() },
      el("td", { class: "soft" }, String(record.number)),
      el("td", { class: "path" }, record.operation ?? `${record.method} ${record.path}`),
      el("td", {}, String(record.status ?? "—")),
      el("td", {}, String(record.code ?? "—")),
      el("td", { class: CLASSES[record.verdict] ?? "" }, record.verdict, record.tolerated.length ? " (tolerated)" : ""));
  }

  // Fetches and draws changes only: the log may have thousands of records.
  async function refresh() {
    const delta = await control(`requests?since=${encodeURIComponent(revision)}`);
    revision = delta.revision;
    if (delta.whole) records.clear();
    for (const number of records.keys()) if (number < delta.first) records.delete(number);
    for (const one of delta.requests) records.set(one.number, one);
    if (delta.whole || delta.requests.length) draw();
  }

  main.replaceChildren(
    el("section", { class: "list" }, el("p", {}, verdict, " ", clear), list),
    el("section", { "aria-label": "Request" }, detail),
  );
  await refresh();
  const timer = setInterval(async () => {
    try {
      await refresh();
      notice("");
    } catch {
      notice("The sandbox does not respond.");
    }
  }, PAUSE);
  return () => clearInterval(timer);
}

function details(record) {
  return [
    el("h2", {}, record.operation ?? "Unknown operation"),
    el("p", { class: "path" }, `${record.method} ${record.path}${record.query ? `?${record.query}` : ""}`),
    el("p", {}, el("strong", { class: CLASSES[record.verdict] ?? "" }, record.verdict), record.reason ? `: ${record.reason}` : ""),
    el("p", { class: "soft" }, `HTTP ${record.status ?? "—"}, code ${record.code ?? "—"}, logid `, el("code", {}, record.logid)),
    record.tolerated.length ? [el("h3", {}, "Accepted although not as described"), el("ul", {}, record.tolerated.map((one) => el("li", {}, one)))] : null,
    KEPT[record.kept] ? el("p", { class: "soft" }, KEPT[record.kept]) : null,
    record.body === null ? null : [el("h3", {}, "Body"), pretty(record.body)],
    record.messages?.length ? [el("h3", {}, "Messages"), messages(record.messages)] : null,
    el("h3", {}, "Headers"),
    pretty(record.headers),
  ].flat().filter(Boolean);
}

function messages(entries) {
  return table(["From", "Event", "Verdict", "Data"], entries.map((one) =>
    el("tr", {}, el("td", {}, one.sender), el("td", { class: "event" }, dotted(one.event)),
      el("td", { class: CLASSES[one.verdict] ?? "" }, one.verdict, one.reason ? `: ${one.reason}` : ""),
      el("td", { class: "path" }, one.data === null ? "" : JSON.stringify(one.data)))));
}
