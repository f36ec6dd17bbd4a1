# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts of a VM with a QEMU that lacks its devices, or that cannot be asked."""

import os
import shutil

from . import namespace
from .namespace import EMULATOR, MODULES, POLICY
from .settings import VALID, gained
from .starts import Start, each_daemon, log_line, write


@each_daemon
def shim_with_a_stock_qemu(daemon):
    """A QEMU without the device: the VM starts without it and the log says so, or it is refused; QEMU is asked
    once per binary."""
    daemon.set({"vgpu-stub": "pool_id=A", "meter": "base=1"})
    namespace.known("meter", "e1000")
    write("/run/asked", "")
    why = "the QEMU of this host, of no package, does not have it; install one that has: qemu-device doctor"
    line = "qemu-device: domain 5 starts without vgpu-stub: " + why + "\n"
    others = ["meter,base=1,channel=1,addr=0x1c"]
    for _ in range(3):
        Start().passed(gained(others), said=line + log_line(others))
    assert asked() == 1, asked()
    write(POLICY, "on-missing = refuse\n")
    Start().refused(
        "qemu-device: domain 5 is refused, as {} says: it has vgpu-stub, and {}".format(POLICY, why)
    )
    os.unlink(POLICY)
    # A binary in its place, or what somebody else may have written, is asked anew.
    shutil.copy(EMULATOR, EMULATOR + ".new")
    os.rename(EMULATOR + ".new", EMULATOR)
    Start().passed(gained(others), said=line + log_line(others))
    assert asked() == 2, asked()
    os.chmod(namespace.MEMORY, 0o666)
    Start().passed(gained(others), said=line + log_line(others))
    assert asked() == 3, asked()
    for text in ("", "x", "\n" * 9, open(namespace.MEMORY).read()[:-2]):
        write(namespace.MEMORY, text)
        Start().passed(gained(others), said=line + log_line(others))
    assert asked() == 7, asked()
    # One that cannot be asked, or does not end, says for itself what it lacks.
    both = others + VALID[0][2]
    with open(MODULES + "/qemu_device/emulator.py") as source:
        text = source.read()
    assert "_PATIENCE = 10.0" in text
    write(MODULES + "/qemu_device/emulator.py", text.replace("_PATIENCE = 10.0", "_PATIENCE = 1.0"))
    write(EMULATOR, "#!/bin/sh\nsleep 600\n")
    Start().passed(gained(both), said=log_line(both))
    write(EMULATOR, "#!/bin/sh\necho 'name \"x\"'; exec >/dev/null 2>&1; sleep 600\n")
    os.chmod(EMULATOR, 0o755)
    Start().passed(gained(both), said=log_line(both))
    os.unlink(EMULATOR)
    Start().passed(gained(both), said=log_line(both))
    # A name that is no ASCII is none of ours, and keeps none of them away.
    shutil.copy("/run/recorder", EMULATOR)
    namespace.known("pci\u00e9", "vgpu-stub", "meter")
    Start().passed(gained(both), said=log_line(both))
    # What was said before a refusal is said.
    namespace.known("e1000")
    daemon.set({"vgpu-stub": "pool_id=C", "meter": "base=1"})
    write(POLICY, "on-invalid = start-without-device\non-missing = refuse\n")
    start = Start()
    assert start.code == 1 and len(start.said.splitlines()) == 2, start.said
    assert "starts without vgpu-stub" in start.said and "is refused, as" in start.said, start.said
    os.unlink(POLICY)


def asked():
    return os.path.getsize("/run/asked")


CHECKS = [shim_with_a_stock_qemu]
