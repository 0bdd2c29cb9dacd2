// `@grpc/grpc-js` with `@grpc/proto-loader`: the service by the files in proto/.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, ...texts] = process.argv.slice(2);
const includeDirs = [process.env.PROTOS];

// Setup
const { encoderfile } = grpc.loadPackageDefinition(loader.loadSync("encoderfile.proto", { includeDirs }));
const client = new encoderfile.SentenceEmbedding(address, grpc.credentials.createInsecure());

const answer = await new Promise((resolve, reject) =>
  client.Predict({ inputs: texts }, (error, found) => (error ? reject(error) : resolve(found))),
);
console.log(JSON.stringify({ vectors: answer.results.map((each) => each.embedding) }));
client.close();
