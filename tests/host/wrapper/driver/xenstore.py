# SPDX-License-Identifier: GPL-2.0-or-later
"""A real XenStore daemon, and what a VM's domain has in it."""

import os
import subprocess
import time

from qemu_device import choice

from .namespace import XEN
from .settings import UUID

BINARIES = XEN + "/usr/lib/xen-4.17/bin/"
DAEMONS = {
    "xenstored": [BINARIES + "xenstored", "-N"],
    "oxenstored": [
        BINARIES + "oxenstored",
        "--no-fork",
        "--no-access-log",
        "--config-file",
        "/run/oxenstored.conf",
    ],
}
# As its package's file has it.
CONFIGURATION = "xenstored-port = /proc/xen/xsd_port\nxenstored-kva = /proc/xen/xsd_kva\n"
DOMAIN = 5


class Daemon(object):
    """One of the two, as long as its `with` lasts."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        import xen.lowlevel.xs

        words = DAEMONS[self.name]
        environment = dict(os.environ, LD_PRELOAD="/run/no_xen.so")
        with open("/run/oxenstored.conf", "w") as configuration:
            configuration.write(CONFIGURATION)
        with open("/run/" + self.name + ".log", "w") as log:
            self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.store = xen.lowlevel.xs.xs()
                break
            except xen.lowlevel.xs.Error:
                with open(log.name) as log:
                    said = log.read()
                assert self.process.poll() is None and time.monotonic() < deadline, said
                time.sleep(0.01)
        self.write("vm", "/vm/" + UUID)
        return self

    def __exit__(self, *_):
        self.store.close()
        self.process.kill()
        self.process.wait()
        for name in os.listdir("/run/xenstored"):
            os.unlink("/run/xenstored/" + name)

    def write(self, name, value):
        self.store.write("", "/local/domain/{}/{}".format(DOMAIN, name), value)

    def set(self, values):
        """The VM's platform map: these keys, and no other of ours."""
        for key in choice.keys():
            path = "/local/domain/{}/platform/{}".format(DOMAIN, key)
            value = values.get(key)
            if value is not None:
                self.store.write("", path, value)
            elif self.store.read("", path) is not None:
                self.store.rm("", path)

    def read(self, name):
        return self.store.read("", "/local/domain/{}/{}".format(DOMAIN, name))
