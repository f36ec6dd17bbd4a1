# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shim adds to a VM's start: whole starts through it and through the vendor's wrapper alone, in turns.

The vendor's wrapper is the sample, and QEMU a stub that writes down what it was given.
"""

import os
import statistics
import subprocess
import time

from . import namespace
from .namespace import MEMORY, SHIM, VENDOR
from .patched import ARGUMENTS, place
from .starts import PATH, Start
from .xenstore import Daemon


def run(rounds):
    namespace.install()
    with open(namespace.WRAPPER + "/sample/qemu-wrapper") as source:
        place(source.read(), False)
    one = {"vgpu-stub": "pool_id=A,priority=medium,vm_id=7"}
    four = dict(one, meter="base=1;channel=2", **{"asset-tag": "owner=a,url=https://x/y"})
    with Daemon("oxenstored") as daemon:
        for what, values, count, forget in (
            ("without a setting", {}, 0, False),
            ("with one device", one, 1, False),
            ("with four devices", four, 4, False),
            ("with one device, QEMU asked", one, 1, True),
        ):
            daemon.set(values)
            words = Start(SHIM, arguments=ARGUMENTS).record("qemu-system-i386")["argument"]
            assert words.count("-device") == 1 + count, words
            pairs = [(_timed(VENDOR, False), _timed(SHIM, forget)) for _ in range(rounds)]
            alone, shim = (statistics.median(times) for times in zip(*pairs))
            ratio = statistics.median(shim / alone for alone, shim in pairs)
            line = "{:30}{:6.1f} ms alone, {:6.1f} ms with the shim, ratio {:.2f}"
            print(line.format(what, alone * 1000, shim * 1000, ratio))


def _timed(program, forget):
    if forget and os.path.exists(MEMORY):
        os.unlink(MEMORY)
    nothing = subprocess.DEVNULL
    began = time.monotonic()
    # Without a timeout, for which Python would sleep and look.
    child = subprocess.Popen(
        [program] + ARGUMENTS, stdin=nothing, stdout=nothing, stderr=nothing, env={"PATH": PATH}
    )
    code = child.wait()
    took = time.monotonic() - began
    assert code == 7, code
    return took
