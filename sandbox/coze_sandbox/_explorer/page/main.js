// Shows the view that the URL selects.

import { control } from "./api.js";
import { el, notice } from "./dom.js";
import * as operations from "./operations.js";
import * as requests from "./requests.js";
import * as state from "./state.js";

const views = { operations, requests, state };
const main = document.getElementById("main");
let close = null;
let turn = 0;

async function show() {
  const mine = ++turn;
  const [, name, wanted, purpose] = location.hash.split("/").map(decodeURIComponent);
  const view = views[name] ?? operations;
  for (const link of document.querySelectorAll("nav a")) {
    if (views[link.hash.slice(2)] === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  close?.();
  close = null;
  try {
    const about = await updateHeader();
    const closeView = await view.show(main, wanted ?? "", about, purpose ?? "");
    if (mine === turn) close = closeView ?? null;
    else closeView?.();
    document.body.dataset.shown = location.hash || "#/operations";
  } catch (error) {
    main.replaceChildren(el("section", {}, el("p", { class: "bad" }, String(error))));
  }
}

async function updateHeader() {
  const about = await control("");
  document.getElementById("address").textContent = location.origin;
  document.getElementById("token").textContent = about.token;
  const pause = Number((1000 * about.event_seconds).toPrecision(3));
  document.getElementById("pace").textContent = pause ? `events of streams every ${pause} ms` : "events of streams without a pause";
  const now = new Date(about.now * 1000);
  document.getElementById("now").textContent = now.toLocaleTimeString();
  document.getElementById("now").dateTime = now.toISOString();
  return about;
}

function act(id, change) {
  document.getElementById(id).addEventListener("click", async () => {
    try {
      await change();
      notice("");
      await show();
    } catch (error) {
      notice(String(error));
    }
  });
}

act("advance", () => control("clock", { method: "POST", body: { advance: 60 } }));
act("reset", () => control("reset", { method: "POST", body: {} }));
addEventListener("hashchange", show);
await show();
