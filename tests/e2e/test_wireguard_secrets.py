#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where keys are, and where they are not: the log at its most talkative, what
weir prints, and the memory of the running process, which is what a core file
would hold.

A key in use stands in the structs that need it. Its text is nowhere once the
configuration was read; and a key that is not in use any more is nowhere."""
import base64
import os
import re
import subprocess
import tempfile

import wgbed
from bed import PROXY4, run
from harness import (Weir, check, check_equal, main, test, tool, wait_for,
                     weir_check)
from wgbed import Keys
from wgserved import Served, client_peers, config, ended, peer

LOUD = "level: debug"
SHADOW = 1 << 34  # bytes; only a sanitizer's shadow is larger
PIECE = 12  # so many characters of a text, or bytes of a key, are a find


def raw(key):
    return base64.b64decode(key)


def pieces(data):
    return [data[at:at + PIECE] for at in range(0, len(data) - PIECE, 4)]


def texts(key):
    """Pieces of its base64 and hex."""
    return pieces(key.encode()) + pieces(raw(key).hex().encode())


def memory(pid):
    """All that a process has written to: (where, bytes)."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            begin, end, mode, path = re.match(
                r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            if not mode.startswith("rw") or path.startswith("[v"):
                continue
            begin, end = int(begin, 16), int(end, 16)
            if end - begin > SHADOW:
                continue
            mem.seek(begin)
            try:
                yield path or "anonymous", mem.read(end - begin)
            except OSError:  # a guard
                continue


def found(pid, needles):
    """(what, where) of each needle that stands in the memory."""
    return {(name, where) for where, data in memory(pid)
            for name, needle in needles if needle in data}


def check_gone(pid, needles, what):
    check_equal(found(pid, needles), set(), what)


def textual(**keys):
    return [(f"text of {name}", piece) for name, key in keys.items()
            for piece in texts(key)]


def binary(**keys):
    return [(f"bytes of {name}", piece) for name, key in keys.items()
            for piece in pieces(raw(key))]


def connected(served):
    served.web()
    check(served.fetch(), "the first request failed")


@test
def no_text_of_a_key_is_left_of_the_configuration(bed):
    keys, near, psk = Keys(), Keys(), wgbed.preshared()
    weir = Weir(bed, config(keys, wgbed.unique_name(), peer(
        "first", near.public, wgbed.NEAR, psk), LOUD), own_tun=True)
    check_gone(weir.pid, textual(own=keys.private, psk=psk),
               "text of the keys")
    check(found(weir.pid, binary(own=keys.private)),
          "the search finds nothing at all")


@test
def what_wg_set_and_took_back_is_gone(bed):
    served = Served(bed, LOUD)
    connected(served)
    first, second, psk = Keys(), Keys(), wgbed.preshared()
    public, prefix = client_peers(1)[0]
    for own in first, second:
        run("wg", "set", served.name, "private-key", "/dev/stdin",
            input=own.private)
        run("wg", "set", served.name, "peer", public, "allowed-ips", prefix,
            "preshared-key", "/dev/stdin", input=psk)
    lines, result = ended(bed, bed.spawn(
        "server", [tool("wgload"), "sessions", PROXY4, str(wgbed.PORT),
                   second.public, "1", "1", "10", psk],
        stdout=subprocess.PIPE, text=True))
    check_equal(result["sessions"], 1, "sessions")
    wait_for(lambda: served.show()[public]["received"] > 148, 10,
             "the client's confirmation")
    session = [(f"session key {n}", piece)
               for n, key in enumerate(lines[0].split())
               for piece in pieces(bytes.fromhex(key))]
    check(found(served.weir.pid, session), "the search finds nothing at all")
    run("wg", "show", served.name, "dump")
    run("wg", "set", served.name, "private-key", "/dev/stdin", "peer",
        public, "remove", input=Keys().private)
    keys = {"first": first.private, "second": second.private, "psk": psk}
    check_gone(served.weir.pid, textual(**keys) + binary(**keys) + session,
               "keys that are not in use")


