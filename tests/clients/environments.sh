#!/bin/sh
# Makes the environments that tests/clients runs clients in, in the folder $1, with the pinned versions. $2 is a Python.
# Languages whose tools are not installed are left out, and their tests skip.
set -eu
folder=$(realpath -m "$1")
python=$2
here=$(dirname "$(realpath "$0")")
mkdir -p "$folder"

for group in "$here"/python/*/; do
    name=$(basename "$group")
    if ! cmp -s "$group/requirements.txt" "$folder/$name.installed"; then
        echo "installing the Python clients of $name" >&2
        rm -rf "${folder:?}/$name"
        "$python" -m venv "$folder/$name"
        "$folder/$name/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps \
            --requirement "$group/requirements.txt"
        cp "$group/requirements.txt" "$folder/$name.installed"
    fi
done

if command -v npm >/dev/null; then
    mkdir -p "$folder/javascript"
    cp "$here"/javascript/*.json "$here"/javascript/*.mjs "$folder/javascript/"
    if ! cmp -s "$here/javascript/package-lock.json" "$folder/javascript.installed"; then
        echo "installing the JavaScript clients" >&2
        npm --prefix "$folder/javascript" ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2
        cp "$here/javascript/package-lock.json" "$folder/javascript.installed"
    fi
fi

if command -v go >/dev/null; then
    echo "compiling the Go clients" >&2
    mkdir -p "$folder/go" "$here/go/encoderfilepb"
    cd "$here/go"
    package=clients/encoderfilepb
    names=Mencoderfile.proto=$package,Mtoken.proto=$package
    "$folder/stubs/bin/python" -m grpc_tools.protoc -I../../../proto \
        --plugin=protoc-gen-go="$(go tool -n protoc-gen-go)" \
        --plugin=protoc-gen-go-grpc="$(go tool -n protoc-gen-go-grpc)" \
        --go_out=encoderfilepb --go_opt="paths=source_relative,$names" \
        --go-grpc_out=encoderfilepb --go-grpc_opt="paths=source_relative,$names" \
        encoderfile.proto token.proto
    go build -o "$folder/go/" ./... github.com/fullstorydev/grpcurl/cmd/grpcurl
    cd - >/dev/null
fi

if command -v mvn >/dev/null; then
    if ! cmp -s "$here/java/pom.xml" "$folder/java.installed"; then
        echo "installing the Java clients" >&2
        rm -rf "${folder:?}/java"
        mvn --quiet --batch-mode --file "$here/java/pom.xml" dependency:copy-dependencies \
            -DoutputDirectory="$folder/java" >&2
        cp "$here/java/pom.xml" "$folder/java.installed"
    fi
fi
