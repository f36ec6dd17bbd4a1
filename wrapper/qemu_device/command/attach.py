"""`attach` and `detach`: what a VM's platform map is to say of a device."""

from qemu_device import contract, setting, slots

from . import notice, places, pool, steps, vm, xe
from .report import Failure, Usage, ask
from .steps import Step

# What mends a saved state, which a QEMU without the device cannot resume.
RESUME = "resume it and shut it down first: xe vm-resume uuid="

_RESTART = "xe vm-reboot uuid="


def attach(given, report):
    """Sets a device for a VM; what is not given stays as it is set, or is the device's default."""
    served = contract.load(given.device)
    wanted = _wanted(given, served)
    machine = _machine(given, report)
    reading = machine.read()
    before = _present(served, reading, report)
    number = _number(given, served, before)
    after = list(before)
    after[number:] = [setting.merge((before + [setting.plain(served)])[number], wanted)] + before[
        number + 1 :
    ]
    after = _settled(machine, reading, after, number, report)
    _refuse_shared(machine, after)
    text = setting.text(after)
    report.values.update(device=served.type, setting=[device.as_dict() for device in after])
    planned = []
    if reading.values[served.type] != text:
        argv = xe.set_platform(machine.uuid, served.type, text)
        planned.append(Step(argv, "set %s for %s to %s" % (served.type, machine.title(), text)))
    # In this order a walk that is cut short leaves both keys, and the shim says so at the next start;
    # the other way round the VM would start without its device.
    planned += _without_guide_key(machine, reading, [served.type])
    pool.warn(served.type, report)
    _carry_out(given, report, machine, planned, "attached: %s %s" % (served.type, text))


def detach(given, report):
    """Takes a device, or each one, away from a VM."""
    machine = _machine(given, report)
    reading = machine.read()
    types = [given.device] if given.device else contract.types()
    planned = off(machine, reading, types)
    if planned and machine.power_state == "suspended":
        message = "%s is suspended: its saved state holds the device that it was started with"
        raise Failure(message % machine.title(), RESUME + machine.uuid)
    _carry_out(given, report, machine, planned, "detached")


def off(machine, reading, types):
    """The steps that take the devices of some types away from a VM."""
    planned = []
    for name in types:
        if reading.values[name] is not None:
            argv = xe.remove_platform(machine.uuid, name)
            planned.append(Step(argv, "remove %s from %s" % (name, machine.title())))
    return planned + _without_guide_key(machine, reading, types)


def _wanted(given, served):
    """The properties of the command line, judged as any setting is."""
    names = [one.name for one in served.properties] + ["addr"]
    wanted = [(name, given.properties[name]) for name in names if given.properties.get(name) is not None]
    try:
        setting.merge(setting.plain(served), wanted)
    except setting.Invalid as invalid:
        raise Usage(str(invalid), "qemu-device attach VM %s --help" % served.type)
    return wanted


def _machine(given, report):
    machine = vm.find(given.vm)
    report.values["vm"] = machine.as_json()
    if not machine.has_qemu() and given.command == "attach":
        message = "%s is of the type %s: no QEMU serves it" % (machine.title(), machine.domain_type)
        raise Usage(message, "the device needs an HVM guest")
    return machine


def _present(served, reading, report):
    """The devices of the type that are set today, whichever key spells them, if they are valid."""
    own = reading.values[served.type]
    if own is None:
        return reading.devices(served.type)
    try:
        return setting.parse(served, own)
    except setting.Invalid as invalid:
        report.note("what was set is not valid and is replaced: %s" % invalid)
        return []


def _number(given, served, before):
    """Which of the VM's devices of this type is meant, from 0 on."""
    number = given.instance or 1
    if number > served.max_per_vm:
        message = "--instance is %d, and a VM has %s %d times at most" % (
            number,
            served.type,
            served.max_per_vm,
        )
        raise Usage(message)
    if number > len(before) + 1:
        raise Usage(
            "--instance is %d, and the VM has %d of them: the next is %d"
            % (number, len(before), len(before) + 1)
        )
    return number - 1


