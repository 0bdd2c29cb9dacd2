#!/bin/sh
# Generates encoderfilepb/ from the project's proto files. Needs protoc, or Python with grpcio-tools, which carries one:
#
#     PROTOC="python -m grpc_tools.protoc" sh generate.sh
set -eu
cd "$(dirname "$0")"
package=example.com/encoderfile-client/encoderfilepb
names=Mencoderfile.proto=$package,Mtoken.proto=$package
mkdir -p encoderfilepb
# The two plugins are tools of go.mod, so their versions are pinned and nothing is installed elsewhere.
${PROTOC:-protoc} -I../../../proto \
    --plugin=protoc-gen-go="$(go tool -n protoc-gen-go)" \
    --plugin=protoc-gen-go-grpc="$(go tool -n protoc-gen-go-grpc)" \
    --go_out=encoderfilepb --go_opt=paths=source_relative,$names \
    --go-grpc_out=encoderfilepb --go-grpc_opt=paths=source_relative,$names \
    encoderfile.proto token.proto
