#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The walls of the house: who may include what.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# include_lines FOLDER...: "file:line:#include ..." of every C file there.
include_lines() {
	grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "$@"
}

# The header's own name, in its brackets or quotes.
header='#[[:space:]]*include[[:space:]]*'

# The folder of an archive, and the plugins that are built on it.
shared=(
	'plugins/bytes/ plugins/netstack/'
	'plugins/bytes/ plugins/wireguard/'
	'plugins/bytes/ plugins/outbound-wireguard/'
	'plugins/sockets/ plugins/freedom/'
	'plugins/sockets/ plugins/wireguard/'
	'plugins/wireguard/ plugins/*-wireguard/'
	'plugins/tun/ plugins/inbound-tun/'
	'plugins/tun/ plugins/outbound-wireguard/'
	'plugins/freedom/ plugins/outbound-freedom/'
	'plugins/freedom/ plugins/outbound-wireguard/'
	'plugins/passage/ plugins/outbound-freedom/'
	'plugins/passage/ plugins/outbound-wireguard/'
)

# is_shared FOLDER NAME: may the plugin of that folder include this file?
is_shared() {
	local entry

	for entry in "${shared[@]}"; do
		# shellcheck disable=SC2053 # the right side is a pattern
		[[ $1 = ${entry#* } && -f ${entry%% *}$2 ]] && return
	done
	return 1
}

# A plugin's quoted include is a file of its own folder, or of an archive that
# it is built on.
foreign_includes() {
	local folder file line rest name

	for folder in plugins/*/; do
		include_lines "$folder" | grep -E "$header\"" |
		while IFS=: read -r file line rest; do
			name=$(cut -d'"' -f2 <<<"$rest")
			[[ $folder = plugins/netstack/ &&
			    $name =~ ^(lwip|core|netif)/ ]] && continue
			[[ $name != *../* ]] &&
			    [[ -f $(dirname "$file")/$name ||
			       -f $folder$name ]] && continue
			is_shared "$folder" "$name" && continue
			echo "$file:$line: $name is not of this plugin"
		done
	done
}

include_lines core plugins sdk | grep -E "$header<event" |
	grep -v '^core/loop\.c:' |
	verdict "only core/loop.c knows libevent"

include_lines core | grep -E "${header}[<\"](lwip/|netif/|wolfssl/|.*plugins/)" |
	verdict "the core knows no lwIP, no wolfSSL and no plugin"

include_lines plugins sdk tests/sim tests/bad 2>/dev/null |
	grep -E "${header}[<\"](lwip/|netif/)" |
	grep -v '^plugins/netstack/' |
	verdict "only plugins/netstack knows lwIP"

foreign_includes |
	verdict "a plugin includes the SDK and its own folder"

include_lines sdk/include | grep -E "$header\"" |
	verdict "the SDK's headers are included as <weir/...>"

grep -nE '^[[:space:]]*#[[:space:]]*if' sdk/include/weir/*.h |
	grep -vE '#[[:space:]]*ifndef WEIR_[A-Z]+_H|__cplusplus' |
	verdict "the SDK's headers mean the same to everybody (no #ifdef)"

exit $failed
