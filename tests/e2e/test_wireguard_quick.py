#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wg-quick files as people have them: imported, or named by `config`, they
connect to wireguard-go without an edit, and run no command."""
import os
import subprocess
import tempfile

import wgbed
from bed import SERVER4, SERVER6
from harness import (Weir, check, check_equal, main, refusal, test,
                     without_net_admin)
from wgbed import FAR4, FAR6, NEAR, Keys, other_end
from wgtraffic import fetch, web

# NEAR and FAR are keys, MARK a file that a command would make. The text is
# written as it stands, so \\r and \\t are those bytes.
FILES = {
    "plain": """\
[Interface]
PrivateKey = {near}
Address = 10.7.0.2/32, fd07::2/128
DNS = 10.7.0.1

[Peer]
PublicKey = {far}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = {v4}:{port}
""",
    "windows": "\ufeff[Interface]\r\nPrivateKey = {near}\r\n"
               "Address = 10.7.0.2/32,fd07::2/128\r\n\r\n[Peer]\r\n"
               "PublicKey = {far}\r\nAllowedIPs = 0.0.0.0/0,::/0\r\n"
               "Endpoint = {v4}:{port}\r\n",
    "shouted": """\
[INTERFACE]
PRIVATEKEY={near}
address=10.7.0.2/32,fd07::2/128
[peer]
publickey={far}
ALLOWEDIPS=0.0.0.0/0,::/0
endpoint={v4}:{port}
persistentkeepalive=25
""",
    "commanding": """\
[Interface]
PrivateKey = {near}
Address = 10.7.0.2/32
Address = fd07::2/128
PreUp = touch {mark}
PostUp = touch {mark}; iptables -A FORWARD -i %i -j ACCEPT
PostUp = /bin/sh -c 'touch {mark}'
PreDown = touch {mark}
PostDown = touch {mark}
Table = off
SaveConfig = true
[Peer]
PublicKey = {far}
AllowedIPs = 0.0.0.0/0
AllowedIPs = ::/0
Endpoint = {v4}:{port}
""",
    "remarked": """\
# my provider's file; [Peer] is below
[Interface] # mine
PrivateKey = {near} # do not share = ever
Address = 10.7.0.2/24 # with host bits
Address = fd07::2/64
#DNS = 10.0.0.1

[Peer]   # theirs
# Name = server-1
PublicKey = {far}# no space before this
AllowedIPs = 0.0.0.0/0 , ::/0 # everything
Endpoint = {v4}:{port} # here
""",
    "tabbed": "\n\n\t[Interface]\t\n\tPrivateKey\t=\t{near}\t\n"
              "  Address=10.7.0.2/32 ,\tfd07::2/128  \n\n"
              "\t[Peer]\nPublicKey={far}\n"
              "AllowedIPs=10.7.0.0/24,fd07::/64,198.51.100.0/24\n"
              "Endpoint={v4}:{port}",
    "six": """\
[Interface]
PrivateKey = {near}
Address = 10.7.0.2, fd07::2
MTU = 1280
[Peer]
PublicKey = {far}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = [{v6}]:{port}
PersistentKeepalive = off
""",
    "searching": """\
[Interface]
Address = 10.7.0.2/32, fd07::2/128
DNS = 10.7.0.1, fd07::1, corp.example, example.net
DNS = 10.7.0.1
PrivateKey = {near}
ListenPort = 51999
FwMark = 0x51
[Peer]
Endpoint = {v4}:{port}
AllowedIPs = 0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1
PublicKey = {far}
""",
    "turned": """\
[Peer]
PublicKey = {far}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = {v4}:{port}
[Interface]
PrivateKey = {near}
Address = 10.7.0.2/32, fd07::2/128
""",
    "crowded": """\
