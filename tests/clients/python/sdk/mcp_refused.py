"""`mcp`: a tool that the file does not have."""

import asyncio
import json
import sys

from mcp import Client, MCPError

url, *texts = sys.argv[1:]


async def main() -> None:
    # Setup
    client = Client(f"{url}/mcp")

    async with client:
        try:
            await client.call_tool("rank", {"query": texts[0], "documents": texts})
        except MCPError as error:
            print(json.dumps({"refused": [type(error).__name__, str(error)]}))


asyncio.run(main())
