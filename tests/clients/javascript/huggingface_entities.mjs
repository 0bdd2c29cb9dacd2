// `@huggingface/inference`: token classification.
import { InferenceClient } from "@huggingface/inference";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new InferenceClient("none", { endpointUrl: url });

const entities = [];
for (const text of texts) {
  const answer = await client.tokenClassification({ inputs: text });
  entities.push(answer.map((each) => [each.entity_group, each.start, each.end, each.score]));
}
console.log(JSON.stringify({ entities }));
