# SPDX-License-Identifier: GPL-2.0-or-later
"""A dom0 in a folder: our files where the package puts them, and stubs for the host's programs."""

import atexit
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections import namedtuple
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
STUBS = HERE.parent.parent / "stubs"
PROGRAMS = ("xe", "xenopsd-xc", "systemctl", "rpm", "yum", "xenstore-read")
WRAPPER = HERE.parents[4] / "wrapper"

HOST = "11111111-0000-4000-8000-000000000001"
OTHER_HOST = "11111111-0000-4000-8000-000000000002"
VM = "22222222-0000-4000-8000-000000000001"

Answer = namedtuple("Answer", "code out err")

STOCK = {"epoch": "2", "version": "4.2.1", "release": "5.2.15.2.xcpng8.3", "repository": "xcp-ng-updates"}
OURS = dict(
    STOCK,
    release="5.2.15.2.xcpng8.3.vgpu1",
    provides=["qemu"] + ["qemu-device(%s) = 1" % name for name in ("asset-tag", "meter", "vgpu-stub")],
    altered=[],
)


@lru_cache(maxsize=None)
def compiled(stock):
    """The stub for QEMU, with or without the device."""
    folder = tempfile.TemporaryDirectory(prefix="qemu-stub-")
    # Gone when this process ends.
    atexit.register(folder.cleanup)
    define = ["-DSTOCK"] if stock else []
    subprocess.run(["cc", "-o", folder.name + "/qemu", *define, str(STUBS / "qemu.c")], check=True)
    return folder.name + "/qemu"


def uuid(number):
    return "22222222-0000-4000-8000-%012d" % number


