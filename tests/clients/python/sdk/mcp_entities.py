"""`mcp`: entities of kinds that the request names."""

import asyncio
import json
import sys

from mcp import Client

url, *texts = sys.argv[1:]


async def main() -> None:
    # Setup
    client = Client(f"{url}/mcp")

    async with client:
        answer = await client.call_tool("run_encoder", {"inputs": texts, "labels": ["person", "location"]})
    print(json.dumps({"spans": [each["entities"] for each in answer.structured_content["results"]]}))


asyncio.run(main())
