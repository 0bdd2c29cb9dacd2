# MCP Inspector: a tool over HTTP.
set -e
url=$1
shift
texts=$(printf '"%s",' "$@")

# Setup
mcp-inspector --cli "$url/mcp" --transport http --method tools/call --tool-name run_encoder --tool-arg "inputs=[${texts%,}]"

mcp-inspector --cli "$url/mcp" --transport http --method tools/list | grep -q '"name": "run_encoder"'
