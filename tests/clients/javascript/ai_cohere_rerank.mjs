// `ai` with `@ai-sdk/cohere`: reranking.
import { createCohere } from "@ai-sdk/cohere";
import { rerank } from "ai";

const [url, query, ...documents] = process.argv.slice(2);

// Setup
const provider = createCohere({ baseURL: `${url}/v2`, apiKey: "none" });

const answer = await rerank({ model: provider.reranking("rerank"), query, documents });
console.log(JSON.stringify({ ranks: answer.ranking.map((each) => [each.originalIndex, each.score]) }));
