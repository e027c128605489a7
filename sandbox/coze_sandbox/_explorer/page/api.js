// Asks the sandbox.

export async function control(path, { method = "GET", body } = {}) {
  const response = await fetch(`/_sandbox/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

let found;

export function description() {
  found ??= control("openapi.json");
  return found;
}

export function resolve(document, node) {
  while (node && node.$ref) {
    node = node.$ref.slice(2).split("/").reduce(
      (part, step) => part[step.replaceAll("~1", "/").replaceAll("~0", "~")], document,
    );
  }
  return node ?? {};
}
