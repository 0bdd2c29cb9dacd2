// Requests to this server: the key of this tab, time, and refusals in the server's own words.

import { storage } from "./store.js";

const KEY = "encoderfile.key";
const tab = storage("sessionStorage");

/** The key, which stays in this tab and is gone with it. */
export const key = {
  get: () => tab.getItem(KEY),
  set: (value) => tab.setItem(KEY, value),
  forget: () => tab.removeItem(KEY),
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

/** The headers of a request, with the key if there is one. Throws `Refusal` for what no header can be. */
function headersOf(body) {
  const headers = new Headers(body === undefined ? {} : { "Content-Type": "application/json" });
  try {
    if (key.get()) headers.set("Authorization", `Bearer ${key.get()}`);
  } catch {
    throw new Refusal(401, "This key was not accepted.");
  }
  return headers;
}

/** Asks with the key, if there is one: GET without a body, POST of JSON with one. Throws `Refusal`. */
export async function ask(path, { body, signal } = {}) {
  const { text, ...answer } = await askForText(path, { body, signal });
  try {
    return { ...answer, content: JSON.parse(text) };
  } catch {
    throw new Refusal(0, "What answers here is not JSON: a proxy may stand in for the server.");
  }
}

/** The same for an answer that is text. */
export async function askForText(path, { body, signal } = {}) {
  const headers = headersOf(body);
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
  return { text, headers: response.headers, milliseconds };
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
