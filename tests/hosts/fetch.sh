#!/bin/sh
# Fetches what tests/hosts needs into the folder $1: roots of distributions, musl, busybox, a seccomp profile.
# Needs root, debootstrap and apt. What is there already stays.
set -eu
folder=$(realpath -m "$1")

# In a namespace, what debootstrap mounts in a root is gone again even where it is interrupted.
if [ -z "${ENCODERFILE_IN_NAMESPACE:-}" ]; then
    ENCODERFILE_IN_NAMESPACE=1 exec unshare --mount sh "$0" "$folder"
fi
mkdir -p "$folder/packages"

for release in bullseye bookworm trixie; do
    if [ ! -e "$folder/$release.ready" ]; then
        echo "making a root of $release in $folder" >&2
        rm -rf "${folder:?}/$release"
        debootstrap --variant=minbase "$release" "$folder/$release" >"$folder/$release.log" 2>&1 || {
            tail -n 3 "$folder/$release.log" >&2
            exit 1
        }
        touch "$folder/$release.ready"
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get -q download musl busybox-static golang-github-containers-common >&2
for package in *.deb; do dpkg-deb --extract "$package" "$folder/packages"; done
