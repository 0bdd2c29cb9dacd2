#!/bin/sh
# Fetches what tests/deploy needs into FOLDER: helm, Kubernetes' check of Pod Security, the schemas of Kubernetes and of
# what is added to it (all from the Go module proxy, in pinned versions, with Go's checksums), and as root a system with
# systemd.
#   tests/deploy/fetch.sh FOLDER
set -eu

mkdir -p "$1/schemas"
folder=$(cd "$1" && pwd)

[ -x "$folder/helm" ] || GOBIN="$folder" go install helm.sh/helm/v3/cmd/helm@v3.19.2

[ -x "$folder/podsecurity" ] || (cd "$(dirname "$0")/podsecurity" && go build -o "$folder/podsecurity" .)

# module prints the folder of a Go module.
module() {
    go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p'
}
copy() {
    [ -e "$folder/schemas/$3" ] || install -m 644 "$(module "$1")/$2" "$folder/schemas/$3"
}
copy k8s.io/kubernetes@v1.34.2 api/openapi-spec/swagger.json swagger.json
copy github.com/kedacore/keda/v2@v2.18.1 config/crd/bases/keda.sh_scaledobjects.yaml scaledobjects.yaml
crds=config/crd/standard/gateway.networking.k8s.io
copy sigs.k8s.io/gateway-api@v1.4.0 ${crds}_httproutes.yaml httproutes.yaml
copy sigs.k8s.io/gateway-api@v1.4.0 ${crds}_grpcroutes.yaml grpcroutes.yaml
operator=github.com/prometheus-operator/prometheus-operator@v0.83.0
crds=example/prometheus-operator-crd/monitoring.coreos.com
copy $operator ${crds}_servicemonitors.yaml servicemonitors.yaml
copy $operator ${crds}_podmonitors.yaml podmonitors.yaml

if [ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null && [ ! -e "$folder/system/etc/os-release" ]; then
    mmdebstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$folder/system"
fi
