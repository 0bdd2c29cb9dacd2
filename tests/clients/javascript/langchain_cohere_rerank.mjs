// `@langchain/cohere`: reranking.
import { CohereClient } from "cohere-ai";
import { CohereRerank } from "@langchain/cohere";

const [url, query, ...documents] = process.argv.slice(2);

// Setup
const client = new CohereClient({ token: "none", environment: url });
const reranker = new CohereRerank({ model: "rerank", client });

const answer = await reranker.rerank(documents, query, { topN: documents.length });
console.log(JSON.stringify({ ranks: answer.map((each) => [each.index, each.relevanceScore]) }));
