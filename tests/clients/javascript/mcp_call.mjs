// `@modelcontextprotocol/sdk`: the tools of a file, and the call of one.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, ...texts] = process.argv.slice(2);

// Setup
const client = new Client({ name: "clients", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));

const { tools } = await client.listTools();
if (tools[0].name !== "run_encoder") throw new Error(JSON.stringify(tools));
const answer = await client.callTool({ name: "run_encoder", arguments: { inputs: texts } });
console.log(JSON.stringify({ vectors: answer.structuredContent.results.map((each) => each.embedding) }));
await client.close();
