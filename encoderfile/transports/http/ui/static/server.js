// Requests to this server: the key of this tab, time, and refusals in the server's own words.

const KEY = "encoderfile.key";

/** The key, which stays in this tab and is gone with it. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** An address of this server, whatever the path under which a proxy answers for it. */
export function address(path) {
  return new URL(path.replace(/^\//u, ""), new URL("./", location.href)).href;
}

/** A request that was refused, or that was not answered (status 0). */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Asks with the key, if there is one: GET without a body, POST of JSON with one. Throws `Refusal`. */
export async function ask(path, { body, signal } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  const started = performance.now();
  let response, text;
  try {
    response = await fetch(address(path), {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The server does not answer. Is it still running?");
  }
  const milliseconds = performance.now() - started;
  if (!response.ok) throw new Refusal(response.status, sentence(response, text));
  return { content: JSON.parse(text), size: text.length, headers: response.headers, milliseconds };
}

/** What the server says of a failure, in whichever dialect. */
function sentence(response, text) {
  let found = text.trim();
  try {
    const told = JSON.parse(text);
    found = told.error?.message ?? told.detail?.message ?? told.message ?? told.error ?? found;
  } catch {
    // plain text
  }
  if (typeof found !== "string" || !found) found = `The server answered with status ${response.status}.`;
  const retry = response.headers.get("Retry-After");
  return retry ? `${found} (try again in ${retry} s)` : found;
}

/** The phases of `Server-Timing`, in milliseconds by name. */
export function phases(headers) {
  const found = {};
  for (const each of (headers.get("Server-Timing") ?? "").split(",")) {
    const [name, duration] = each.trim().split(";dur=");
    if (duration) found[name] = Number(duration);
  }
  return found;
}
