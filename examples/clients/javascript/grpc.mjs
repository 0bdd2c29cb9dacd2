// Asks a built file over gRPC; the proto files are read when it starts, no code is generated.
//
//     npm install
//     node grpc.mjs localhost:50051 SERVICE TEXT...
//
// SERVICE is Embedding, SentenceEmbedding, SequenceClassification or TokenClassification.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [target, service, ...inputs] = process.argv.slice(2);

const proto = fileURLToPath(new URL('../../../proto', import.meta.url));
const definition = loadSync('encoderfile.proto', { includeDirs: [proto], keepCase: true });
const { encoderfile } = grpc.loadPackageDefinition(definition);

const client = new encoderfile[service](target, grpc.credentials.createInsecure());

// `normalize` is for embedding models; the others' messages have no such field and leave it out.
client.Predict({ inputs, normalize: true }, (error, response) => {
  if (error) {
    console.error(`${grpc.status[error.code]}: ${error.details}`);
    process.exitCode = 1;
  } else {
    console.log(JSON.stringify(response.results, null, 2));
  }
  client.close();
});
