// Requests to the admin API of the sandbox.

export async function control(path, { method = "GET", body } = {}) {
  const response = await fetch(`/_sandbox/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const result = await response.json();
  if (!response.ok) throw new Error(result.error ?? `HTTP ${response.status}`);
  return result;
}

let cached;

export function description() {
  cached ??= control("openapi.json");
  return cached;
}

export function resolve(document, node) {
  while (node && node.$ref) {
    node = node.$ref.slice(2).split("/").reduce(
      (part, step) => part[step.replaceAll("~1", "/").replaceAll("~0", "~")], document,
    );
  }
  return node ?? {};
}
