#!/bin/sh
# Makes configure and Makefile.in after a checkout.
set -eu

cd "$(dirname "$0")"
if ! command -v autoreconf >/dev/null 2>&1; then
	echo "autogen.sh: autoreconf is missing; run: contrib/install-deps" >&2
	exit 1
fi
exec autoreconf -fi
