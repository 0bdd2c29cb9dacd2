// `cohere-ai`: embeddings by its first and its second API.
import { CohereClient, CohereClientV2 } from "cohere-ai";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new CohereClientV2({ token: "none", environment: url });

const asked = { texts, model: "embed", inputType: "search_document" };
const first = await new CohereClient({ token: "none", environment: url }).embed(asked);
console.log(JSON.stringify({ vectors: first.embeddings }));
const second = await client.embed({ ...asked, embeddingTypes: ["float"] });
console.log(JSON.stringify({ vectors: second.embeddings.float }));
