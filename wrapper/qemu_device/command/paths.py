"""Where things are in dom0: the one list of the paths that the command reads.

Nothing of a VM and nothing of the command line ever becomes a path here.
"""

import io
import os

# What every path below stands under. Only the tests' own Python sets it: neither the environment nor
# a flag can point the command at another host's files.
ROOT = ""

BINARIES = "/usr/lib64/xen/bin"
QEMU = BINARIES + "/qemu-system-i386"
VENDOR_WRAPPER = BINARIES + "/qemu-wrapper"

MODULES = "/usr/lib/qemu-device"
SHIM = "/usr/libexec/qemu-device/qemu-wrapper"
PATCHER = "/usr/sbin/qemu-device-patch"
# A package's scriptlet takes this for consent to a removal while VMs are set to use the device, and
# removes it.
CONSENT = "/run/qemu-device-remove-anyway"


XENOPSD_CONF = "/etc/xenopsd.conf"
FRAGMENTS = "/etc/xenopsd.conf.d"
FRAGMENT = FRAGMENTS + "/qemu-device.conf"

INVENTORY = "/etc/xensource-inventory"
DAEMON_LOG = "/var/log/daemon.log"
XENSOURCE_LOG = "/var/log/xensource.log"
REPOSITORIES = "/etc/yum.repos.d"

# More than any of the small files has that are read whole; nothing is read without a bound.
_MOST = 1 << 20


def at(path):
    return ROOT + path


def read(path, most=_MOST):
    """The beginning of a file of the host, as text that holds every byte of it as one character."""
    with io.open(at(path), "rb") as file:
        return file.read(most).decode("latin-1")


def tail(path, most):
    """The end of a file, from a line's beginning on, and whether something was left out before it."""
    with io.open(at(path), "rb") as file:
        file.seek(0, os.SEEK_END)
        start = max(0, file.tell() - most)
        file.seek(start)
        end = file.read(most)
    if start:
        end = end.partition(b"\n")[2]
    return end.decode("latin-1"), start > 0
