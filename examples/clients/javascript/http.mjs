// Asks a built file over HTTP. No package needed.
//
//     node http.mjs http://localhost:8080 TEXT...

const [url, ...inputs] = process.argv.slice(2);

const response = await fetch(`${url}/predict`, {
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
