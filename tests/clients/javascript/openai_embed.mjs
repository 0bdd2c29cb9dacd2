// `openai`: embeddings as base64, its default, and as lists.
import OpenAI from "openai";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });

for (const more of [{}, { encoding_format: "float" }]) {
  const answer = await client.embeddings.create({ model: "embed", input: texts, ...more });
  console.log(JSON.stringify({ vectors: answer.data.map((each) => each.embedding) }));
}
