// `@langchain/openai`: embeddings.
import { OpenAIEmbeddings } from "@langchain/openai";

const [url, ...texts] = process.argv.slice(2);

// Setup
const embeddings = new OpenAIEmbeddings({ model: "embed", apiKey: "none", configuration: { baseURL: `${url}/v1` } });

console.log(JSON.stringify({ vectors: await embeddings.embedDocuments(texts) }));
const vectors = [];
for (const text of texts) vectors.push(await embeddings.embedQuery(text));
console.log(JSON.stringify({ vectors }));
