#!/bin/sh
# Asks a built file over HTTP with curl.
#
#     sh curl.sh http://localhost:8080 TEXT
set -eu
url=$1 text=$2

curl --silent --show-error --fail-with-body "$url/health"
echo
curl --silent --show-error --fail-with-body "$url/model"
echo
# `normalize` is for embedding models; the others ignore it.
curl --silent --show-error --fail-with-body -X POST "$url/predict" \
    -H "Content-Type: application/json" \
    -d "{\"inputs\": [\"$text\"], \"normalize\": true}"
echo
