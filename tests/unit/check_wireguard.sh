#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What weir run would refuse of a tunnel, weir check refuses at its place. The
# files hold keys, so they are written here, closed to others.
set -u
umask 077
# shellcheck source=tests/unit/checks.sh
. "$(dirname "$0")/checks.sh"

need "tunnels that weir check refuses" netstack inbound-tun outbound-freedom \
	inbound-wireguard outbound-wireguard

folder=$(mktemp -d) || exit 1
trap 'rm -r "$folder"' EXIT
key="mB0gxkGHL2bQIsEHRwpQGZZjUHFJWsPMcOiz8ruQ0lE="
peer="QAZzh5o8fFmy5FRsdUWqNzOb6CSrhJ3gJ6a0hFZQlUE="

# refuses NAME WORDS...: weir check of weir.yaml ends with 78 and says WORDS,
# or with 0 where there are none.
refuses() {
	local name=$1 want=${2-} said status wanted=0

	said=$("$weir" --plugin-dir "$plugins" check -c "$folder/weir.yaml" 2>&1)
	status=$?
	[ -z "$want" ] || wanted=78
	if [ $status = $wanted ] && [[ $said = *"$want"* ]]; then
		echo "ok - $name"
		return
	fi
	echo "not ok - $name: status $status"
	while read -r line; do echo "# $line"; done <<< "$said"
	failed=1
}

# inbound PEER [REST]: a server with one peer.
inbound() {
	cat > "$folder/weir.yaml" << END
inbounds:
  - tag: server
    type: wireguard
    listen_port: 51820
    private_key: "$key"
    address: [10.7.0.1/24]
    peers:
      - { name: a, public_key: "$peer", allowed_ips: [10.7.0.2], $1 }
    ${2-}
outbounds: { type: freedom }
policy: { levels: { 1: { idle: 60s } } }
END
}

inbound "level: 1"
refuses "a peer's level may be one of the policy's"
inbound "level: 7"
refuses "a peer's level must be one of the policy's" \
	"weir.yaml:8:112: inbounds[0].peers[0].level: 7 is not a level of \
policy.levels"
inbound "level: 256"
refuses "a peer's level has a bound" \
	"inbounds[0].peers[0].level: 256 is too large; the most is 255"

inbound "level: 0" 'interface: "wg/0"'
refuses "a tunnel's name for wg must be that of a device" \
	'weir.yaml:9:16: inbounds[0].interface: "wg/0" is not an interface name'
inbound "level: 0" "interface: wg0"
refuses "a tunnel may have a name for wg"

# outbound MTU: a wg-quick file.
outbound() {
	printf '%s\n' "[Interface]" "PrivateKey = $key" \
		"Address = 10.7.0.2/32" "MTU = $1" \
		"[Peer]" "PublicKey = $peer" "AllowedIPs = 0.0.0.0/0" \
		"Endpoint = 192.0.2.1:51820" > "$folder/office.conf"
	cat > "$folder/weir.yaml" << END
inbounds: { type: tun }
outbounds: { type: wireguard, config: office.conf }
END
}

for mtu in 100 65535; do
	outbound $mtu
	refuses "a wg-quick file's MTU of $mtu is none of a tunnel" \
		"office.conf:4: MTU: $mtu: is not the MTU of a tunnel; write \
576 to 65440 bytes"
done
for mtu in 576 65440; do
	outbound $mtu
	refuses "a wg-quick file's MTU of $mtu may be one of a tunnel"
done

# kernel_tun MTU ADDRESSES
kernel_tun() {
	cat > "$folder/weir.yaml" << END
inbounds: { type: tun }
outbounds:
  - type: wireguard
    kernel_tun: on
    private_key: "$key"
    mtu: $1
    address: [$2]
    peers: { public_key: "$peer" }
END
}

kernel_tun 1279 "10.7.0.2/32, fd07::2/128"
refuses "the kernel has no IPv6 where packets are small" \
	"weir.yaml:6:10: outbounds[0].mtu: 1279 is too small for the IPv6 \
address fd07::2 with kernel_tun; the least is 1280"
outbound 1279
sed -i "s/10.7.0.2.*/fd07::2/" "$folder/office.conf"
printf '%s\n' "inbounds: { type: tun }" "outbounds:" \
	"  { type: wireguard, config: office.conf, kernel_tun: on }" \
	> "$folder/weir.yaml"
refuses "nor where a wg-quick file says so" \
	"outbounds[0].config: 1279 is too small for the IPv6 address"
kernel_tun 1280 "10.7.0.2/32, fd07::2/128"
refuses "packets of 1280 bytes are enough"
kernel_tun 576 10.7.0.2/32
refuses "without IPv6 packets may be smaller"

exit $failed