class Host:
    """A context: the folder and every process of it are gone at its end."""

    python = "/usr/bin/python3"

    def __enter__(self):
        assert os.getpid() == 1, "only in a namespace of processes of its own: use `checks`"
        self.root = Path(tempfile.mkdtemp(prefix="dom0-"))
        for folder in (
            "bin",
            "state",
            "run",
            "etc/xenopsd.conf.d",
            "etc/qemu-device",
            "usr/lib64/xen/bin",
            "usr/lib/qemu-device/xen/lowlevel",
            "usr/libexec/qemu-device",
            "usr/sbin",
            "var/log",
        ):
            (self.root / folder).mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy(STUBS / program, self.root / "bin")
        for program in ("rm", "touch", "truncate"):
            (self.root / "bin" / program).symlink_to("/bin/" + program)
        shutil.copytree(
            WRAPPER / "qemu_device",
            self.root / "usr/lib/qemu-device/qemu_device",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        shutil.copytree(HERE.parents[1] / "devices", self.root / "usr/lib/qemu-device/devices")
        origin = {"pipeline": "published", "release-suffix": ".vgpu1"}
        self.write("usr/lib/qemu-device/origin.json", json.dumps(origin))
        for empty in ("xen/__init__.py", "xen/lowlevel/__init__.py", "xen/lowlevel/xs.py"):
            self.write("usr/lib/qemu-device/" + empty, "")
        shutil.copy(WRAPPER / "qemu-wrapper", self.path("usr/libexec/qemu-device/qemu-wrapper"))
        self.write("usr/lib64/xen/bin/qemu-wrapper", "#! /usr/bin/python3\n# a stub for the vendor's\n")
        self.install_qemu()
        (self.root / "etc/yum.repos.d").mkdir()
        self.write("etc/yum.repos.d/xcp-ng.repo", "[xcp-ng-base]\nenabled=1\n[xcp-ng-updates]\nenabled=1\n")
        self.write("etc/yum.repos.d/published.repo", "[published]\nenabled=0\n")
        self.write("etc/xenopsd.conf", "# a stub\nqemu-system-i386=/bin/false\n")
        self.write(
            "etc/xenopsd.conf.d/qemu-device.conf",
            "upstream-compat-qemu-dm-wrapper=/usr/libexec/qemu-device/qemu-wrapper\n",
        )
        self.write("etc/xensource-inventory", "BUILD_NUMBER='0'\nINSTALLATION_UUID='%s'\n" % HOST)
        for log in ("daemon.log", "xensource.log"):
            self.write("var/log/" + log, "Nov 22 09:00:00 host init: nothing of interest\n")
        self.save(
            "rpm",
            {
                "installed": {
                    "qemu": OURS,
                    "xenopsd": dict(STOCK, provides=[], altered=[]),
                    "qemu-device-dom0": dict(STOCK, provides=[], altered=[]),
                },
                "available": [STOCK, dict(OURS, repository="published")],
            },
        )
        hosts = [{"uuid": HOST, "name-label": "here", "packages": {}}]
        self.save(
            "xapi",
            {
                "vms": [],
                "hosts": hosts,
                "tasks": [],
                "vifs": [],
                "vgpus": [],
                "messages": [],
                "xenstore": {},
                "domid": 7,
            },
        )
        self.add_vm("web", VM)
        self.run(["systemctl", "restart", "xenopsd-xc"])
        self.forget()
        return self

    def __exit__(self, *_):
        # Everything else in this namespace was started from here; see `checks`.
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != 1:
                try:
                    os.kill(int(name), signal.SIGKILL)
                except OSError:
                    pass
        shutil.rmtree(self.root)

    def use_patch_package(self):
        """Makes it a host of 8.2: the wrapper is patched, by the real patcher, and there is no shim."""
        rpm = self.load("rpm")
        rpm["installed"]["qemu-device-dom0-patch"] = rpm["installed"].pop("qemu-device-dom0")
        rpm["installed"]["xenopsd"]["altered"] = ["S.5....T.    /usr/lib64/xen/bin/qemu-wrapper"]
        self.save("rpm", rpm)
        patcher, wrapper = self.path("usr/sbin/qemu-device-patch"), self.path(
            "usr/lib64/xen/bin/qemu-wrapper"
        )
        patcher.write_text('#!/bin/sh\nexec %s -B %s/qemu-device-patch "$@"\n' % (self.python, WRAPPER))
        patcher.chmod(0o755)
        for target in (wrapper, self.path("state/genuine-wrapper")):
            shutil.copy(WRAPPER / "sample/qemu-wrapper", target)
        subprocess.run([patcher, wrapper], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(self.path("etc/xenopsd.conf.d"))
        shutil.rmtree(self.path("usr/libexec/qemu-device"))
        self.write("state/no-config-dir", "")
        self.run(["systemctl", "restart", "xenopsd-xc"])
        self.forget()

    def path(self, path):
        return self.root / path

    def write(self, path, text):
        self.path(path).write_bytes(text if isinstance(text, bytes) else text.encode())

    def load(self, name):
        return json.loads(self.path("state/%s.json" % name).read_text())

    def save(self, name, state):
        self.write("state/%s.json" % name, json.dumps(state))

    def change(self, name, **values):
        self.save(name, dict(self.load(name), **values))

    def install_qemu(self, stock=False):
        """As rpm does: a new file in the old one's place."""
        shutil.copy(compiled(stock), self.path("usr/lib64/xen/bin/new"))
        os.replace(self.path("usr/lib64/xen/bin/new"), self.path("usr/lib64/xen/bin/qemu-system-i386"))

    def add_vm(self, name, identity, kind="vm", **values):
        record = {
            "uuid": identity,
            "name-label": name,
            "kind": kind,
            "is-control-domain": "false",
            "power-state": "halted",
            "platform": {"vga": "std"},
            "HVM-boot-params": {"firmware": "bios", "order": "cdn"},
            "other-config": {},
            "domain-type": "hvm",
            "resident-on": "<not in database>",
            "dom-id": -1,
        }
        record.update({key.replace("_", "-"): value for key, value in values.items()})
        state = self.load("xapi")
        state["vms"].append(record)
        self.save("xapi", state)

    def set(self, identity, **values):
        state = self.load("xapi")
        for record in state["vms"] + state["hosts"]:
            if record["uuid"] == identity:
                record.update({key.replace("_", "-"): value for key, value in values.items()})
        self.save("xapi", state)

    def vm(self, identity=VM):
        return next(record for record in self.load("xapi")["vms"] if record["uuid"] == identity)

    def platform(self, identity=VM):
        found = dict(self.vm(identity)["platform"])
        found.pop("vga")
        return found

    def run(self, argv):
        """One of the host's programs, as an operator would run it."""
        subprocess.run([self.root / "bin" / argv[0], *argv[1:]], check=True, stdout=subprocess.DEVNULL)

    def forget(self):
        self.write("state/calls", "")

    def waits(self, what, child, ends=False):
        """Waits until something is so, or until a program that may end has ended."""
        deadline = time.monotonic() + 600
        while not what():
            if child.poll() is not None:
                assert ends, child.communicate()
                return
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)

    def calls(self, *first):
        lines = self.path("state/calls").read_text().splitlines()
        return [call for call in map(json.loads, lines) if tuple(call[: len(first)]) == first]

    def changes(self):
        """What was run that changes something."""
        quiet = (
            "vm-list",
            "vif-list",
            "vgpu-list",
            "message-list",
            "snapshot-param-get",
            "template-param-get",
            "template-list",
            "snapshot-list",
            "host-list",
            "task-list",
            "vm-param-get",
            "host-param-get",
            "host-call-plugin",
            "show",
            "-q",
        )
        return [call for call in self.calls() if call[1] not in quiet]

    def argv(self, words, quick=20, only=""):
        """The command's argument list; `only` is the one check that `doctor` is to make."""
        return [self.python, str(HERE / "launch.py"), str(self.root), str(quick), only, *words]

    def __call__(self, *words, code=0, quick=20, **options):
        """The command, which is to end with the exit code."""
        # What is in an operator's environment must not matter.
        environment = {
            "XE_EXTRA_ARGS": "server=203.0.113.1",
            "LC_ALL": "C",
            "PATH": "/nowhere",
            "HOME": "/nowhere",
        }
        done = subprocess.run(
            self.argv(words, quick),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=120,
            **options,
        )
        answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in answer.err, answer.err
        assert answer.code == code, answer
        return answer

    def json(self, *words, code=0):
        return json.loads(self(words[0], "--json", *words[1:], code=code).out)

    def on_terminal(self, *words, answer=None, locale="C"):
        """The command on a terminal, where `answer` is typed; its exit code and what stood there."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.python, self.argv(words), dict(os.environ, LC_ALL=locale))
        shown = b""
        while True:
            try:
                if select.select([terminal], [], [], 60)[0]:
                    shown += os.read(terminal, 4096)
                if answer is not None and shown.rstrip().endswith(b"[y/N]"):
                    os.write(terminal, answer.encode())
                    answer = None
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def contains(text, *parts):
    for part in parts:
        assert part in text, "{!r} is not in {!r}".format(part, text)


def one_line(text):
    """The one error of an answer, checked for form."""
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, text
    assert all(" " <= character <= "~" for character in lines[0]), lines
    assert not lines[0].endswith("."), lines
    return lines[0]
