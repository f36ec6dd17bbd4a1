# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, answers and circumstances that nobody would choose."""

import json
import os
import subprocess
import time

from .host import VM, contains, one_line, uuid

NAMES = (
    "a,b\\,c",
    "\u001b]0;owned\u0007\u001b[2J",
    "uuid=%s" % VM,
    "--force",
    "name with 'quotes' and \"more\"",
    "f\u00fcr alle \u2603",
    "%s%d%(name)s{0}",
    "x" * 300,
    " ",
)


def names_are_found_and_shown_plainly(host):
    """a VM of any name is found by it, and no byte of it reaches a terminal unescaped"""
    for number, name in enumerate(NAMES):
        host.add_vm(name, uuid(100 + number))
        answer = host("attach", "--", name, "vgpu-stub", "--vm-id", str(number))
        assert host.platform(uuid(100 + number)), name
        assert all(
            character == "\n" or " " <= character <= "~" for character in answer.out + answer.err
        ), answer
        found = host.json("status", "--", name)["vms"]
        assert [(one["uuid"], one["name"]) for one in found] == [(uuid(100 + number), name)], found


def names_read_on_a_terminal(host):
    """on a terminal with UTF-8 a name is as people write it; what is not seen, or turns a line, is escaped"""
    for name, shown in (
        (
            "f\u00fcr \u3053\u3093\u306b\u3061\u306f \u2603",
            "'f\u00fcr \u3053\u3093\u306b\u3061\u306f \u2603'",
        ),
        ("cafe\u0301", "'cafe\u0301'"),
        ("\u202egnp.exe", "'\\x202egnp.exe'"),
        ("a\u200bb\u00a0c\ufeff", "'a\\x200bb\\xa0c\\xfeff'"),
        ("\u0301x", "'\\x301x'"),
        ("\x9b2J\x1b[2J\x7f", "'\\x9b2J\\x1b[2J\\x7f'"),
    ):
        host.set(VM, name_label=name)
        code, seen = host.on_terminal("status", VM, locale="C.UTF-8")
        assert code == 0 and seen.startswith(shown + " (" + VM), (name, seen)
        code, seen = host.on_terminal("status", VM, locale="C")
        assert code == 0 and all(" " <= c <= "~" or c in "\r\n" for c in seen), (name, seen)


def names_with_line_breaks_refused(host):
    """xe would take a line break for the next argument: such a name is never passed on"""
    host.add_vm("evil\nuuid=" + VM, uuid(2))
    for word in ("evil\nuuid=" + VM, "web\n", "web\r", "web\nparams=all"):
        one_line(host("detach", word, code=2).err)
    assert host.calls() == []
    contains(host("attach", uuid(2), "vgpu-stub").out, "'evil\\x0auuid=")
    assert host.platform(uuid(2)) and not host.platform(VM)
    # The suggestion of near names reads a listing that this name is in.
    one_line(host("attach", "evil", "vgpu-stub", code=2).err)


def bytes_that_are_no_text_refused(host):
    """an argument that is not UTF-8 is refused in one line"""
    one_line(host("attach", b"\xff\xfe", "vgpu-stub", code=2).err)
    one_line(host("attach", "web", "vgpu-stub", "--pool-id", b"\xff", code=2).err)


def xapi_down_or_slow(host):
    """without xapi, or with one that hangs, each command ends with one line and says where to look"""
    for fault, words in (("down", "Connection refused"), ("no permission", "Permission denied")):
        host.change("xapi", fault=fault)
        for command in (
            ["attach", "web", "vgpu-stub"],
            ["detach", VM],
            ["status", "--all"],
            ["rollback", "--yes"],
        ):
            answer = host(*command, code=1)
            contains(one_line(answer.err), "xe vm-list failed", words)
            contains(answer.err, "help: ")
            assert json.loads(host(*command, "--json", code=1).out)["ok"] is False
    host.change("xapi", fault="slow")
    began = time.monotonic()
    contains(one_line(host("attach", "web", "vgpu-stub", code=1, quick=1).err), "did not end within 1 s")
    assert time.monotonic() - began < 10


def xe_fails_midway(host):
    """a step that fails says what is not known to be done, and running it again mends it"""
    both = {"vga": "std", "vgpu-stub": "priority=low", "device-model-args": "-device vgpu-stub"}
    for fault in (
        "vm-param-set",
        "after vm-param-set",
        "between",
        "vm-param-remove",
        "after vm-param-remove",
    ):
        host.set(VM, platform=both)
        host.change("xapi", fault=fault)
        answer = host("attach", "web", "vgpu-stub", "--pool-id", "B", code=1)
        contains(one_line(answer.err), "Lost connection to the server", "failed with exit code 1")
        contains(answer.err, "to run again", "param-key=device-model-args")
        host.change("xapi", fault=None)
        host("attach", "web", "vgpu-stub", "--pool-id", "B")
        # xe takes a key away before it sets it: cut in between, what it held is gone.
        priority = "medium" if fault == "between" else "low"
        assert host.platform() == {"vgpu-stub": "pool_id=B,priority=%s,vm_id=0" % priority}, (
            fault,
            host.platform(),
        )


def closed_streams(host):
    """with standard streams closed or their reader gone the work is done all the same"""
    for close in (">&-", "2>&-", "<&-", ">&- 2>&- <&-", "| true"):
        host.set(VM, platform={"vga": "std"})
        script = 'exec "$@" ' + close if close != "| true" else '"$@" | true'
        argv = ["sh", "-c", script, "sh"] + host.argv(["attach", "web", "vgpu-stub"])
        done = subprocess.run(
            argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False
        )
        assert done.returncode == 0, (close, done)
        assert b"Traceback" not in done.stderr, done.stderr
        assert host.platform(), close


def full_disk(host):
    """an answer that cannot be written is an error"""
    with open("/dev/full", "w") as full:
        argv = host.argv(["status", "web", "--json"])
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1, done
    contains(one_line(done.stderr.decode()), "cannot write to standard output")


def programs_missing(host):
    """each program that is not there is named, and `doctor` goes on without it"""
    for program in ("xe", "rpm", "systemctl", "xenopsd-xc", "xenstore-read", "yum"):
        host.path("bin/" + program).unlink()
    contains(one_line(host("attach", "web", "vgpu-stub", code=1).err), "xe is not on this host")
    contains(one_line(host("rollback", "--keep-vms", "--yes", code=1).err), "rpm is not on this host")
    states = {one["name"]: one["state"] for one in host.json("doctor")["checks"]}
    assert states["vms"] == states["drop-in-active"] == "not checked", states
    assert states["qemu-device"] == states["leftovers"] == "ok", states


def environment_does_not_matter(host):
    """no variable of the caller's reaches xe or changes what is asked"""
    words = host.argv(["attach", "web", "vgpu-stub"])
    environment = dict(
        os.environ, XE_EXTRA_ARGS="server=203.0.113.1", LD_LIBRARY_PATH="/nowhere", LANG="tr_TR.UTF-8"
    )
    trap = "import os\nassert set(os.environ) <= {'PATH', 'LC_ALL', 'LC_CTYPE'}, os.environ\n"
    text = host.path("bin/xe").read_text()
    host.write("bin/xe", text.replace("import fcntl\n", trap + "import fcntl\n", 1))
    subprocess.run(words, env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert host.platform()


CHECKS = (
    names_are_found_and_shown_plainly,
    names_read_on_a_terminal,
    names_with_line_breaks_refused,
    bytes_that_are_no_text_refused,
    xapi_down_or_slow,
    xe_fails_midway,
    closed_streams,
    full_disk,
    programs_missing,
    environment_does_not_matter,
)
