"""`mcp`: the tools of a file, and the call of one."""

import asyncio
import json
import sys

from mcp import Client

url, *texts = sys.argv[1:]


async def main() -> None:
    # Setup
    client = Client(f"{url}/mcp")

    async with client:
        assert (await client.list_tools()).tools[0].name == "run_encoder"
        answer = await client.call_tool("run_encoder", {"inputs": texts})
    print(json.dumps({"vectors": [each["embedding"] for each in answer.structured_content["results"]]}))


asyncio.run(main())
