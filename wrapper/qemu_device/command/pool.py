"""The hosts of the pool: which QEMU each has, and whether a VM with a device can live there."""

import json
import re
from collections import namedtuple

from qemu_device import contract

from . import packages, paths, qemu, vm, xe
from .report import Failure

# A host: its QEMU and its package of ours as rpm names them, `None` where they are not there, the types that
# its QEMU lacks, and why it could not be asked.
Host = namedtuple("Host", "uuid name here qemu ours missing unknown")


class Hosts(object):
    """The names of the pool's hosts, each asked for once, and which of them is this one."""

    def __init__(self):
        self._names = {}
        try:
            match = re.search(r"(?m)^INSTALLATION_UUID='?([0-9a-f-]{36})", paths.read(paths.INVENTORY))
        except (IOError, OSError):
            match = None
        self.here = match.group(1) if match else None

    def describe(self, uuid):
        if uuid is None:
            return None
        if uuid not in self._names:
            self._names[uuid] = xe.value("host", uuid, "name-label")
        here = None if self.here is None else uuid == self.here
        return {"uuid": uuid, "name": self._names[uuid], "here": here}


def hosts():
    """Every host of the pool, this one first."""
    here = Hosts().here
    uuids = sorted(xe.records("host"), key=lambda uuid: (uuid != here, uuid))
    return [_this(uuid) if uuid == here else _other(uuid) for uuid in uuids]


def warn(name, report):
    """Says on which hosts a device that is set does not work; what cannot be asked is no reason to stop."""
    try:
        for host in hosts():
            if name in host.missing:
                where = "this host" if host.here else "the host %s" % vm.quoted(host.name)
                line = (
                    "warning: %s has %s, without %s: a VM with it cannot start or migrate there as it is set"
                )
                report.note(line % (where, host.qemu or "no package qemu", name))
    except Failure:
        pass


def _this(uuid):
    package = packages.installed(packages.QEMU)
    ours = [packages.installed(name) for name in packages.OURS]
    names = [one.short() for one in ours if one]
    missing, unknown = (), None
    try:
        missing = qemu.missing()
    except Failure as failure:
        unknown = failure.message
    return Host(
        uuid, _name(uuid), True, package and package.short(), names[0] if names else None, missing, unknown
    )


def _other(uuid):
    """As XCP-ng's own plugin answers; by the release, since nobody there can be asked for a device."""
    try:
        found = json.loads(xe.installed_on(uuid, (packages.QEMU,) + packages.OURS))
        stock = not packages.is_our_release(found[packages.QEMU].rpartition(".")[0])
        ours = [found[name] for name in packages.OURS if found[name]]
        # Without our package nothing there gives a VM its device, whatever QEMU has.
        missing = contract.types() if stock or not ours else ()
        return Host(
            uuid, _name(uuid), False, found[packages.QEMU] or None, ours[0] if ours else None, missing, None
        )
    except Failure as failure:
        return Host(uuid, _name(uuid), False, None, None, (), failure.message)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Host(uuid, _name(uuid), False, None, None, (), "its answer cannot be understood")


def _name(uuid):
    return xe.value("host", uuid, "name-label")
