// `ollama`: embeddings by both of its routes, and the list of models.
import { Ollama } from "ollama";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new Ollama({ host: url });

console.log(JSON.stringify({ vectors: (await client.embed({ model: "embed", input: texts })).embeddings }));
const vectors = [];
for (const prompt of texts) vectors.push((await client.embeddings({ model: "embed", prompt })).embedding);
console.log(JSON.stringify({ vectors }));
const { models } = await client.list();
if (models[0].model.split(":")[0] !== "embed") throw new Error(JSON.stringify(models));
