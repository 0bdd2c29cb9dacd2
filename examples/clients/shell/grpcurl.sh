#!/bin/sh
# Asks a built file over gRPC with grpcurl, which learns the messages from the server (reflection):
#
#     go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest
#     sh grpcurl.sh localhost:50051 SERVICE TEXT
#
# SERVICE is Embedding, SentenceEmbedding, SequenceClassification or TokenClassification.
set -eu
target=$1 service=encoderfile.$2 text=$3

grpcurl -plaintext "$target" list
grpcurl -plaintext "$target" "$service/GetModelMetadata"
grpcurl -plaintext -d "{\"inputs\": [\"$text\"]}" "$target" "$service/Predict"
