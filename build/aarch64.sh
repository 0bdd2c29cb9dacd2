#!/bin/sh
# Freezes the runtime for aarch64 on another machine, under emulation, and writes it into the folder $1: a Debian root
# with this checkout and its packages, where `encoderfile runtime export` runs as it does anywhere. Needs root,
# debootstrap and qemu-user-static. The root is kept in $2, so that a second run only freezes: some five minutes
# instead of fifteen.
set -eu
out=$(realpath "$1")
root=$(realpath -m "$2")
checkout=$(realpath "$(dirname "$0")/..")
rule=/proc/sys/fs/binfmt_misc/qemu-aarch64

say() { echo "$*" >&2; }
need() { command -v "$1" >/dev/null || { say "error: $1 is not installed: apt-get install $2"; exit 1; }; }

[ "$(id -u)" = 0 ] || { say "error: making a root of another platform needs root"; exit 1; }
need debootstrap debootstrap
need qemu-aarch64-static qemu-user-static

# Mounts and the kernel's rule for programs of aarch64 are gone again after the script.
if [ -z "${ENCODERFILE_IN_NAMESPACE:-}" ]; then
    ENCODERFILE_IN_NAMESPACE=1 exec unshare --mount sh "$0" "$out" "$root"
fi
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
if [ ! -e "$rule" ]; then
    trap 'echo -1 >"$rule"' EXIT
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    # F: the kernel opens qemu now, so that it need not be in the root.
    echo ":qemu-aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):F" >/proc/sys/fs/binfmt_misc/register
fi

if [ ! -e "$root/ready" ]; then
    say "making a Debian root for arm64 in $root, some five minutes"
    rm -rf "$root"
    packages=python3,python3-venv,libpython3-dev,ca-certificates,binutils
    debootstrap --arch=arm64 --variant=minbase --include=$packages bookworm "$root" >"$root.log" 2>&1 || {
        tail -n 3 "$root.log" >&2
        exit 1
    }
    touch "$root/ready"
fi

# Without /sys: it describes the processor of this machine, and onnxruntime for aarch64 ends on reading that.
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/checkout" "$root/out"
mount --bind "$checkout" "$root/checkout"
mount --bind "$out" "$root/out"

# shellcheck disable=SC2016  # the inner shell expands it
pack=$(chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/bin:/bin:/usr/sbin:/sbin \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt sh -euc '
    [ -e /venv/bin/python ] || python3 -m venv /venv
    if ! cmp -s /checkout/pyproject.toml /venv/pyproject.toml || ! cmp -s /checkout/build/constraints.txt /venv/constraints.txt; then
        echo "installing the packages for aarch64, some five minutes" >&2
        /venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint /checkout/build/constraints.txt \
            --editable /checkout
        cp /checkout/pyproject.toml /checkout/build/constraints.txt /venv
    fi
    exec /venv/bin/encoderfile runtime export --output-path /out
')
echo "$out/${pack##*/}"  # inside the root it is /out
