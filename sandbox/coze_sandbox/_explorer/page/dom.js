// Builds the page. Texts become text nodes only: data of clients must not become markup.

const LONGEST = 2000;

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// A dotted name that can wrap between its parts.
export function dotted(name) {
  return name.split(/(?<=[._])/).flatMap((part) => [part, el("wbr")]);
}

// A text with code in backticks.
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, number) => (number % 2 ? el("code", {}, part) : part));
}

export function pretty(value) {
  const shortened = (_, member) =>
    typeof member === "string" && member.length > LONGEST
      ? `${member.slice(0, LONGEST)}… (${member.length} characters)`
      : member;
  return el("pre", {}, JSON.stringify(value, shortened, 2) ?? "");
}

export function table(heads, rows) {
  return el(
    "table", {},
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows),
  );
}

export function notice(text) {
  document.getElementById("notice").textContent = text;
}
