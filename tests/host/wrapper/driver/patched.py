# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts of a VM through a patched wrapper: QEMU gets what it got before, and the device where it is due.

The wrappers are the sample and the shapes of our own, patched by the real patcher in the vendor's place.
QEMU is a stub that writes down what it was given, and once it is a real one.
"""

import json
import os
import shutil
import socket
import subprocess
import time

from qemu_device import choice

from . import namespace, shapes
from .hostile import HOSTILE
from .namespace import EMULATOR, MODULES, POLICY, SHIM, VENDOR
from .settings import VALID, expected, gained
from .starts import Start, each_daemon, log_line, write

ARGUMENTS = ["5", "--syslog", "-std-vga", "-xen-domid", "5", "-m", "size=64", "-pidfile", "/x"]


def wrappers():
    """Every wrapper that the Python under test can run, by name."""
    old = "2.7" in namespace.python
    found = dict(shapes.SHAPES, **(shapes.OLD_SHAPES if old else {}))
    if not old:
        with open(namespace.WRAPPER + "/sample/qemu-wrapper") as source:
            found["sample"] = source.read()
    return sorted((name, text.replace("{python}", namespace.python)) for name, text in found.items())


def place(text, patched):
    """Puts a wrapper in the vendor's place."""
    write(VENDOR, text)
    os.chmod(VENDOR, 0o755)
    if text.startswith("#!/usr/bin/python3") and namespace.python != namespace.DEBIAN_PYTHON:
        namespace.name_python(VENDOR)
    if patched:
        subprocess.check_output([namespace.python, "-B", namespace.PATCHER, VENDOR])


def begin(program=VENDOR):
    return Start(program=program, arguments=ARGUMENTS)


def emulated(start):
    found = start.record("qemu-system-i386")
    assert found, start.said
    # The wrapper has its own process for it, and so its own outputs.
    return found


@each_daemon
def patched_starts(daemon):
    """In every shape: no key changes nothing, a valid one brings one `-device`, behind all the others."""
    for name, text in wrappers():
        daemon.set({})
        place(text, False)
        before = begin()
        genuine = emulated(before)
        place(text, True)
        start = begin()
        assert emulated(start) == genuine and start.code == before.code == 7, name
        assert start.said == before.said, (name, start.said, before.said)
        for key, value, options in VALID:
            daemon.set({key: value})
            start = begin()
            got = emulated(start)
            assert got["argument"] == genuine["argument"] + gained(options), (name, got["argument"])
            assert dict(got, argument=0) == dict(genuine, argument=0), (name, got, genuine)
            assert start.code == 7, (name, start.code)
            said = [
                line for line in start.said.splitlines(True) if not line.startswith(("Arguments: ", "Exec: "))
            ]
            assert said == [log_line(options)], (name, start.said)
            assert start.said.splitlines()[-1].endswith(" ".join(gained(options))), start.said


