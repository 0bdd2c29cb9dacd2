// `cohere-ai`: reranking by its first and its second API.
import { CohereClient, CohereClientV2 } from "cohere-ai";

const [url, query, ...documents] = process.argv.slice(2);

// Setup
const client = new CohereClientV2({ token: "none", environment: url });

for (const each of [new CohereClient({ token: "none", environment: url }), client]) {
  const answer = await each.rerank({ model: "rerank", query, documents });
  console.log(JSON.stringify({ ranks: answer.results.map((one) => [one.index, one.relevanceScore]) }));
}
