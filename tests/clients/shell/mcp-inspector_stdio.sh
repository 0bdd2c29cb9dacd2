# MCP Inspector: a tool over stdio, where the Inspector starts the file.
set -e
file=$1
shift
texts=$(printf '"%s",' "$@")

# Setup
mcp-inspector --cli "$file" mcp --method tools/call --tool-name run_encoder --tool-arg "inputs=[${texts%,}]"

mcp-inspector --cli "$file" mcp --method tools/list | grep -q '"name": "run_encoder"'
