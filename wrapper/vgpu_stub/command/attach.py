"""`attach` and `detach`: what a VM's platform map is to say of the device."""

from vgpu_stub import setting

from . import steps, vm, xe
from .report import Failure, Usage, ask
from .steps import Step

# What mends a saved state, which a QEMU without the device cannot resume.
RESUME = "resume it and shut it down first: xe vm-resume uuid="

_RESTART = "xe vm-reboot uuid="


def attach(given, report):
    """Sets the device for a VM; what is not given stays as it is set, or is the device's default."""
    wanted = _wanted(given)
    machine = _machine(given, report)
    reading = machine.read()
    base = _present(reading)
    if reading.error and base is None:
        report.note("what was set is not valid and is replaced: " + reading.error)
    after = (base or setting.DEFAULT)._replace(**wanted)
    report.values["setting"] = dict(after._asdict())
    planned = []
    if reading.values[setting.KEY] != after.value():
        argv = xe.set_platform(machine.uuid, setting.KEY, after.value())
        planned.append(Step(argv, "set the device for %s to %s" % (machine.title(), after.value())))
    # In this order a walk that is cut short leaves both keys, and the shim says so at the next start;
    # the other way round the VM would start without its device.
    planned += _without_guide_key(machine, reading)
    _carry_out(given, report, machine, planned, "attached: " + after.value())


def detach(given, report):
    machine = _machine(given, report)
    reading = machine.read()
    planned = _without_guide_key(machine, reading)
    if reading.values[setting.KEY] is not None:
        argv = xe.remove_platform(machine.uuid, setting.KEY)
        planned.insert(0, Step(argv, "remove the device from %s" % machine.title()))
    if planned and machine.power_state == "suspended":
        message = "%s is suspended: its saved state holds the device that it was started with"
        raise Failure(message % machine.title(), RESUME + machine.uuid)
    _carry_out(given, report, machine, planned, "detached")


def off(machine, reading):
    """The steps that take the device away from a VM, for `rollback`."""
    argv = xe.remove_platform(machine.uuid, setting.KEY)
    ours = reading.values[setting.KEY] is not None
    planned = [Step(argv, "remove the device from %s" % machine.title())] if ours else []
    return planned + _without_guide_key(machine, reading)


def _wanted(given):
    """The properties of the command line, judged as any setting is."""
    asked = [
        (name, getattr(given, name)) for name in setting.Setting._fields if getattr(given, name) is not None
    ]
    if not asked:
        return {}
    for name, text in asked:
        # Each option is one property; a comma would bring another one along.
        if "," in text:
            raise Usage("%s is %s, which is more than one value" % (name, setting.quoted(text)))
    try:
        parsed = setting.parse(setting.KEY, ",".join("%s=%s" % pair for pair in asked))
    except setting.Invalid as invalid:
        raise Usage(str(invalid))
    return dict((name, getattr(parsed, name)) for name, _ in asked)


def _machine(given, report):
    machine = vm.find(given.vm)
    report.values["vm"] = machine.as_json()
    if not machine.has_qemu() and given.command == "attach":
        message = "%s is of the type %s: no QEMU serves it" % (machine.title(), machine.domain_type)
        raise Usage(message, "the device needs an HVM guest")
    return machine


def _present(reading):
    """The setting that counts today, whichever key spells it, if it is valid."""
    if reading.error is None:
        return reading.setting
    try:
        return setting.parse(setting.KEY, reading.values[setting.KEY] or "")
    except setting.Invalid:
        return None


def _without_guide_key(machine, reading):
    held = reading.values[setting.GUIDE_KEY]
    if held is None:
        return []
    argv = xe.remove_platform(machine.uuid, setting.GUIDE_KEY)
    try:
        setting.parse(setting.GUIDE_KEY, held)
    except setting.Invalid as invalid:
        found = (machine.title(), setting.GUIDE_KEY, invalid)
        message = "%s has the key %s, which holds something else than this device: %s" % found
        raise Failure(message, "where nobody needs it, remove it: " + steps.programs.shown(argv))
    return [Step(argv, "remove the older spelling, %s, from %s" % (setting.GUIDE_KEY, machine.title()))]


def _carry_out(given, report, machine, planned, outcome):
    steps.describe(report, planned)
    report.values["restart"] = "needed" if planned and machine.is_started() else "no"
    if not planned:
        report.say("nothing to do: %s is %s" % (machine.title(), outcome))
        return
    if given.dry_run:
        steps.dry(report, planned)
        return
    if machine.is_started():
        what = "%s is %s; the change counts from its next start" % (machine.title(), machine.power_state)
        ask("change its setting?", given.yes, what)
    steps.walk(report, planned)
    report.say("%s: %s" % (machine.title(), outcome))
    if machine.runs():
        report.say("it goes on as it was started; the change counts after: " + _RESTART + machine.uuid)
    elif machine.is_started():
        report.say("resumed, it goes on as it was started; the change counts from its next start")
