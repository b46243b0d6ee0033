#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""weir exec, as root and as an ordinary user."""
import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import (Skip, check, check_equal, find_build, need, run_one,
                     tests, test, wait_for)
from stage import (BODY, NAME4, NOBODY, OUT4, OUT6, PATIENCE_S, PORT, STAGE,
                   Stage, write)


def script_running(stage, text, *options):
    """Start a shell script and wait for its first line, "ready"."""
    p = stage.start("sh", "-c", text, options=options, stdout=subprocess.PIPE)
    check_equal(p.stdout.readline(), "ready\n", "the first line")
    return p


def finish(p):
    out = p.communicate(timeout=PATIENCE_S)[0]
    return p.returncode, out.strip()


def processes(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", mark.encode()]:
            found.append(pid)
    return found


@test
def exec_passes_the_exit_status_on(stage):
    for status in 0, 1, 7, 255:
        check_equal(stage.shell(f"exit {status}")[0], status, "status")


@test
def exec_says_why_a_command_cannot_be_run(stage):
    status, _, text = stage.run("no-such-command")
    check_equal((status, text),
                (127, "weir exec: no-such-command: command not found"), "end")
    check_equal(stage.run("/etc/passwd")[0], 126, "status")


@test
def exec_says_what_is_wrong_with_its_use_and_configuration(stage):
    check_equal(stage.run()[0], 64, "status without a command")
    check_equal(stage.run("true", options=("-x",))[0], 64, "status")
    check_equal(stage.run("true", options=("-c", "/no/file"))[0], 78, "status")


@test
def exec_is_quiet_and_passes_input_and_output(stage):
    text = "0123456789abcdef" * 4096
    p = stage.start("sh", "-c", "cat; echo oops >&2", stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(text, timeout=PATIENCE_S)
    check_equal((p.returncode, out == text, err), (0, True, "oops\n"), "end")


@test
def exec_ends_by_the_signal_that_ended_the_command(stage):
    for number in signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV:
        status = stage.shell(f"kill -{int(number)} $$")[0]
        check_equal(status, -number, "status")


@test
def exec_passes_signals_to_the_command(stage):
    for name in "TERM", "INT", "HUP", "QUIT", "USR1", "USR2":
        p = script_running(stage, f"trap 'echo got; exit 5' {name}; "
                           "echo ready; while :; do sleep 0.05; done")
        p.send_signal(getattr(signal, f"SIG{name}"))
        check_equal(finish(p), (5, "got"), name)


def on_a_terminal(stage, script):
    """Start a shell script that says "ready" as what a terminal runs."""
    pid, terminal = pty.fork()
    if pid == 0:
        stage.demote()
        os.chdir("/")
        os.execv(stage.weir, stage.command("sh", "-c", script))
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1024)
    return pid, terminal


@test
def exec_leaves_the_keys_of_the_terminal_to_the_command(stage):
    pid, terminal = on_a_terminal(
        stage, "trap 'n=$((n+1))' INT; echo ready; while [ $((i+=1)) "
        "-lt 20 ]; do sleep 0.05; done; echo times $n; exit 9")
    seen = b""
    os.write(terminal, b"\x03")
    try:
        while b"times" not in seen or not seen.endswith(b"\n"):
            seen += os.read(terminal, 1024)
    except OSError:
        pass  # the terminal's other end is closed
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    check(b"times 1" in seen, f"the command saw {seen!r}")
    check_equal(os.WEXITSTATUS(status), 9, "status")


@test
def exec_tells_the_command_that_its_terminal_is_gone(stage):
    pid, terminal = on_a_terminal(stage, "trap 'exit 5' HUP; echo ready; "
                                  "while :; do sleep 0.05; done")
    os.close(terminal)
    ended = []

    def has_ended():
        ended[:] = os.waitpid(pid, os.WNOHANG)
        return ended[0]

    try:
        wait_for(has_ended, 5, "the end")
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    check_equal(os.WEXITSTATUS(ended[1]), 5, "status")


@test
def exec_ends_with_what_the_command_left_running(stage):
    mark = f"{3600 + os.getpid()}.1"
    check_equal(stage.shell(f"setsid sleep {mark} >/dev/null 2>&1 &")[0], 0,
                "status")
    wait_for(lambda: not processes(mark), 2, "the end of all")


@test
def exec_leaves_nothing_behind_after_kill_9(stage):
    mark = f"{3600 + os.getpid()}.2"
    p = script_running(stage, f"setsid sleep {mark} & echo ready; "
                       f"sleep {mark}")
    wait_for(lambda: len(processes(mark)) == 2, 5, "both to run")
    p.kill()
    finish(p)
    wait_for(lambda: not processes(mark), 2, "the end of all")


@test
def exec_gives_the_command_its_own_user_and_a_network_of_its_own(stage):
    out = stage.shell("id -u; ls /sys/class/net >/dev/null; "
                      "cut -d: -f1 -s /proc/net/dev | tr -d ' '")[1].split()
    check_equal(out, [str(stage.user), "lo", "weir0"], "user and interfaces")


@test
def exec_carries_http_over_both_families(stage):
    stage.need_network()
    for host in OUT4, f"[{OUT6}]":
        status, out, err = stage.run(
            "curl", "-sS", "-m", "10", "-o", "/dev/null", "-w",
            "%{http_code} %{size_download}", f"http://{host}:{PORT}/")
        check_equal((status, out, err), (0, f"200 {len(BODY)}", ""), host)


@test
def exec_answers_a_refused_port_at_once(stage):
    stage.need_network()
    begin = time.monotonic()
    status, _, err = stage.run("curl", "-sS", f"http://{OUT4}:1/")
    check_equal(status, 7, f"curl's status ({err})")
    check(time.monotonic() - begin < 5, "it took its time")


def check_names(stage, *options):
    status, out, err = stage.run("getent", "ahostsv4", "some.host.test",
                                 options=options)
    check_equal((status, out.split()[:1]), (0, [NAME4]), f"getent ({err})")


@contextlib.contextmanager
def configuration(text):
    folder = tempfile.mkdtemp(prefix="weir-exec-")
    os.chmod(folder, 0o755)
    write(f"{folder}/weir.yaml", text)
    try:
        yield "-c", f"{folder}/weir.yaml"
    finally:
        shutil.rmtree(folder)


@test
def exec_resolves_names_on_the_loopback_past_the_interface(stage):
    stage.need_network()
    with configuration("log: { level: error }\ninbounds:\n  - { type: tun }\n"
                       "outbounds:\n  - { type: freedom }\n"
                       "sockets: { interface: out0 }\n") as options:
        check_names(stage, *options)


@test
def exec_resolves_names_by_a_resolver_on_outsides_loopback(stage):
    stage.need_network()
    check_names(stage)
    text = stage.run("cat", "/etc/resolv.conf")[1].splitlines()
    check_equal(text, ["search corp.example",
                       "options timeout:1 attempts:2",
                       "nameserver 198.18.0.2"], "resolv.conf inside")
    with open("/etc/resolv.conf", encoding="ascii") as f:
        check("127.0.0.53" in f.read(), "outside's file was changed")


@test
def exec_makes_the_device_that_its_configuration_describes(stage):
    with configuration("log: { level: error }\ninbounds:\n  - { type: tun, "
                       "name: inner, mtu: 1400, address: [10.9.8.7/24] }\n"
                       "outbounds:\n  - { type: freedom }\n") as options:
        text = stage.run("ip", "-o", "addr", "show", "dev", "inner",
                         options=options)[1]
        mtu = stage.run("cat", "/proc/sys/net/ipv6/conf/inner/mtu",
                        options=options)[1]
    check("10.9.8.7/24" in text, f"addresses: {text}")
    check_equal(mtu, "1400", "MTU")


@test
def exec_says_that_the_tun_device_is_closed_to_the_user(stage):
    if not stage.root or not stage.user:
        raise Skip("is about an ordinary user, set up by root")
    os.chmod(f"{STAGE}/tun", 0o600)
    try:
        status, _, err = stage.run("true")
    finally:
        os.chmod(f"{STAGE}/tun", 0o666)
    check_equal(status, 1, "status")
    check("/dev/net/tun: Permission denied" in err, err)


@test
def exec_names_the_sysctl_that_lets_users_ping(stage):
    """Once, whatever is pinged. A new network lets nobody, as Debian 12."""
    need("ping")
    stage.need_network()
    if not stage.user:
        raise Skip("is about an ordinary user, set up by root")
    _, out, err = stage.shell(f"for host in {OUT4} {OUT6}; do "
                              "ping -c 1 -W 5 $host; done")
    check_equal(out.count("+1 errors"), 2, f"told by ping: {out}")
    check_equal(err.count("net.ipv4.ping_group_range"), 1, err)


@test
def exec_runs_inside_of_exec(stage):
    if not stage.root:
        # Root is nobody in there, and nobody's plugins are not trusted.
        raise Skip("needs root")
    inner = stage.command("sh", "-c", "ls -d /proc/1 && exit 6")
    check_equal(stage.run(*inner)[:2], (6, "/proc/1"), "end")


def run_among(stage, mounts, *words):
    """Run weir exec in a mount namespace where `mounts` was done first."""
    text = f"{mounts} && exec setpriv --reuid {stage.user} " \
        f"--regid {stage.user} --clear-groups \"$@\""
    return subprocess.run(["unshare", "-m", "sh", "-c", text, "sh",
                           *stage.command(*words)], cwd="/", text=True,
                          check=False, stderr=subprocess.PIPE,
                          timeout=PATIENCE_S)


@test
def exec_warns_where_there_is_no_resolv_conf_to_replace(stage):
    if not stage.root:
        raise Skip("needs root")
    empty = "mount -t tmpfs -o mode=755 weir /etc"
    for mounts in empty, f"{empty} && ln -s /no/file /etc/resolv.conf":
        p = run_among(stage, mounts, "sh", "-c", "exit 3")
        check_equal(p.returncode, 3, "status")
        said = re.findall(r"weir: .*no name server is asked inside", p.stderr)
        check_equal(len(said), 1, f"warnings in {p.stderr!r}")


@test
def exec_keeps_its_name_servers_when_those_of_outside_change(stage):
    if not stage.root:
        raise Skip("needs root")
    outside = "mount -t tmpfs -o mode=1777 weir /etc && cd /etc && " \
        "echo nameserver 127.0.0.53 >resolv.conf && { for i in 1 2; do " \
        "until [ -e ready$i ]; do sleep 0.1; done; " \
        "echo nameserver 192.0.2.$i >new; " \
        "[ $i = 1 ] || { rm resolv.conf; sleep 0.5; }; " \
        "mv new resolv.conf; : >done$i; done & }"
    inside = "cd /etc; for i in 1 2; do : >ready$i; " \
        "until [ -e done$i ]; do sleep 0.1; done; for n in $(seq 50); do " \
        "grep 198.18.0.2 resolv.conf && continue 2; sleep 0.1; done; " \
        "cat resolv.conf >&2; exit 1; done"
    p = run_among(stage, outside, "sh", "-c", inside)
    check_equal((p.returncode, p.stderr), (0, ""), "end and resolv.conf")


@test
def exec_goes_on_with_a_warning_where_proc_cannot_be_mounted(stage):
    if not stage.root or not stage.user:
        raise Skip("is about an ordinary user, set up by root")
    p = run_among(stage, "mount --bind /dev/null /proc/version", "sh", "-c",
                  "exit 4")
    check_equal(p.returncode, 4, "status")
    check("weir: /proc cannot be mounted here" in p.stderr, p.stderr)


@test
def exec_names_the_sysctl_that_forbids_namespaces(stage):
    if not stage.root:
        raise Skip("needs root")
    for name in "user.max_user_namespaces", "user.max_net_namespaces":
        path = "/proc/sys/" + name.replace(".", "/")
        p = subprocess.run(["unshare", "-Ur", "sh", "-c",
                            f"echo 0 >{path} && exec setpriv "
                            "--bounding-set=-sys_admin \"$@\"", "sh",
                            *stage.command("true")], text=True, check=False,
                           stderr=subprocess.PIPE, timeout=PATIENCE_S)
        check_equal(p.returncode, 1, "status")
        check(name in p.stderr, p.stderr)


def main():
    find_build()
    if not os.access(os.environ["WEIR"], os.X_OK):
        print(f"skip - exec: {os.environ['WEIR']} is not built")
        sys.exit(77)
    stage = Stage()
    wanted = [t for t in tests if not sys.argv[1:] or
              any(word in t.__name__ for word in sys.argv[1:])]
    if not stage.root and stage.run("true")[0]:
        print(f"skip - exec: it cannot run here: {stage.run('true')[2]}")
        sys.exit(77)
    results = []
    for user in (0, NOBODY) if stage.root else (stage.user,):
        stage.user = user
        print(f"# as user {user}", flush=True)
        results += [run_one(t, stage) for t in wanted]
    sys.exit(1 if "failed" in results else 0 if "ok" in results else 77)


main()
