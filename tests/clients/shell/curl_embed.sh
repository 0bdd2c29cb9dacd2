# curl: OpenAI's route and text-embeddings-inference's.
set -e
url=$1
shift
texts=$(printf '"%s",' "$@")

# Setup
curl -sf "$url/v1/embeddings" -d "{\"model\": \"embed\", \"input\": [${texts%,}]}"

printf '\n{"vectors": %s}\n' "$(curl -sf "$url/embed" -d "{\"inputs\": [${texts%,}]}")"
