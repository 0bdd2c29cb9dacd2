// `ai` with `@ai-sdk/cohere`: embeddings.
import { createCohere } from "@ai-sdk/cohere";
import { embedMany } from "ai";

const [url, ...values] = process.argv.slice(2);

// Setup
const provider = createCohere({ baseURL: `${url}/v2`, apiKey: "none" });

const answer = await embedMany({ model: provider.embeddingModel("embed"), values });
console.log(JSON.stringify({ vectors: answer.embeddings }));