[Interface]
PrivateKey = {near}
Address = 10.7.0.2/32, fd07::2/128
[Peer]
PublicKey = {other}
AllowedIPs = 10.200.0.0/16
Endpoint = 192.0.2.99:1
[Peer]
PublicKey = {far}
PresharedKey = {psk}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = {v4}:{port}
[Peer]
PublicKey = {third}
AllowedIPs =
""",
}


def private(folder, name, text):
    path = os.path.join(folder, name)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    return path


def imported(path):
    done = subprocess.run(
        [os.environ["WEIR"], "--plugin-dir", os.environ["PLUGIN_DIR"],
         "import", path], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False)
    check(done.returncode == 0, done.stderr)
    return done.stdout


class Far:
    """The provider: wireguard-go, and a web server behind it."""

    def __init__(self, bed):
        self.bed = bed
        self.near, self.far = Keys(), Keys()
        self.psk = wgbed.preshared()
        web(bed)

    def text(self, name, mark):
        return FILES[name].format(
            near=self.near.private, far=self.far.public, psk=self.psk,
            other=Keys().public, third=Keys().public, mark=mark, v4=SERVER4,
            v6=SERVER6, port=wgbed.PORT)

    def begin(self, text):
        """A new one for each file: once it has answered over IPv4 it cannot
        always send over IPv6 (sendmmsg: network is unreachable)."""
        go = other_end(self.bed, "server", self.far)
        go.peer(self.near.public, NEAR,
                psk=self.psk if self.psk in text else None)
        return go


def connects(far, name, configure):
    with tempfile.TemporaryDirectory() as folder:
        mark = os.path.join(folder, "a-command-was-run")
        text = far.text(name, mark)
        path = private(folder, f"{name}.conf", text)
        go = far.begin(text)
        weir = Weir(far.bed, configure(path))
        for host in FAR4, FAR6:
            check(fetch(far.bed, host, seconds=10), f"{name}: nothing from {host}")
        weir.stop()
        weir.close()
        go.close()
        check(not os.path.exists(mark), f"{name}: a command was run")


def by_name(path):
    return wgbed.through(
        f"  - {{ tag: wg, type: wireguard, config: {path} }}\n")


@test
def ten_odd_files_connect_once_imported(bed):
    far = Far(bed)
    for name in FILES:
        connects(far, name, imported)


@test
def ten_odd_files_connect_as_they_are(bed):
    far = Far(bed)
    for name in FILES:
        connects(far, name, by_name)


@test
def name_servers_past_the_tunnel_are_warned_of(bed):
    with tempfile.TemporaryDirectory() as folder:
        text = FILES["tabbed"].format(near=Keys().private, far=Keys().public,
                                      v4=SERVER4, port=wgbed.PORT)
        path = private(folder, "split.conf", text.replace(
            "[Peer]", "DNS = 9.9.9.9, 10.7.0.1, 2001:db8::53\n[Peer]"))
        log = Weir(bed, by_name(path)).log()
    for server, told in (("9.9.9.9", True), ("10.7.0.1", False),
                         ("2001:db8::53", True)):
        check_equal(f"dns: {server} cannot be asked" in log, told,
                    f"a warning of {server}")


@test
def a_mark_without_the_right_to_it_is_told(bed):
    with tempfile.TemporaryDirectory() as folder:
        text = FILES["plain"].format(near=Keys().private, far=Keys().public,
                                     v4=SERVER4, port=wgbed.PORT)
        path = private(folder, "marked.conf", text.replace(
            "[Peer]", f"ListenPort = {wgbed.PORT}\nFwMark = 7\n[Peer]"))
        config = f"""\
inbounds:
  - {{ tag: wg, type: wireguard, config: {path} }}
outbounds:
  - {{ tag: direct, type: freedom }}
"""
        said = refusal(lambda: Weir(bed, config, own_tun=True,
                                    wrapper=without_net_admin(",-net_raw")))
    check("FwMark takes CAP_NET_ADMIN" in said, said)


if __name__ == "__main__":
    main()
