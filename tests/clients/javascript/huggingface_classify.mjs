// `@huggingface/inference`: text classification.
import { InferenceClient } from "@huggingface/inference";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new InferenceClient("none", { endpointUrl: url });

const labels = [];
for (const text of texts) {
  const answer = await client.textClassification({ inputs: text });
  labels.push(answer.map((each) => [each.label, each.score]));
}
console.log(JSON.stringify({ labels }));
