#!/bin/sh
# Fetches what tests/hosts needs into the folder $1: roots of distributions, musl, busybox, a seccomp profile.
# Needs root, debootstrap and apt. What is there already stays.
set -eu
folder=$(realpath -m "$1")
mkdir -p "$folder/packages"

for release in bullseye bookworm trixie; do
    if [ ! -e "$folder/$release/etc/os-release" ]; then
        echo "making a root of $release in $folder" >&2
        rm -rf "${folder:?}/$release"
        debootstrap --variant=minbase "$release" "$folder/$release" >"$folder/$release.log" 2>&1 || {
            tail -n 3 "$folder/$release.log" >&2
            rm -rf "${folder:?}/$release"
            exit 1
        }
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get -q download musl busybox-static golang-github-containers-common >&2
for package in *.deb; do dpkg-deb --extract "$package" "$folder/packages"; done
