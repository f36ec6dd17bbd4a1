"""A VM as the command sees it: which one an operator means, and what it is set to."""

import difflib
from collections import namedtuple

from qemu_device import choice, contract, setting

from . import xe
from .report import Failure, Usage

_FACTS = ("power-state", "dom-id", "resident-on", "is-control-domain", "domain-type")

# VMs that QEMU serves; `unspecified` is what databases of old releases say.
_WITH_QEMU = ("hvm", "unspecified", None)


class Reading(namedtuple("Reading", "values chosen")):
    """The values of the platform keys that this product reads, `None` for one that is not set, and what they
    ask for."""

    __slots__ = ()

    def keys(self):
        return [key for key in sorted(self.values) if self.values[key] is not None]

    def error(self):
        return "; ".join(trouble.why for trouble in self.chosen.troubles) or None

    def options(self):
        """What QEMU's `-device` is to get."""
        return self.chosen.arguments()[1::2]

    def devices(self, name):
        """The valid devices of a type, those that find no slot too."""
        return [device for device in self.chosen.parsed if device.contract.type == name]

    def types(self):
        """The types that it is set to have, and those of settings that are not valid."""
        broken = [trouble.type for trouble in self.chosen.troubles if trouble.type]
        return sorted(set(self.chosen.types() + broken))


class Vm(namedtuple("Vm", "uuid name power_state domid host domain_type is_control_domain")):
    __slots__ = ()

    def title(self):
        # Whole: a message that names a VM has to name just that one.
        return "%s (%s)" % (quoted(self.name), self.uuid)

    def as_json(self):
        return {"uuid": self.uuid, "name": self.name, "power_state": self.power_state}

    def has_qemu(self):
        return self.domain_type in _WITH_QEMU

    def runs(self):
        return self.power_state in ("running", "paused")

    def is_started(self):
        """Whether a start of it is still in force: xapi resumes, and migrates, with the platform map
        that the VM was started with."""
        return self.power_state != "halted"

    def read(self):
        """What the platform map says."""
        values = dict((key, xe.platform(self.uuid, key)) for key in choice.keys())
        return Reading(values, choice.choose(values))


def quoted(name):
    """A whole name; like a setting's quotes, it has none of its own and cannot seem to end early."""
    return "'%s'" % name.replace("\\", "\\x5c").replace("'", "\\x27")


def load(uuid):
    """The VM of a UUID, or `None` where xapi lists none."""
    facts = xe.fields("vm", uuid, _FACTS)
    if facts is None:
        return None
    host = facts["resident-on"] if xe.UUID.match(facts["resident-on"] or "") else None
    domid = int(facts["dom-id"]) if (facts["dom-id"] or "").isdigit() else None
    return Vm(
        uuid,
        xe.value("vm", uuid, "name-label"),
        facts["power-state"],
        domid,
        host,
        facts["domain-type"],
        facts["is-control-domain"] == "true",
    )


def find(word):
    """The one VM that an operator means by a UUID, in capitals too, or a name."""
    if not word:
        raise Usage("the VM's name is empty", "give its UUID")
    uuid = word.lower() if xe.UUID.match(word.lower()) else None
    uuids = [uuid] if uuid and xe.fields("vm", uuid, _FACTS) else xe.by_name("vm", word)
    if len(uuids) > 1:
        shown = ", ".join(uuids[:8]) + (", ..." if len(uuids) > 8 else "")
        raise Usage("%d VMs are called %s: %s" % (len(uuids), quoted(word), shown), "give one's UUID")
    if not uuids:
        raise _unknown(word, uuid)
    vm = load(uuids[0])
    if vm is None:
        raise Failure("the VM %s has gone meanwhile" % uuids[0])
    if vm.is_control_domain:
        raise Usage("%s is a control domain, not a guest" % vm.title())
    return vm


def _unknown(word, uuid):
    for kind in ("snapshot", "template"):
        found = xe.records(kind, uuid=uuid) if uuid else xe.by_name(kind, word)
        if found:
            message = "%s is a %s, which is never started itself" % (quoted(word), kind)
            return Usage(message, "make a VM of it, and attach the device to that")
    near = difflib.get_close_matches(word, xe.names("vm"), 5, 0.6)
    candidates = "; near: " + ", ".join(quoted(name) for name in near) if near else ""
    return Usage("no VM has the UUID or name %s%s" % (quoted(word), candidates), "`xe vm-list` shows all")


def users():
    """Every VM that has one of the platform keys, with what it says, in the order of names."""
    found = []
    for uuid in xe.users(choice.keys()):
        try:
            vm = load(uuid)
            reading = vm.read() if vm and not vm.is_control_domain else None
        except Failure:
            if xe.fields("vm", uuid, _FACTS) is not None:
                raise
            # It went while it was looked at.
            continue
        if reading and reading.keys():
            found.append((vm, reading))
    return sorted(found, key=lambda pair: (pair[0].name, pair[0].uuid))


class Kept(namedtuple("Kept", "kind uuid name power_state values")):
    """A snapshot or a template that holds a setting: a VM that is made of it has the setting too."""

    __slots__ = ()

    def title(self):
        return "the %s %s (%s)" % (self.kind, quoted(self.name), self.uuid)

    def keys(self):
        """Those that spell devices of ours, or that nothing else reads."""
        found = [key for key in sorted(self.values) if self.values[key] is not None]
        return [key for key in found if key != setting.GUIDE_KEY or _is_ours(self.values[key])]


def _is_ours(held):
    try:
        return bool(setting.parse_guide(contract.load, contract.types(), held))
    except setting.Invalid:
        return False


def kept():
    """Every snapshot and template that has one of the platform keys."""
    found = []
    for kind in ("snapshot", "template"):
        for uuid in xe.users(choice.keys(), kind):
            values = dict((key, xe.platform(uuid, key, kind)) for key in choice.keys())
            one = Kept(
                kind,
                uuid,
                xe.value(kind, uuid, "name-label"),
                xe.value(kind, uuid, "power-state"),
                values,
            )
            found += [one] if one.keys() else []
    return found


def sharing(users):
    """Values that contracts want unique and several devices have: (type, property, value, VMs' titles)."""
    holders = {}
    for machine, reading in users:
        for device in reading.chosen.parsed:
            for name in (known.name for known in device.contract.properties if known.unique):
                key = (device.contract.type, name, device.values.get(name))
                holders.setdefault(key, []).append(machine.title())
    return [
        key + (titles,) for key, titles in sorted(holders.items()) if len(titles) > 1 and key[2] is not None
    ]
