"""A VM as the command sees it: which one an operator means, and what it is set to."""

import difflib
from collections import namedtuple

from vgpu_stub import setting

from . import xe
from .report import Failure, Usage, plain

_FACTS = ("power-state", "dom-id", "resident-on", "is-control-domain", "domain-type")

# VMs that QEMU serves; `unspecified` is what databases of old releases say.
_WITH_QEMU = ("hvm", "unspecified", None)

# One of the platform keys that this product reads, what it holds, and what that means.
Reading = namedtuple("Reading", "values setting error")


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
        """What the platform map says; `setting` is `None` where nothing is set or nothing valid is."""
        values = dict((key, xe.platform(self.uuid, key)) for key in setting.KEYS)
        try:
            return Reading(values, setting.choose(values), None)
        except setting.Invalid as invalid:
            return Reading(values, None, str(invalid))


def quoted(name):
    """A whole name; like a setting's quotes, it has none of its own and cannot seem to end early."""
    return "'%s'" % plain(name.replace("\\", "\\x5c").replace("'", "\\x27"))


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
    """The one VM that an operator means by a UUID or a name."""
    if not word:
        raise Usage("the VM's name is empty", "give its UUID")
    uuids = [word] if xe.UUID.match(word) and xe.fields("vm", word, _FACTS) else xe.by_name("vm", word)
    if len(uuids) > 1:
        shown = ", ".join(uuids[:8]) + (", ..." if len(uuids) > 8 else "")
        raise Usage("%d VMs are called %s: %s" % (len(uuids), quoted(word), shown), "give one's UUID")
    if not uuids:
        raise _unknown(word)
    vm = load(uuids[0])
    if vm is None:
        raise Failure("the VM %s has gone meanwhile" % uuids[0])
    if vm.is_control_domain:
        raise Usage("%s is a control domain, not a guest" % vm.title())
    return vm


def _unknown(word):
    for kind in ("snapshot", "template"):
        found = xe.records(kind, uuid=word) if xe.UUID.match(word) else xe.by_name(kind, word)
        if found:
            message = "%s is a %s, which is never started itself" % (quoted(word), kind)
            return Usage(message, "make a VM of it, and attach the device to that")
    near = difflib.get_close_matches(word, xe.names("vm"), 5, 0.6)
    candidates = "; near: " + ", ".join(quoted(name) for name in near) if near else ""
    return Usage("no VM has the UUID or name %s%s" % (quoted(word), candidates), "`xe vm-list` shows all")


def users():
    """Every VM that has one of the platform keys, with what it says, in the order of names."""
    found = []
    for uuid in xe.users(setting.KEYS):
        vm = load(uuid)
        if vm and not vm.is_control_domain:
            reading = vm.read()
            if any(value is not None for value in reading.values.values()):
                found.append((vm, reading))
    return sorted(found, key=lambda pair: (pair[0].name, pair[0].uuid))
