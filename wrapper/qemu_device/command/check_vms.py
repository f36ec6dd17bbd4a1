"""Checks of `doctor`: the VMs that use the device, what runs, the rest of the pool, and the logs."""

from qemu_device import setting

from . import logs, notice, paths, places, pool as hosts_of_the_pool, qemu, status, vm
from .outcome import fail, ok, some, unchecked, warn

_asked = []


def _users():
    """The VMs that are set, asked for once: each is several calls of xe."""
    if not _asked:
        _asked.append(vm.users())
    return _asked[0]


def vms():
    """the settings of all VMs are valid and in the current spelling"""
    users = _users()
    invalid = ["%s: %s" % (machine.title(), reading.error()) for machine, reading in users if reading.error()]
    if invalid:
        text = "not valid: " + some(invalid)
        return fail(text, "qemu-device attach VM DEVICE writes a valid one, qemu-device detach VM removes it")
    older = [one.title() for one, reading in users if reading.values[setting.GUIDE_KEY] is not None]
    if older:
        return warn("set in the older spelling: " + some(older), "qemu-device attach VM DEVICE renews it")
    return ok("%d VM%s set to have a device" % (len(users), " is" if len(users) == 1 else "s are"))


def unique():
    """no two VMs share a value that is to be unique"""
    shared = [
        "%s=%s of %s: %s" % (name, value, kind, some(titles))
        for kind, name, value, titles in vm.sharing(_users())
    ]
    if shared:
        return warn(
            "shared, as clones are: " + some(shared), "qemu-device attach VM DEVICE gives one of them another"
        )
    return ok("none")


def slots():
    """what xenopsd gives away leaves the devices' slots free"""
    collisions = []
    for machine, reading in _users():
        if reading.error():
            continue
        used = places.taken(machine)
        collisions += [
            "%s of %s by %s" % (one.device.contract.type, machine.title(), used[one.slot])
            for one in reading.chosen.placed
            if one.slot in used
        ]
    if collisions:
        text = "taken from under " + some(collisions)
        return fail(text, "its start is refused; qemu-device attach VM DEVICE gives it a free one")
    return ok("no device's slot is another's")


def running():
    """what runs is what is set"""
    hosts = hosts_of_the_pool.Hosts()
    records = [status.record(machine, reading, hosts) for machine, reading in _users()]
    due = [one for one in records if one["restart"] in ("needed", "advised")]
    if due:
        shown = some(["%s (%s)" % (vm.quoted(one["name"]), one["uuid"]) for one in due])
        return warn("to be restarted: " + shown, "qemu-device status VM says why; xe vm-reboot uuid=UUID")
    unseen = [one for one in records if one["restart"] == "unknown"]
    if unseen:
        text = "%d of %d cannot be seen from here" % (len(unseen), len(records))
        return unchecked(text, "qemu-device status --all")
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
    """each host that a VM may migrate to has the devices"""
    others = [host for host in hosts_of_the_pool.hosts() if not host.here]
    if not others:
        return ok("this host is alone in its pool")
    without = [vm.quoted(host.name) for host in others if host.missing or not (host.ours or host.unknown)]
    if without:
        text = "no QEMU of ours or no qemu-device-dom0 (on 8.2: qemu-device-dom0-patch) on: " + some(without)
        return warn(text, "qemu-device status --pool shows each host, and which VMs cannot migrate there")
    unknown = [vm.quoted(host.name) for host in others if host.unknown]
    if unknown:
        return unchecked("could not be asked: " + some(unknown), "run qemu-device doctor there")
    return ok("%d other host%s" % (len(others), " has" if len(others) == 1 else "s have"))


def told():
    """what the pool was told of this host's QEMU is what is so"""
    here = hosts_of_the_pool.Hosts().here
    if here is None:
        return unchecked("%s does not say which host this is" % paths.INVENTORY)
    if notice.held(here):
        return ok("as it is")
    return warn("the message QEMU_DEVICE_MISSING does not say what is so", "qemu-device notice")


def log():
    """the ends of the logs hold no failed start"""
    found = logs.look()
    kinds = set(one.trouble for one in found.reasons + found.consequences)
    if kinds:
        first = (found.reasons or found.consequences)[0]
        shown = "%d kind%s of failure in %s" % (
            len(kinds),
            "" if len(kinds) == 1 else "s",
            found.shown_extent(),
        )
        return warn(shown, first.trouble.help, found.details())
    if found.unread:
        return unchecked("cannot be read: %s" % some(found.unread))
    return ok("nothing in " + found.shown_extent())


CHECKS = (vms, unique, slots, running, old_binaries, pool, told, log)
