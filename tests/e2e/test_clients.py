#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that people use, through weir: OpenSSH over the TUN, and a browser
inside `weir exec`."""
import hashlib
import http.server
import os
import random
import shutil
import socket
import subprocess
import tempfile

import servers
from bed import HOST4, HOST6
from harness import (Skip, Weir, check, check_equal, keep, main, need,
                     serve, test, wait_for)

SSH_PORT, PAGE_PORT = 7022, 7080
SSH_S, BROWSER_S = 60, 120
DATA = random.Random(22).randbytes(8 << 20)
PAGE = b"""<!doctype html><title>weir</title><p id=said>nothing</p><script>
Promise.all([...Array(20).keys()].map(n => fetch("/" + n).then(r => r.text())))
  .then(all => document.getElementById("said").textContent = all.join(" "));
</script>"""
BROWSERS = ("chromium", "chromium-browser")
EXEC_CONFIG = """\
inbounds:
  - { tag: tun, type: tun }
outbounds:
  - { tag: direct, type: freedom }
"""


class Folder:
    """A place for keys and profiles."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="weir-clients-")

    def file(self, name):
        return os.path.join(self.path, name)

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Sshd:
    """OpenSSH's server for one key, in the namespace `server`."""

    def __init__(self, bed, folder):
        self.bed, self.folder = bed, folder
        for name in "host", "user":
            subprocess.run([need("ssh-keygen"), "-q", "-t", "ed25519", "-N",
                            "", "-f", folder.file(name)], check=True)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        options = {"HostKey": folder.file("host"), "UsePAM": "no",
                   "AuthorizedKeysFile": folder.file("user.pub"),
                   "StrictModes": "no", "PidFile": "none",
                   "PermitRootLogin": "yes"}
        words = [word for item in options.items()
                 for word in ("-o", "=".join(item))]
        self.process = bed.spawn(
            "server", [find_sshd(), "-D", "-e", "-f", "/dev/null", "-p",
                       str(SSH_PORT), *words], stderr=subprocess.DEVNULL)
        wait_for(self.answers, 10, "sshd")

    def answers(self):
        with self.bed.socket("proxy", socket.AF_INET,
                             socket.SOCK_STREAM) as s:
            return s.connect_ex((HOST4, SSH_PORT)) == 0

    def close(self):
        self.bed.end(self.process)


def find_sshd():
    path = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if not path:
        raise Skip("sshd is not installed")
    return path


def ssh(bed, folder, host, command, data=b""):
    process = bed.spawn(
        "client", [need("ssh"), "-F", "none", "-p", str(SSH_PORT), "-i",
                   folder.file("user"), "-o", "StrictHostKeyChecking=no",
                   "-o", f"UserKnownHostsFile={folder.file('known')}",
                   "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                   f"root@{host}", command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    out, said = process.communicate(data, timeout=SSH_S)
    bed.end(process)
    check_equal(process.returncode, 0, f"ssh {command}: {said.decode()}")
    return out


@test
def ssh_carries_a_session_and_its_data_both_ways(bed):
    need("ssh")
    find_sshd()
    folder = keep(Folder())
    Weir(bed)
    keep(Sshd(bed, folder))
    for host in HOST4, HOST6:
        said = ssh(bed, folder, host, "echo $SSH_CONNECTION").decode()
        check_equal(said.split()[2:], [host, str(SSH_PORT)], "the target")
        check(ssh(bed, folder, host, "cat", DATA) == DATA,
              "the data came back changed")
        digest = ssh(bed, folder, host, "sha256sum", DATA).decode()
        check_equal(digest.split()[0], hashlib.sha256(DATA).hexdigest(),
                    "hash at the far end")


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = self.path[1:]
        body = f"part{number}".encode() if number.isdigit() else PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def page_server(port):
    servers.DualStackServer(("::", port), Page).serve_forever()


def find_browser():
    for name in BROWSERS:
        if shutil.which(name):
            return shutil.which(name)
    raise Skip(f"no {BROWSERS[0]} is installed")


def browse(bed, browser, folder, host):
    """The page as its script left it."""
    process = bed.spawn(
        "proxy", [os.environ["WEIR"], "--plugin-dir",
                  os.environ["PLUGIN_DIR"], "exec", "-c",
                  folder.file("weir.yaml"), "--", browser, "--headless",
                  "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                  "--no-first-run", "--virtual-time-budget=20000",
                  f"--user-data-dir={folder.file('profile')}", "--dump-dom",
                  f"http://{host}:{PAGE_PORT}/"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    out, said = process.communicate(timeout=BROWSER_S)
    bed.end(process)
    check_equal(process.returncode, 0, f"{browser}: {said[-500:]}")
    return out


@test
def a_browser_inside_weir_exec_loads_a_page_and_what_it_asks_for(bed):
    browser = find_browser()
    folder = keep(Folder())
    fd = os.open(folder.file("weir.yaml"), os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(fd, "w") as f:
        f.write(EXEC_CONFIG)
    serve(bed, page_server, PAGE_PORT, PAGE_PORT)
    wanted = " ".join(f"part{n}" for n in range(20))
    for host in HOST4, f"[{HOST6}]":
        page = browse(bed, browser, folder, host)
        check(wanted in page, f"the page from {host} is {page[-300:]!r}")


if __name__ == "__main__":
    main()