@each_daemon
def patched_refusals(daemon):
    """Each hostile setting ends the wrapper with the same line as the shim, and QEMU does not start."""
    for number, (name, text) in enumerate(wrappers()):
        place(text, True)
        # All of them in one shape, and a few in each of the others.
        for key, value, said in HOSTILE if number == 0 else HOSTILE[:: len(HOSTILE) // 4]:
            daemon.set({key: value})
            start = begin()
            assert start.record("qemu-system-i386") is None and start.code == 1, (name, value)
            lines = [line for line in start.said.splitlines() if not line.startswith("Arguments: ")]
            assert lines == [expected(key, said)], (name, start.said)
        write(POLICY, "on-invalid = start-without-device\n")
        start = begin()
        assert (
            emulated(start)["argument"][-2:] == ["-device", emulated(start)["argument"][-1]]
            and start.code == 7
        )
        assert "domain 5 starts without" in start.said and "Adding " not in start.said, start.said
        os.unlink(POLICY)


@each_daemon
def patched_without_our_package(daemon):
    """A host that lost our modules starts every VM but those that are set to use the device."""
    name, text = wrappers()[0]
    place(text, True)
    for lose in (lambda: write(MODULES + "/qemu_device/start.py", "def (\n"), lambda: shutil.rmtree(MODULES)):
        lose()
        daemon.set({})
        assert emulated(begin()) and begin().code == 7
        daemon.set({"vgpu-stub": "pool_id=A"})
        start = begin()
        assert start.record("qemu-system-i386") is None and start.code == 1
        line = start.said.splitlines()[-1]
        assert line.startswith(
            "qemu-device: this VM has a setting in VM.platform, and /usr/lib/qemu-device, which"
        ), line
        assert "install qemu-device-dom0, or: xe vm-param-remove uuid=" in line, line
        assert start.said.count("\n") == 1, start.said
    namespace.install()


@each_daemon
def patched_behind_the_shim(daemon):
    """A host with both, by mistake or on its way from one to the other, gets one device."""
    for name, text in wrappers():
        place(text, True)
        for key, value, options in VALID:
            daemon.set({key: value})
            start = begin(SHIM)
            words = emulated(start)["argument"]
            found = [word for word in words if word.split(",")[0] in choice.contract.types()]
            assert found == options, (name, words)
            assert start.said.startswith(log_line(options)) and start.said.count("Adding ") == 1, (
                name,
                start.said,
            )


@each_daemon
def in_a_real_qemu(daemon):
    """The sample starts a QEMU of this project: the device is in its slot, beside the display."""
    with open(namespace.WRAPPER + "/sample/qemu-wrapper") as source:
        sample = source.read()
    shutil.copy(namespace.qemu, EMULATOR)
    for patched, program in ((True, VENDOR), (False, SHIM), (True, SHIM)):
        place(sample, patched)
        for value, slot in (("pool_id=B,vm_id=7", 0x1E), ("addr=0x18", 0x18)):
            daemon.set({"vgpu-stub": value})
            found = _slots(program)
            assert found[slot] == [(0x1AF4, 0x1111)] and 2 in found, (program, found)
            assert sum(found.values(), []).count((0x1AF4, 0x1111)) == 1, found
        daemon.set({})
        assert (0x1AF4, 0x1111) not in sum(_slots(program).values(), [])
    _in_a_stock_qemu(daemon)


def _in_a_stock_qemu(daemon):
    """Every start gets a running QEMU; with the policy `refuse`, a line."""
    daemon.set({"vgpu-stub": "pool_id=B", "meter": "base=1"})
    for qemu, device in ((namespace.qemu, True), (namespace.stock, False), (namespace.qemu, True)):
        # As an update does it: another file in its place.
        shutil.copy(qemu, EMULATOR + ".new")
        os.rename(EMULATOR + ".new", EMULATOR)
        for program in (SHIM, VENDOR):
            assert ((0x1AF4, 0x1111) in sum(_slots(program).values(), [])) == device, (program, qemu)
            with open("/run/said") as said:
                text = said.read()
            # Neither has this one.
            assert "domain 5 starts without meter: the QEMU of this host" in text, text
            assert ("domain 5 starts without vgpu-stub" in text) != device, text
    write(POLICY, "on-missing = refuse\n")
    daemon.set({"vgpu-stub": "pool_id=B"})
    assert (0x1AF4, 0x1111) in sum(_slots(SHIM).values(), [])
    shutil.copy(namespace.stock, EMULATOR + ".new")
    os.rename(EMULATOR + ".new", EMULATOR)
    for program in (SHIM, VENDOR):
        start = Start(program, arguments=ARGUMENTS)
        line = [line for line in start.said.splitlines() if not line.startswith("Arguments: ")]
        assert start.code == 1 and len(line) == 1, start.said
        assert line[0].startswith("qemu-device: domain 5 is refused, as " + POLICY), line
    os.unlink(POLICY)


def _slots(program):
    """What a QEMU, started so, has on its PCI bus: vendor and device by slot."""
    words = [
        "5",
        "--syslog",
        "-xen-domid",
        "5",
        "-machine",
        "pc,accel=qtest",
        "-nodefaults",
        "-display",
        "none",
    ]
    words += [
        "-L",
        "/usr/share/seabios",
        "-L",
        "/usr/share/qemu",
        "-display-device",
        "pci-bridge,chassis_nr=1",
    ]
    words += ["-qmp", "unix:/run/qmp,server=on,wait=off"]
    if os.path.exists("/run/qmp"):
        os.unlink("/run/qmp")
    write("/run/said", "")
    # What is read meanwhile must not move where they write.
    with open("/run/said", "a+") as said:
        process = subprocess.Popen([program] + words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + 60
        connection = socket.socket(socket.AF_UNIX)
        while connection.connect_ex("/run/qmp"):
            said.seek(0)
            assert process.poll() is None and time.monotonic() < deadline, said.read()
            time.sleep(0.02)
    monitor = connection.makefile("rw")
    monitor.readline()
    answers = []
    for command in ("qmp_capabilities", "query-pci", "quit"):
        monitor.write(json.dumps({"execute": command}) + "\n")
        monitor.flush()
        answers.append(json.loads(monitor.readline()))
    assert process.wait(timeout=60) == 0
    found = {}
    for one in answers[1]["return"][0]["devices"]:
        found.setdefault(one["slot"], []).append((one["id"]["vendor"], one["id"]["device"]))
    return found


CHECKS = [
    patched_starts,
    patched_refusals,
    patched_without_our_package,
    patched_behind_the_shim,
    in_a_real_qemu,
]
