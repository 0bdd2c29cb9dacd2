// `@langchain/ollama`: embeddings.
import { OllamaEmbeddings } from "@langchain/ollama";

const [url, ...texts] = process.argv.slice(2);

// Setup
const embeddings = new OllamaEmbeddings({ model: "embed", baseUrl: url });

console.log(JSON.stringify({ vectors: await embeddings.embedDocuments(texts) }));
