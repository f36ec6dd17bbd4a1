# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read of the ends of logs, of versions, and of a real QEMU's answers."""

import random
import shutil
import subprocess
import time

from .doctor_checks import expect
from .host import contains


def log_checks(host):
    """the guide's known troubles and our own refusals are explained, and a line stays one line"""
    start = "Nov 22 10:00:00 host qemu-dm-7[99]: "
    for line, means in (
        ("qemu-device: domain 7 is refused: pool_id is 'C'", "was refused"),
        ("TypeError: a bytes-like object is required, not 'str'", "mixes bytes and text"),
        (
            "qemu-system-i386: -device vgpu-stub: 'vgpu-stub' is not a valid device model name",
            "does not have",
        ),
        ("qemu: PCI: slot 30 function 0 not available for vgpu-stub, in use by e1000", "same PCI slot"),
        ("-device vgpu-stub,pool_id=C: property 'pool_id' must be 'A' or 'B', not 'C'", "refused a property"),
        ("qemu-system-i386: error while loading shared libraries: libx.so.9", "other libraries"),
    ):
        host.write("var/log/daemon.log", start + line + "\x1b]0;x\x07\n")
        expect(host, "log", "warn", means, line.split(":")[0])
        contains(host("doctor").out, "\\x1b]0;x\\x07")
    host.write("var/log/daemon.log", "TypeError: of bytes, by a program that is none of ours\n")
    expect(host, "log", "ok")
    host.path("var/log/daemon.log").unlink()
    expect(host, "log", "not checked", "/var/log/daemon.log")


def huge_log_read_at_its_end(host):
    """of a log of 300 MB without a line break only the end is read, in bounded time and memory"""
    with open(str(host.path("var/log/daemon.log")), "wb") as log:
        log.write(b"'vgpu-stub' is not a valid device model name\n")
        log.truncate(300 << 20)
    began = time.monotonic()
    expect(host, "log", "ok")
    assert time.monotonic() - began < 20
    random.seed(1)
    noise = bytes(random.randrange(256) for _ in range(1 << 16)) * 80
    host.write(
        "var/log/xensource.log", noise + b"\nIoemu_failed(qemu-dm, Timeout reached while starting daemon)\n"
    )
    expect(host, "log", "warn", "xenopsd waited out its time")


def versions_compared_as_rpm_does(host):
    """our order of versions is that of the rpm on this machine"""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from qemu_device.command import packages\n"
    code += "for line in sys.stdin:\n    one, other = line.split(); print(packages.compare(one, other))"
    parts = ["1", "2", "10", "010", "a", "b", "rc", "~", ".", "_", "xcpng8.3", "vgpu1"]
    random.seed(2)
    words = ["1" + "".join(random.choice(parts) for _ in range(random.randrange(5))) for _ in range(600)]
    pairs = list(zip(words[::2], words[1::2]))
    pairs += [
        ("5.2.15.2.xcpng8.3", "5.2.15.2.xcpng8.3.vgpu1"),
        ("5.2.15.2.xcpng8.3.vgpu1", "5.2.15.3.xcpng8.3"),
    ]
    text = "".join("%s %s\n" % pair for pair in pairs)
    argv = [host.python, "-c", code, str(host.path("usr/lib/qemu-device"))]
    ours = subprocess.run(argv, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.split()
    lua = "".join("print(rpm.vercmp('%s','%s')..' ')" % pair for pair in pairs)
    theirs = subprocess.run(
        ["/usr/bin/rpm", "--eval", "%{lua:" + lua + "}"], stdout=subprocess.PIPE, check=True
    )
    for pair, one, other in zip(pairs, ours, theirs.stdout.split()):
        assert int(one) == int(other), (pair, one, other)


def real_qemu_understood(host, binary):
    """a real QEMU's lists of devices and properties are read as they are"""
    installed = host.path("usr/lib64/xen/bin/qemu-system-i386")
    shutil.copy(binary, installed)
    expect(host, "qemu-device", "ok")
    expect(host, "qemu-properties", "ok")


CHECKS = (log_checks, huge_log_read_at_its_end, versions_compared_as_rpm_does)
