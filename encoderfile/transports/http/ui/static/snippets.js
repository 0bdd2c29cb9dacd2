// The request of the page for other programs to send. The key is never in them, only the name of its variable.

import { address, key } from "./server.js";

const indented = (value) => JSON.stringify(value, null, 2);

/** A word of a shell command, whatever is in it. */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A value as Python writes it. */
export function python(value, indent = "") {
  const inner = `${indent}    `;
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) {
    return value.length ? `[\n${value.map((each) => inner + python(each, inner)).join(",\n")},\n${indent}]` : "[]";
  }
  if (typeof value === "object") {
    const fields = Object.entries(value).map(([name, each]) => `${inner}${JSON.stringify(name)}: ${python(each, inner)}`);
    return fields.length ? `{\n${fields.join(",\n")},\n${indent}}` : "{}";
  }
  return JSON.stringify(value);
}

function curl(request) {
  return [
    `curl ${quoted(address(request.path))}`,
    key.get() && `-H "Authorization: Bearer $API_KEY"`,
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(request.body))}`,
  ].filter(Boolean).join(" \\\n  ");
}

function inPython(request) {
  return [
    key.get() && "import os\n",
    "import requests\n",
    "response = requests.post(",
    `    ${JSON.stringify(address(request.path))},`,
    key.get() && `    headers={"Authorization": "Bearer " + os.environ["API_KEY"]},`,
    `    json=${python(request.body, "    ")},`,
    ")",
    "response.raise_for_status()",
    "print(response.json())",
  ].filter(Boolean).join("\n");
}

function javaScript(request) {
  return [
    `const response = await fetch(${JSON.stringify(address(request.path))}, {`,
    `  method: "POST",`,
    "  headers: {",
    `    "Content-Type": "application/json",`,
    key.get() && "    Authorization: `Bearer ${process.env.API_KEY}`,",
    "  },",
    `  body: JSON.stringify(${indented(request.body).replaceAll("\n", "\n  ")}),`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    "console.log(await response.json());",
  ].filter(Boolean).join("\n");
}

/** The body as gRPC's messages have it: the second texts of pairs in a list of their own. */
function message({ inputs, ...rest }) {
  if (!inputs.some((each) => typeof each !== "string")) return { inputs, ...rest };
  return {
    inputs: inputs.map((each) => each.text),
    text_pairs: inputs.map((each) => each.text_pair),
    ...rest,
  };
}

function grpcurl(request, model) {
  const { grpc_port: port, tls } = model.ways_in;
  if (!port) return "# gRPC is not served on a port here.";
  if (request.path !== "/predict") return "# gRPC has Predict alone: choose a view that asks /predict.";
  const { inputs } = request.body;
  const pairs = inputs.filter((each) => typeof each !== "string").length;
  if (pairs && pairs < inputs.length) return "# gRPC takes pairs or single texts, not both in one request.";
  return [
    `grpcurl ${tls ? "" : "-plaintext "}-d ${quoted(JSON.stringify(message(request.body)))}`,
    key.get() && `-H "authorization: Bearer $API_KEY"`,
    `${location.hostname}:${port} ${model.grpc_service}/Predict`,
  ].filter(Boolean).join(" \\\n  ");
}

/** Each way to send a request, by its name. */
export const snippets = { curl, Python: inPython, JavaScript: javaScript, grpcurl };
