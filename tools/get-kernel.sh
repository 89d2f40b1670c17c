#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fetch a Debian kernel for guests into the user's cache.  Nothing is installed
# into the host: the package is downloaded and unpacked, and what a guest needs
# of it is kept (docs/kernels.md).  Does nothing when a kernel is there.
#
#   get-kernel.sh            Debian's cloud kernel, made the default
#   get-kernel.sh PACKAGE    another linux-image package, made the default
#
# Installed as provium-get-kernel.
set -eu

meta=${1:-linux-image-cloud-amd64}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/provium/kernels

say() { printf 'get-kernel: %s\n' "$*"; }
die() {
    printf 'get-kernel: %s\n' "$*" >&2
    exit 1
}

is_whole() { [ -s "$1/vmlinux" ] && [ -s "$1/vmlinuz" ] && [ -s "$1/modules/modules.dep" ]; }

# The real image package that a metapackage depends on; a real one is itself.
real_package() {
    LC_ALL=C apt-cache depends --no-recommends --no-suggests "$1" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1 | grep . && return
    case $1 in
    linux-image-[0-9]*) LC_ALL=C apt-cache show "$1" >/dev/null 2>&1 && printf '%s\n' "$1" ;;
    *) return 1 ;;
    esac
}

update_lists() {
    say "apt does not know $meta; running apt-get update"
    if [ "$(id -u)" = 0 ]; then
        apt-get -q update
    elif command -v sudo >/dev/null; then
        sudo apt-get -q update
    else
        die "apt's package lists are empty: run 'apt-get update' as root, then this again"
    fi
}

# Number at byte $2 of file $1, $3 bytes long, little endian.
number_at() { od -An -v -j "$2" -N "$3" -t "u$3" --endian=little "$1" | tr -d ' '; }

# Decompress the payload of bzImage $1 into $2.  Its place stands in the boot header
# (Documentation/x86/boot.rst); all formats but gzip have the unpacked size appended.
extract() {
    [ "$(number_at "$1" 514 4)" = 1400005704 ] || die "$1 is not a bzImage"
    from=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
    len=$(number_at "$1" 588 4)
    magic=$(od -An -v -j "$from" -N 6 -t x1 "$1" | tr -d ' ')
    case $magic in
    1f8b*) tool=gzip tail=0 ;;
    02214c18*) tool=lz4 tail=4 ;;
    fd377a585a00) tool=xz tail=4 ;;
    28b52ffd*) tool=zstd tail=4 ;;
    7f454c46*) tool=cat tail=0 ;;
    *) die "$1 is compressed in a way that is not known here (it begins with $magic)" ;;
    esac
    command -v "$tool" >/dev/null || die "the program $tool is needed to unpack $1"
    [ "$tool" = cat ] || set -- "$1" "$2" -dc
    tail -c "+$((from + 1))" "$1" | head -c "$((len - tail))" | "$tool" ${3+"$3"} >"$2" || die "cannot unpack $1"
    [ "$(number_at "$2" 0 4)" = 1179403647 ] || die "what $1 holds is not an ELF kernel"
}

# Keep of the unpacked package $1 what a guest needs, in $2.
collect() {
    modules=$1/lib/modules/$release
    [ -d "$modules" ] || modules=$1/usr/lib/modules/$release
    [ -d "$modules" ] || die "the package has no modules for $release"
    mkdir -p "$2"
    cp "$1/boot/vmlinuz-$release" "$2/vmlinuz"
    extract "$2/vmlinuz" "$2/vmlinux"
    PATH=$PATH:/usr/sbin:/sbin depmod -b "${modules%/lib/modules/*}" "$release"
    mv "$modules" "$2/modules"
}

make_default() {
    ln -s "$release" "$work/default"
    mv -T "$work/default" "$cache/default"
    say "default kernel: $cache/$release"
}

if [ $# = 0 ] && is_whole "$cache/default"; then
    say "there already: $(readlink -f "$cache/default")"
    exit 0
fi
for tool in apt-get apt-cache dpkg-deb od; do
    command -v "$tool" >/dev/null || die "the program $tool is needed: this script is for Debian and its kin (docs/kernels.md)"
done
PATH=$PATH:/usr/sbin:/sbin command -v depmod >/dev/null || die "the program depmod is needed (package kmod)"

package=$(real_package "$meta") || { update_lists && package=$(real_package "$meta"); } || die "apt knows no package $meta"
release=${package#linux-image-}
release=${release%-unsigned}
mkdir -p "$cache"
work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if ! is_whole "$cache/$release"; then
    say "downloading $package into $cache"
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package") || die "cannot download $package"
    dpkg-deb -x "$work"/*.deb "$work/package"
    collect "$work/package" "$work/kernel"
    rm -rf "${cache:?}/$release"
    mv -T "$work/kernel" "$cache/$release"
fi
make_default
