#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A plugin's author has the installed SDK and the template, and nothing else:
# from a copy of it to a plugin that weir loads.
set -u
umask 022
# shellcheck source=tests/e2e/steps.sh
. "$(dirname "$0")/steps.sh"
weir=${WEIR:?}

name="the template builds with installed files only"
for tool in autoreconf automake libtoolize pkg-config make; do
	if ! command -v $tool >/dev/null; then
		echo "skip - $name: no $tool"
		exit 77
	fi
done
if is_sanitized; then
	echo "skip - $name: this build is sanitized"
	exit 77
fi
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-template.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

step "the SDK installs" \
	make -C "$built" install DESTDIR="$dir/root"
pc=$(find "$dir/root" -name weir-sdk.pc)
if [ -z "$pc" ]; then
	echo "not ok - weir-sdk.pc is installed"
	exit 1
fi
prefix=$(sed -n 's/^prefix=//p' "$pc")
sed -i "s|^prefix=.*|prefix=$dir/root$prefix|" "$pc"
export PKG_CONFIG_PATH=${pc%/*}
ACLOCAL_PATH=$(dirname "$(find "$dir/root" -name weir.m4)")
export ACLOCAL_PATH

cp -r "$(pkg-config --variable=templatedir weir-sdk)" "$dir/plugin"
cd "$dir/plugin" || exit 1
step "autoreconf takes the template" autoreconf -fi
step "its configure finds the SDK" ./configure
step "it builds" make
step "its test on the fake host passes" make check
step "it installs where weir looks" make install
plugins=$(pkg-config --variable=plugindir weir-sdk)
step "weir plugin check accepts it" \
	"$weir" plugin check "$plugins/outbound-echo.so"
"$weir" --plugin-dir "$plugins" plugin list >"$dir/list" 2>&1
step "weir plugin list shows it" grep -q '^outbound-echo .* echo ' "$dir/list"
cat >"$dir/echo.yaml" <<'END'
outbounds:
  - { tag: parrot, type: echo, buffer: 4k }
END
sed 's/4k/9g/' "$dir/echo.yaml" >"$dir/bad.yaml"
"$weir" --plugin-dir "$plugins" check -c "$dir/bad.yaml" >"$dir/said" 2>&1
step "its options are decoded and bounded by weir" \
	grep -q 'bad.yaml:2:.*buffer' "$dir/said"

# In C++, too: what says where it is exported is taken from the declaration.
if ! command -v g++ >/dev/null; then
	echo "skip - a plugin in C++ is one that weir loads: no g++"
	exit $failed
fi
mkdir "$dir/c++"
cat >"$dir/c++/null.cc" <<'END'
#include <weir/plugin.h>
struct null_conf { int64_t times; };
static const weir_option options[] = {
	{"times", "how often to do nothing", "5", WEIR_INT, 0,
	 offsetof(null_conf, times), 0, 10, nullptr, nullptr}};
static const weir_schema schema = WEIR_SCHEMA(null_conf, options, nullptr);
static void *create(weir_instance *, const weir_host *, const void *,
		    struct weir_error *e)
{
	weir_error(e, nullptr, "does nothing");
	return nullptr;
}
static bool start(void *, struct weir_error *) { return true; }
static void stop(void *) {}
static const weir_component null = {
	sizeof null, WEIR_INBOUND, "null", "Does nothing", &schema, nullptr,
	create, start, nullptr, stop, stop, nullptr, nullptr};
WEIR_PLUGIN("inbound-null", "1.0", "MIT", "", &null);
END
# shellcheck disable=SC2046 # the flags are words
step "a plugin in C++ builds" g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror \
	-fPIC -shared -fvisibility=hidden -Wl,-z,defs \
	$(pkg-config --cflags weir-sdk) -o "$dir/c++/null.so" "$dir/c++/null.cc"
step "a plugin in C++ is one that weir loads" \
	"$weir" plugin check "$dir/c++/null.so"
exit $failed
