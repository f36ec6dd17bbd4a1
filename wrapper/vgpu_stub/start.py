"""What a VM's start gains by its setting: shared by the shim and by a patched qemu-wrapper.

It reads the setting from XenStore through its caller's reader, lets `setting` judge it, and returns
what QEMU's command line gains, or refuses. It opens nothing but the policy file, and that only for a
setting that is not valid. What the guest can write, such as `vm-data`, is never read here.
"""

import io
import re

from vgpu_stub import setting

# Where the values are, and what an operator edits so that they change.
_KEY_PATH = "/local/domain/%d/platform/%s"
_VM_PATH = "/local/domain/%d/vm"

POLICY = "/etc/vgpu-stub/policy.conf"
REFUSE = "refuse"
START = "start-without-device"

_LONGEST_POLICY = 4096
_UUID = re.compile(r"/vm/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\Z")
# How the uuid ends that xenopsd gives a domain until its migration is over: xe knows no such VM.
_OF_A_MIGRATION = ("000000000000", "000000000001")


def arguments(domid, read, say=None, policy=POLICY):
    """What QEMU's command line gains: nothing, or one `-device` and its value.

    `read` takes a path in XenStore and returns bytes, text on Python 2, or `None`; what it raises is
    its caller's. Each line for the log goes to `say`. A refusal is a `SystemExit` with one such line.
    """
    say = say or _print
    values = dict((key, read(_KEY_PATH % (domid, key))) for key in setting.KEYS)
    try:
        chosen = setting.choose(values)
    except setting.Invalid as error:
        _refuse(domid, values, error, read, say, policy)
        return []
    if chosen is None:
        return []
    gained = chosen.arguments()
    # The words that operators of the older guide look for in the log.
    say("Adding device-model-args: " + " ".join(gained))
    return gained


def extend(given, domid, read):
    """For a patched wrapper: adds to the list of QEMU's arguments what the setting asks for."""
    for option, value in zip(given, given[1:]):
        if option == "-device" and value.partition(",")[0] == setting.DEVICE:
            # The shim was here before: a host may have both, and QEMU takes one device in a slot.
            return
    given.extend(arguments(domid, read))


def _refuse(domid, values, error, read, say, policy):
    """Raises, unless the policy says to start without the device."""
    word, complaint = read_policy(policy)
    there = [key for key in setting.KEYS if values[key] is not None]
    parts = [str(error)] + [complaint] * bool(complaint)
    paths = " and ".join(_KEY_PATH % (domid, key) for key in there)
    parts.append("look at VM.platform, which is in XenStore as " + paths)
    # Of two settings the older spelling goes.
    mend = "xe vm-param-remove uuid=%s param-name=platform param-key=%s" % (_uuid(domid, read), there[-1])
    parts.append("mend it with: " + mend)
    if word == START:
        where = "vgpu-stub: domain %d starts without the device, as %s says: %s"
        say(where % (domid, policy, "; ".join(parts)))
        return
    raise SystemExit("vgpu-stub: domain %d is refused: %s" % (domid, "; ".join(parts)))


def _uuid(domid, read):
    """The VM's uuid as `xe` knows it, or a word in its place."""
    try:
        value = read(_VM_PATH % domid) or b""
    except Exception:
        # What is refused stays refused, whatever becomes of this last look.
        value = b""
    found = _UUID.match(value.decode("latin-1") if isinstance(value, bytes) else value)
    if not found or found.group(1).endswith(_OF_A_MIGRATION):
        return "UUID-OF-THE-VM"
    return str(found.group(1))


def read_policy(path):
    """What to do with a setting that is not valid, and what is wrong with the file that says it.

    Without the file, and wherever it is not understood, a start is refused: the operator's word for
    anything else has to be there and has to be clear.
    """
    try:
        with io.open(path, "rb") as source:
            text = source.read(_LONGEST_POLICY + 1)
    except EnvironmentError as error:
        # The number of ENOENT; the module `errno` would be loaded for this alone.
        return REFUSE, None if error.errno == 2 else "%s cannot be read (error %s)" % (path, error.errno)
    if len(text) > _LONGEST_POLICY:
        return REFUSE, "%s has more than %d bytes" % (path, _LONGEST_POLICY)
    return _parse_policy(path, text.decode("latin-1"))


def _parse_policy(path, text):
    found = None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
        line = line.partition("#")[0].strip(" \t")
        if not line:
            continue
        where = "%s, line %d, " % (path, number + 1)
        name, equals, word = (part.strip(" \t") for part in line.partition("="))
        if name != "on-invalid" or not equals:
            return REFUSE, where + "is not `on-invalid = %s` or `on-invalid = %s`" % (REFUSE, START)
        if word not in (REFUSE, START):
            return REFUSE, where + "has %s, not %s or %s" % (setting.quoted(word), REFUSE, START)
        if found:
            return REFUSE, where + "gives `on-invalid` again"
        found = word
    return found or REFUSE, None


def _print(line):
    # Through the buffer that holds the wrapper's own lines, so that they stay in order.
    print(line)
