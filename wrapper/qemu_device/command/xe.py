"""Speaks with xapi through `xe`.

Two habits of xe shape this module. It sends its arguments to xapi joined by newlines, so an argument
that holds one would become two: nothing but checked UUIDs, words of ours and names without a newline
are ever passed. And its listings mix names with their separators, so what others wrote is fetched one
value at a time; of listings only fields are parsed whose values xapi itself chooses.
"""

import re

from . import programs
from .report import Failure, Usage, said

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

_FIELD = re.compile(r"\s*([A-Za-z-]+) \([A-Z ]{3}\)(?: \[DEPRECATED\])?\s*: (.*)")

_MISSING_KEY = "not found in map"

# What xe says, and what it means on a host.
_HELP = (
    ("Connection refused", "xapi does not run: `systemctl status xapi`, `xe-toolstack-restart`"),
    ("No such file or directory", "xapi does not run: `systemctl status xapi`, `xe-toolstack-restart`"),
    ("Permission denied", "run it as root"),
    ("still initialising", "xapi has just been started; try again in a minute"),
    ("Lost connection", "xapi was restarted meanwhile; run it again"),
    ("emergency mode", "this host has lost its pool's coordinator: bring that back first"),
    ("coordinator", "this host's pool has to reach its coordinator: `xe host-is-in-emergency-mode`"),
    ("master", "this host's pool has to reach its master: `xe host-is-in-emergency-mode`"),
)


def records(kind, **filters):
    """The UUIDs of all objects of a kind (`vm` leaves templates and snapshots out)."""
    return [uuid for uuid in values_of(kind, "uuid", **filters) if UUID.match(uuid)]


def by_name(kind, name):
    if "\n" in name or "\r" in name:
        raise Usage("a name with a line break in it cannot be looked up", "give the VM's UUID")
    return records(kind, name_label=name)


def names(kind):
    """All names, for a suggestion alone: a name with a line break comes out in pieces."""
    answer = _ask([kind + "-list", "--minimal", "params=name-label"])
    parts = re.findall(r"(?:\\.|[^,\\])+", answer.rstrip("\n"))
    return [re.sub(r"\\(.)", r"\1", part) for part in parts]


def fields(kind, uuid, wanted):
    """Fields of an object whose values are xapi's own words; `None` where there is no such object."""
    answer = _ask([kind + "-list", "uuid=" + uuid, "params=" + ",".join(wanted)])
    matches = [_FIELD.match(line) for line in answer.splitlines()]
    found = dict(match.groups() for match in matches if match)
    return dict((name, found.get(name)) for name in wanted) if found else None


def value(kind, uuid, name):
    """A field's value, exactly. `kind` is one that has a `param-get` of its own."""
    return _one_line_less(_ask([kind + "-param-get", "uuid=" + uuid, "param-name=" + name]))


def values_of(kind, field, **filters):
    """A field of all objects of a kind; only for fields whose values xapi itself chooses."""
    conditions = ["%s=%s" % (name.replace("_", "-"), value) for name, value in sorted(filters.items())]
    answer = _ask([kind + "-list", "--minimal", "params=" + field] + conditions).strip()
    return answer.split(",") if answer else []


def value_of(kind, uuid, field):
    """A field of an object that has no `param-get`, as messages; one of ours, in one line of ASCII."""
    answer = _ask([kind + "-list", "--minimal", "params=" + field, "uuid=" + uuid])
    return _one_line_less(re.sub(r"\\(.)", r"\1", answer))


def change(argv):
    _ask(argv)


def platform(uuid, key, kind="vm"):
    """A value of a VM's platform map, or `None`."""
    return map_value(uuid, "platform", key, kind)


def map_value(uuid, name, key, kind="vm"):
    """A value of a map of a VM, or `None`."""
    argv = [kind + "-param-get", "uuid=" + uuid, "param-name=" + name, "param-key=" + key]
    result = programs.run(["xe"] + argv)
    if result.code and _MISSING_KEY in result.err:
        return None
    return _one_line_less(_checked(argv, result))


def users(keys, kind="vm"):
    """The UUIDs of VMs, snapshots or templates that may have one of the keys in their platform map, from two
    calls.

    Platform values may hold anything, line breaks too, so the long listing is only trusted where it
    has a record for each UUID; otherwise every one of them is looked at.
    """
    known = records(kind)
    answer = _ask([kind + "-list", "params=uuid,platform"])
    parts = re.split(r"(?m)^uuid \( RO\)\s*: ", answer)[1:]
    if sorted(part[:36] for part in parts) != sorted(known):
        return known
    return [part[:36] for part in parts if any(key + ": " in part for key in keys)]


def set_platform(uuid, key, text):
    return ["xe", "vm-param-set", "uuid=" + uuid, "platform:%s=%s" % (key, text)]


def remove_platform(uuid, key, kind="vm"):
    return ["xe", kind + "-param-remove", "uuid=" + uuid, "param-name=platform", "param-key=" + key]


def installed_on(host, packages):
    """The packages of another host as XCP-ng's own plugin answers: JSON text."""
    argv = ["host-call-plugin", "host-uuid=" + host, "plugin=updater.py", "fn=query_installed"]
    return _ask(argv + ["args:packages=" + ",".join(packages)])


def _ask(argv):
    return _checked(argv, programs.run(["xe"] + argv))


def _checked(argv, result):
    if result.code:
        helps = [help for words, help in _HELP if words in result.err]
        message = "xe %s failed: %s" % (argv[0], said(result.err) or "exit code %d" % result.code)
        raise Failure(message, helps[0] if helps else "`xe vm-list` shows whether xapi answers")
    return result.out


def _one_line_less(answer):
    return answer[:-1] if answer.endswith("\n") else answer
