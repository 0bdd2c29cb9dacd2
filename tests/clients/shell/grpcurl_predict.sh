# grpcurl: the service by reflection.
set -e
address=$1
shift
texts=$(printf '"%s",' "$@")

# Setup
grpcurl -plaintext -d "{\"inputs\": [${texts%,}]}" "$address" encoderfile.SentenceEmbedding/Predict

grpcurl -plaintext -d '{"service": ""}' "$address" grpc.health.v1.Health/Check | grep -q SERVING
