// The state of the sandbox.

import { control } from "./api.js";
import { el, pretty } from "./dom.js";

export async function show(main, wanted) {
  const { kinds } = await control("state");
  const chosen = wanted && wanted in kinds ? wanted : "bot" in kinds ? "bot" : Object.keys(kinds)[0];
  const links = Object.entries(kinds).map(([kind, count]) =>
    el("a", { href: `#/state/${kind}`, "aria-current": kind === chosen ? "page" : null },
      kind.replaceAll("_", " "), el("span", { class: "count" }, String(count))));
  const section = el("section");
  main.replaceChildren(el("aside", {}, links), section);
  if (chosen === undefined) return;
  const { documents, hidden } = await control(`state?kind=${encodeURIComponent(chosen)}`);
  section.replaceChildren(
    el("h2", {}, chosen.replaceAll("_", " ")),
    hidden ? el("p", { class: "soft" }, "Tokens, codes and keys are not shown.") : "",
    ...documents.map(({ id, document }) =>
      el("details", { open: documents.length === 1 },
        el("summary", {}, el("code", {}, id), document.name ?? document.bot_name ?? document.title ?? document.content ?? ""),
        pretty(document))),
  );
}