@test
def a_key_out_of_a_file_is_gone_when_another_took_its_place(bed):
    keys, near, psk = Keys(), Keys(), wgbed.preshared()
    name = wgbed.unique_name()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write(f"[Interface]\nPrivateKey = {keys.private}\n"
                f"Address = 10.7.0.1/24\nListenPort = {wgbed.PORT}\n"
                f"[Peer]\nPublicKey = {near.public}\nPresharedKey = {psk}\n"
                "AllowedIPs = 10.7.0.2/32\n")
        f.flush()
        weir = Weir(bed, f"""\
log: {{ level: debug }}
inbounds:
  - {{ tag: wg, type: wireguard, config: {f.name}, interface: {name} }}
outbounds:
  - {{ tag: direct, type: freedom }}
""", own_tun=True)
    secrets = {"own": keys.private, "psk": psk}
    check_gone(weir.pid, textual(**secrets), "text of the keys")
    run("wg", "set", name, "private-key", "/dev/stdin", "peer", near.public,
        "remove", input=Keys().private)
    check_gone(weir.pid, binary(**secrets), "keys that are not in use")


def outbound_config(key, peer_key, psk, name):
    return f"""\
log: {{ level: debug }}
inbounds: [{{ type: tun }}]
outbounds:
  - type: wireguard
    private_key: "{key}"
    address: 10.7.0.1/24
    peers:
      - public_key: "{peer_key}"
        pre_shared_key: "{psk}"
    interface: {name}
"""


@test
def a_key_of_the_configuration_is_gone_when_another_took_its_place(bed):
    near = Keys()
    for as_outbound in False, True:
        keys, psk, name = Keys(), wgbed.preshared(), wgbed.unique_name()
        text = outbound_config(keys.private, near.public, psk, name) \
            if as_outbound else \
            config(keys, name, peer("first", near.public, wgbed.NEAR, psk),
                   LOUD)
        weir = Weir(bed, text, own_tun=not as_outbound)
        secrets = binary(own=keys.private, psk=psk)
        check(found(weir.pid, secrets), "the search finds nothing at all")
        run("wg", "set", name, "private-key", "/dev/stdin", "peer",
            near.public, "remove", input=Keys().private)
        check_gone(weir.pid, secrets, "keys that are not in use")
        weir.close()


@test
def no_key_stands_in_the_log_or_in_what_weir_prints(bed):
    served = Served(bed, LOUD)
    connected(served)
    said = served.weir.log()
    for command in ["check", "-c", served.weir.config], ["schema"]:
        said += run(os.environ["WEIR"], "--plugin-dir",
                    os.environ["PLUGIN_DIR"], *command)
    check("handshake" in said, "the log tells nothing")
    for name, piece in textual(own=served.keys.private):
        check(piece.decode() not in said, name)


def refused(folder, text, name, key):
    """weir check takes it, but not while everybody can read or write `name`.
    A group may: a service has its own, and its files belong to root."""
    path = os.path.join(folder, "weir.yaml")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(path, 0o600)
    open_path = os.path.join(folder, name)
    for mode in 0o644, 0o604, 0o602:
        os.chmod(open_path, mode)
        status, said = weir_check(path)
        check_equal(status, 78, f"status for {name} of mode {mode:o}")
        check(f"chmod o= {open_path}" in said, said)
        check(key not in said, "the key was printed")
    for mode in 0o640, 0o660, 0o600:
        os.chmod(open_path, mode)
        check_equal(weir_check(path)[0], 0, f"{name} of mode {mode:o}")


@test
def files_of_keys_that_others_can_read_are_refused_with_the_remedy(_bed):
    keys = Keys()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "key"), "w", encoding="ascii") as f:
            f.write(keys.private + "\n")
        with open(os.path.join(folder, "wg.conf"), "w",
                  encoding="ascii") as f:
            f.write(f"[Interface]\nPrivateKey = {keys.private}\n"
                    "Address = 10.7.0.1/24\n")
        for name, key in (("weir.yaml", None),
                          ("key", f"private_key_file: {folder}/key")):
            refused(folder, config(keys, "x", key=key), name, keys.private)
        refused(folder, "inbounds:\n  - { type: wireguard, config: "
                f"{folder}/wg.conf }}\noutbounds: [{{ type: freedom }}]\n",
                "wg.conf", keys.private)


if __name__ == "__main__":
    main()
