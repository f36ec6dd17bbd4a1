"""What a VM's start gains by its settings: shared by the shim and by a patched qemu-wrapper.

It reads the settings from XenStore through its caller's reader, lets `choice` judge them, and returns
what QEMU's command line gains, or refuses. For a VM without a setting it opens nothing but the folder of
contracts, and loads nothing more. What the guest can write, such as `vm-data`, is never read here.
"""

from qemu_device import served

# Where the values are, and what an operator edits so that they change.
_KEY_PATH = "/local/domain/%d/platform/%s"
_VM_PATH = "/local/domain/%d/vm"

_UUID = r"/vm/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\Z"
# How the uuid ends that xenopsd gives a domain until its migration is over: xe knows no such VM.
_OF_A_MIGRATION = ("000000000000", "000000000001")


def _installed():
    # Loaded for a VM with a device alone.
    from qemu_device import emulator

    return emulator.answer()


def arguments(domid, read, say=None, argv=(), policy_file=None, emulator=_installed):
    """What QEMU's command line gains: nothing, or a `-device` and its value for each device.

    `read` takes a path in XenStore and returns bytes, text on Python 2, or `None`; what it raises is
    its caller's. `argv` is what QEMU gets anyway, `emulator` says what it knows. Each line for the log goes
    to `say`. A refusal is a `SystemExit` with one such line.
    """
    say = say or _print
    values = dict((key, read(_KEY_PATH % (domid, key))) for key in served.keys())
    if all(value is None for value in values.values()):
        return []
    from qemu_device import choice, policy

    chosen = choice.choose(values, argv)
    policy_file = policy_file or policy.FILE
    said = policy.read(policy_file)
    for trouble in chosen.troubles:
        line = _trouble(domid, trouble, read, said)
        if said.on_invalid == policy.REFUSE:
            raise SystemExit("qemu-device: domain %d is refused: %s" % (domid, line))
        what = trouble.type or "the device"
        say("qemu-device: domain %d starts without %s, as %s says: %s" % (domid, what, policy_file, line))
    chosen = _without_missing(domid, chosen, said.on_missing == policy.REFUSE, policy_file, say, emulator)
    gained = chosen.arguments()
    if gained:
        # The words that operators of the older guide look for in the log.
        say("Adding device-model-args: " + " ".join(gained))
    return gained


def extend(given, domid, read):
    """For a patched wrapper: adds to the list of QEMU's arguments what the settings ask for."""
    types = served.types()
    for option, value in zip(given, given[1:]):
        if option == "-device" and value.partition(",")[0] in types:
            # The shim was here before: a host may have both, and QEMU takes one device in a slot.
            return
    given.extend(arguments(domid, read, argv=list(given)))


def _without_missing(domid, chosen, refuse, policy_file, say, emulator):
    """What is left once the QEMU is asked; where that cannot be done, it will say so itself."""
    answer = emulator() if chosen.placed else None
    if answer is None:
        return chosen
    missing = [name for name in chosen.types() if name not in answer.devices]
    for name in missing:
        why = (
            "the QEMU of this host, %s, does not have it; install one that has: qemu-device doctor"
            % answer.package
        )
        if refuse:
            line = "qemu-device: domain %d is refused, as %s says: it has %s, and %s"
            raise SystemExit(line % (domid, policy_file, name, why))
        say("qemu-device: domain %d starts without %s: %s" % (domid, name, why))
    return chosen._replace(placed=[one for one in chosen.placed if one.device.contract.type not in missing])


def _trouble(domid, trouble, read, said):
    """Why a setting is not valid, where it stands, and the command that takes it away."""
    parts = [trouble.why] + [said.complaint] * bool(said.complaint)
    paths = " and ".join(_KEY_PATH % (domid, key) for key in trouble.keys)
    parts.append("look at VM.platform, which is in XenStore as " + paths)
    mend = "xe vm-param-remove uuid=%s param-name=platform param-key=%s" % (
        _uuid(domid, read),
        trouble.keys[-1],
    )
    parts.append("mend it with: " + mend)
    return "; ".join(parts)


def _uuid(domid, read):
    """The VM's uuid as `xe` knows it, or a word in its place."""
    try:
        value = read(_VM_PATH % domid) or b""
    except Exception:
        # What is refused stays refused, whatever becomes of this last look.
        value = b""
    import re

    found = re.match(_UUID, value.decode("latin-1") if isinstance(value, bytes) else value)
    if not found or found.group(1).endswith(_OF_A_MIGRATION):
        return "UUID-OF-THE-VM"
    return str(found.group(1))


def _print(line):
    # Through the buffer that holds the wrapper's own lines, so that they stay in order.
    print(line)
