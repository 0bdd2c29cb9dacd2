// `@langchain/cohere`: embeddings.
import { CohereClient } from "cohere-ai";
import { CohereEmbeddings } from "@langchain/cohere";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new CohereClient({ token: "none", environment: url });
const embeddings = new CohereEmbeddings({ model: "embed", client });

console.log(JSON.stringify({ vectors: await embeddings.embedDocuments(texts) }));
