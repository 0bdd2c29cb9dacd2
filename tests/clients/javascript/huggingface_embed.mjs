// `@huggingface/inference`: features and similarities.
import { InferenceClient } from "@huggingface/inference";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new InferenceClient("none", { endpointUrl: url });

console.log(JSON.stringify({ vectors: await client.featureExtraction({ inputs: texts }) }));
const inputs = { source_sentence: texts[0], sentences: texts.slice(1) };
console.log(JSON.stringify({ similarities: await client.sentenceSimilarity({ inputs }) }));
