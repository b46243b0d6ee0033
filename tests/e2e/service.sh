#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The service under a real systemd, which runs in namespaces of its own over an
# overlay of this system's files: nothing of what it does is left.
set -u
umask 022
# shellcheck source=tests/e2e/steps.sh
. "$(dirname "$0")/steps.sh"

name="systemd runs weir as a service"
skip() {
	echo "skip - $name: $1"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in unshare nsenter ip curl ping wg; do
	command -v $tool >/dev/null || skip "no $tool"
done
[ -x /lib/systemd/systemd ] || skip "no systemd"
grep -qw overlay /proc/filesystems || skip "no overlay"
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
[ -n "$cgroups" ] || skip "no control groups of version 2"
is_sanitized && skip "this build is sanitized"
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-service.XXXXXX") || exit 1
group=$cgroups/${dir##*/}
pid='' parent=''

# shellcheck disable=SC2317 # by the trap
tidy() {
	[ -z "$pid" ] || kill -KILL "$pid"
	wait
	find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
	rm -rf "$dir"
}
trap tidy EXIT

inside() {
	nsenter -t "$pid" -m -p -u -i -n -C "$@"
}

# A step, and what the service said where it fails.
service_step() {
	step "$@" || inside journalctl --no-pager -o cat -n 20 -u weir
}

# What systemd finds as its machine. Units for hardware are not for it.
cat >"$dir/init" <<'END'
set -e
cd "$1"
mount --make-rprivate /
mkdir over
mount -t tmpfs tmpfs over
mkdir over/up over/work over/root
cp -a files/. over/up/
mount -t overlay overlay \
	-o lowerdir=/,upperdir=over/up,workdir=over/work over/root
cd over/root
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
for unit in systemd-udevd systemd-udev-trigger systemd-modules-load \
	systemd-sysctl systemd-remount-fs systemd-random-seed; do
	ln -sf /dev/null etc/systemd/system/$unit.service
done
uuid=$(cat proc/sys/kernel/random/uuid)
echo "${uuid//-/}" >etc/machine-id
mkdir run/before
pivot_root . run/before
umount -l /run/before
container=weir-test exec /lib/systemd/systemd --system --unit=basic.target \
	--log-target=journal --show-status=0 </dev/null >/run/said 2>&1
END

step "it installs" make -C "$built" install DESTDIR="$dir/files" || exit 1
unit=$(find "$dir/files" -name weir.service)
sysusers=$(find "$dir/files" -path '*sysusers.d/weir.conf')
config=$dir/files$(sed -n 's/^ExecStart=.* -c //p' "$unit")
mkdir -p "$dir/files/etc/systemd/system" "$(dirname "$config")"
cp "$unit" "$dir/files/etc/systemd/system/"
cat >"$config" <<END
sockets: { mark: 99 }
inbounds:
  - { tag: tun, type: tun, name: weir0, address: 10.9.0.1/24 }
outbounds:
  - { tag: direct, type: freedom }
  - tag: far
    type: wireguard
    interface: wgtest
    address: 10.8.0.2/32
    private_key: $(wg genkey)
    workers: 1
    peers:
      - public_key: $(wg genkey | wg pubkey)
        allowed_ips: 10.8.0.0/24
END
mkdir "$group" 2>/dev/null || skip "no control group can be made"
(
	echo "$BASHPID" >"$group/cgroup.procs"
	exec unshare -m -p -f -u -i -n -C --kill-child bash "$dir/init" "$dir"
) >"$dir/said" 2>&1 &
parent=$!
for _ in $(seq 100); do
	sleep 0.1
	read -r pid _ <"/proc/$parent/task/$parent/children" 2>/dev/null
	[ -n "$pid" ] || continue
	inside systemctl is-active basic.target >/dev/null 2>&1 && break
done
inside systemctl is-active basic.target >/dev/null 2>&1 || {
	cat "$dir/said"
	skip "systemd does not start here"
}

# A server behind a veth; all but weir's own packets to it go into the TUN.
cat >"$dir/network" <<'END'
set -e
ip link set lo up
ip netns add server
ip link add to_server type veth peer name port netns server
ip address add 10.60.0.9/24 dev to_server
ip link set to_server up
ip -n server address add 10.60.0.2/24 dev port
ip -n server link set port up
ip rule add pref 10 fwmark 99 lookup main
ip rule add pref 11 to 10.60.0.0/24 lookup 100
ip route add default dev weir0 table 100
for i in all to_server weir0; do
	echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter
done
ip netns exec server systemd-run -q --scope --unit=page \
	python3 -m http.server -d /etc 8088 >/dev/null 2>&1 &
curl -sf --retry 20 --retry-delay 1 --retry-all-errors -m 30 \
	http://10.60.0.2:8088/debian_version
ping -c 2 -W 2 10.60.0.2
END

inside systemd-sysusers "${sysusers#"$dir/files"}"
inside chgrp weir "${config#"$dir/files"}"
inside chmod 640 "${config#"$dir/files"}"
service_step "systemd starts it and is told when it is ready" \
	inside systemctl start weir
main=$(inside systemctl show -P MainPID weir)
service_step "it runs as a user of its own" \
	inside sh -c "[ \$(stat -c %U /proc/$main) = weir ]"
service_step "its TUN is there" inside ip link show weir0
service_step "wg finds its tunnel" inside wg show wgtest
service_step "a page and pings go through it" inside bash -s <"$dir/network"
service_step "it ends when it is told to" inside systemctl stop weir
service_step "its TUN goes with it" inside sh -c '! ip link show weir0'
echo "nonsense: 1" | inside tee -a "${config#"$dir/files"}" >/dev/null
cat >"$dir/refused" <<'END'
systemctl start weir && exit 1
sleep 0.5
[ "$(systemctl show -P NRestarts weir)" = 0 ] || exit 1
[ "$(systemctl show -P ExecMainStatus weir)" = 78 ]
END
service_step "a configuration with errors is not tried again" \
	inside sh -s <"$dir/refused"
exit $failed
