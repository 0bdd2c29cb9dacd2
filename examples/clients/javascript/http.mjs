// Asks a built file over HTTP. No package needed.
//
//     node http.mjs [--url=http://localhost:8080] TEXT...

import { parseArgs } from 'node:util';

const { values, positionals: inputs } = parseArgs({
  options: { url: { type: 'string', default: 'http://localhost:8080' } },
  allowPositionals: true,
});

const response = await fetch(`${values.url}/predict`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  // `normalize` is for embedding models; the others ignore it.
  body: JSON.stringify({ inputs, normalize: true }),
});

if (!response.ok) {
  console.error(`${response.status}: ${await response.text()}`);
  process.exit(1);
}

const { results } = await response.json();
console.log(JSON.stringify(results, null, 2));