def _settled(machine, reading, after, number, report):
    """The devices of the type, with a slot written down where the type's own one is not to be had, or where
    without that another device of the VM would move."""
    served = after[number].contract
    others = [one for one in reading.chosen.placed if one.device.contract.type != served.type]
    used = dict((one.slot, one.device.contract.type) for one in others)
    used.update(places.taken(machine))
    found = []
    for index, device in enumerate(after):
        slot = served.slot if device.slot is None else device.slot
        if slot in used:
            named = device.slot is not None and index == number
            slot = _free_slot(served, slot, used, named, report)
        used[slot] = served.type
        found.append(slot)
    settled = [one if slot == served.slot else one._replace(slot=slot) for one, slot in zip(after, found)]
    expected = [(one.device, one.slot) for one in others] + list(zip(settled, found))
    # In the order in which the host gives slots away; it keeps that of devices of one type.
    expected.sort(key=lambda pair: pair[0].contract.type)
    if slots.assign([device for device, _ in expected]) != [slot for _, slot in expected]:
        settled = [one._replace(slot=slot) for one, slot in zip(after, found)]
    return settled


def _free_slot(served, wanted, used, named, report):
    """Another slot for a device whose wanted one is taken; one that an operator has just named is refused."""
    taken = "the slot %s is taken by %s" % (contract.slot_name(wanted), used.get(wanted, served.type))
    free = [slot for slot in served.slots if slot not in used]
    if not free:
        holders = ["%s by %s" % (contract.slot_name(slot), used[slot]) for slot in served.slots]
        message = "no slot is free for %s; taken are %s" % (served.type, ", ".join(holders))
        raise Failure(message, "detach one of them")
    if named:
        raise Usage(taken, "free are " + ", ".join(contract.slot_name(slot) for slot in free))
    report.note("%s: %s gets %s" % (taken, served.type, contract.slot_name(max(free))))
    return max(free)


def _refuse_shared(machine, after):
    """Refuses a value that its contract wants unique and another device has."""
    served = after[0].contract
    unique = [one for one in served.properties if one.unique]
    if not unique:
        return
    holders = [
        (other.title(), device)
        for other, reading in vm.users()
        if other.uuid != machine.uuid
        for device in reading.devices(served.type)
    ]
    for device in after:
        for one in unique:
            value = device.values.get(one.name)
            having = [title for title, other in holders if other.values.get(one.name) == value]
            if value is not None and having:
                message = "%s is %s for %s too, and is to be unique" % (one.name, value, having[0])
                raise Failure(message, _free(one, [other.values.get(one.name) for _, other in holders]))
        holders.append((machine.title(), device))


def _free(one, used):
    """What to give in the place of a value that is in use."""
    option = "--" + one.name.replace("_", "-")
    if one.words is None and one.range is None:
        return "%s TEXT gives another one" % option
    if one.words is not None:
        free = [word for word in one.words if word not in used]
    else:
        numbers = set(int(value) for value in used if value is not None)
        least, most = one.range
        # One more than are in use, of which one is free.
        free = [
            str(number)
            for number in range(least, min(most, least + len(numbers)) + 1)
            if number not in numbers
        ]
    return "%s %s is free" % (option, free[0]) if free else "every value of it is in use"


def _without_guide_key(machine, reading, types):
    held = reading.values[setting.GUIDE_KEY]
    if held is None:
        return []
    argv = xe.remove_platform(machine.uuid, setting.GUIDE_KEY)
    try:
        device = setting.parse_guide(contract.load, contract.types(), held)
    except setting.Invalid as invalid:
        found = (machine.title(), setting.GUIDE_KEY, invalid)
        message = "%s has the key %s, which holds something else than a device of ours: %s" % found
        raise Failure(message, "where nobody needs it, remove it: " + steps.programs.shown(argv))
    if device.contract.type not in types:
        return []
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
    notice.renew()
    report.say("%s: %s" % (machine.title(), outcome))
    if machine.runs():
        report.say("it goes on as it was started; the change counts after: " + _RESTART + machine.uuid)
    elif machine.is_started():
        report.say("resumed, it goes on as it was started; the change counts from its next start")
