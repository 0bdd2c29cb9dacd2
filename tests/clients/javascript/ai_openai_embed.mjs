// `ai` with `@ai-sdk/openai-compatible`: embeddings.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany } from "ai";

const [url, ...values] = process.argv.slice(2);

// Setup
const provider = createOpenAICompatible({ name: "encoderfile", baseURL: `${url}/v1` });

const answer = await embedMany({ model: provider.embeddingModel("embed"), values });
console.log(JSON.stringify({ vectors: answer.embeddings }));
