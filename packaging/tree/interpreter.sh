#!/bin/sh
# Builds the Python of a tree of its own into /opt/xenwatch/python, from CPython's source archive.
# usage: packaging/tree/interpreter.sh Python-3.11.X.tar.gz
#   Run it as root on the oldest system that the tree is for, or in a root of it: what is built runs there and on all that is
#   newer. It needs a compiler, make, and the headers of zlib, libffi, OpenSSL 1.1.1 or later, SQLite, bzip2 and xz.
#   Where an archive of python-build-standalone (install_only) is at hand, unpack that instead: it needs no more than glibc 2.17.
set -eu
archive=$(readlink -f "$1")
prefix=/opt/xenwatch/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xf "$archive" -C "$work" --strip-components=1
cd "$work"
./configure -q --prefix="$prefix" --without-ensurepip --disable-test-modules LDFLAGS="-Wl,-rpath,$prefix/lib"
make -s -j"$(nproc)"
make -s install
# Libraries that another system may have in another version, or not at all, come along; those of glibc are its own.
for module in "$prefix"/lib/python3.*/lib-dynload/*.so; do ldd "$module"; done | awk '$3 ~ /^\// { print $3 }' | sort -u |
  grep -vE '/(libc|libm|libdl|libpthread|librt|libutil|libresolv|libnsl|ld-linux[^/]*)[.-]' | while read -r library; do
  cp -L "$library" "$prefix/lib/"
done
rm -rf "$prefix"/lib/python3.*/config-* "$prefix"/lib/libpython*.a "$prefix"/include "$prefix"/share
"$prefix"/bin/python3 -c 'import ssl, sqlite3, ctypes, bz2, lzma, zlib; print(ssl.OPENSSL_VERSION)'
