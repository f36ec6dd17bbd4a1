"""Checks of `doctor`: the VMs that use the device, what runs, the rest of the pool, and the logs."""

import json

from vgpu_stub import setting

from . import logs, packages, qemu, status, vm, xe
from .outcome import fail, ok, some, unchecked, warn
from .report import Failure

_asked = []


def _users():
    """The VMs that are set, asked for once: each is several calls of xe."""
    if not _asked:
        _asked.append(vm.users())
    return _asked[0]


def vms():
    """the settings of all VMs are valid and in the current spelling"""
    users = _users()
    invalid = ["%s: %s" % (machine.title(), reading.error) for machine, reading in users if reading.error]
    if invalid:
        text = "not valid: " + some(invalid)
        return fail(text, "vgpu-stub attach VM writes a valid one, vgpu-stub detach VM removes it")
    older = [one.title() for one, reading in users if reading.values[setting.GUIDE_KEY] is not None]
    if older:
        return warn("set in the older spelling: " + some(older), "vgpu-stub attach VM renews it")
    return ok("%d VM%s set to use the device" % (len(users), " is" if len(users) == 1 else "s are"))


def running():
    """what runs is what is set"""
    hosts = status.Hosts()
    records = [status.record(machine, reading, hosts) for machine, reading in _users()]
    due = [one for one in records if one["restart"] in ("needed", "advised")]
    if due:
        shown = some(["%s (%s)" % (vm.quoted(one["name"]), one["uuid"]) for one in due])
        return warn("to be restarted: " + shown, "vgpu-stub status VM says why; xe vm-reboot uuid=UUID")
    unseen = [one for one in records if one["restart"] == "unknown"]
    if unseen:
        text = "%d of %d cannot be seen from here" % (len(unseen), len(records))
        return unchecked(text, "vgpu-stub status --all")
    return ok("no VM has to be restarted")


def old_binaries():
    """no VM of this host runs a QEMU that has been replaced on disk"""
    processes = qemu.all_running()
    old = [process for process in processes if process.binary == "replaced"]
    if old:
        # The device matters most: its VMs are what an update of ours is for.
        with_device = [one for one in old if qemu.devices(one.argv)]
        text = "%d of %d still run a replaced QEMU, %d of them with the device; domains: %s" % (
            len(old),
            len(processes),
            len(with_device),
            some([str(one.domid) for one in old]),
        )
        return warn(text, "each VM gets the new one when it is restarted")
    if any(process.binary == "unknown" for process in processes):
        return unchecked("not every QEMU can be looked into", "run it as root")
    return ok("%d QEMU process%s" % (len(processes), "" if len(processes) == 1 else "es"))


def pool():
    """each host that a VM may migrate to has the device"""
    here = status.Hosts().here
    others = [uuid for uuid in xe.records("host") if uuid != here]
    if not others:
        return ok("this host is alone in its pool")
    without, unknown = [], []
    for uuid in others:
        name = vm.quoted(xe.value("host", uuid, "name-label"))
        answer = _packages_of(uuid)
        if answer is None:
            unknown.append(name)
        elif not all(answer):
            without.append(name)
    if without:
        text = "no QEMU of ours or no vgpu-stub-dom0 (on 8.2: vgpu-stub-dom0-patch) on: " + some(without)
        return warn(text, "a VM with the device cannot migrate there, and started there it has none")
    if unknown:
        return unchecked("could not be asked: " + some(unknown), "run vgpu-stub doctor there")
    return ok("%d other host%s" % (len(others), " has" if len(others) == 1 else "s have"))


def _packages_of(host):
    """Whether a host has our QEMU, and whether it has our integration; `None` where nobody can say."""
    try:
        found = json.loads(xe.installed_on(host, (packages.QEMU,) + packages.OURS))
        release = found[packages.QEMU].rpartition(".")[0]
        return packages.SUFFIX.search(release) is not None, any(found[name] for name in packages.OURS)
    except (Failure, ValueError, KeyError, TypeError, AttributeError):
        return None


def log():
    """the ends of the logs hold no failure of this device or of QEMU's start"""
    found, unread, read = logs.failures()
    if found:
        details = ["%s: %s: %s" % (one.trouble.means, one.file, one.line) for one in found]
        shown = "%d kind%s of failure, the last line of each" % (len(found), "" if len(found) == 1 else "s")
        return warn(shown, found[0].trouble.help, details)
    if unread:
        return unchecked("cannot be read: " + some(unread))
    return ok("nothing in the last %d KiB of each" % (read >> 10))


CHECKS = (vms, running, old_binaries, pool, log)
