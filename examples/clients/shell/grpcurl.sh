#!/bin/sh
# Asks a built file over gRPC with grpcurl, which learns the messages from the server (reflection):
#
#     go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest
#     sh grpcurl.sh SERVICE [TARGET] [TEXT]
#
# SERVICE is Embedding, SentenceEmbedding, SequenceClassification or TokenClassification.
set -eu
service=encoderfile.$1
target=${2:-localhost:50051}
text=${3:-This product is amazing!}

grpcurl -plaintext "$target" list
grpcurl -plaintext "$target" "$service/GetModelMetadata"
grpcurl -plaintext -d "{\"inputs\": [\"$text\"]}" "$target" "$service/Predict"
