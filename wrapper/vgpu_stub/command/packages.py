"""What rpm and yum know of the packages on this host."""

import re
from collections import namedtuple

from . import programs
from .report import Failure, said

QEMU = "qemu"
# Either points xenopsd at the shim, or keeps the vendor's wrapper patched; they exclude each other.
DROP_IN, PATCH = OURS = ("vgpu-stub-dom0", "vgpu-stub-dom0-patch")
VENDOR_OF_WRAPPER = "xenopsd"

# What our build of QEMU can be told by.
PROVIDES = "qemu-device(vgpu-stub)"
SUFFIX = re.compile(r"\.vgpu[0-9]+\Z")

_QUERY = "%{NAME} %|EPOCH?{%{EPOCH}}:{0}| %{VERSION} %{RELEASE} %{ARCH}\\n"


class Package(namedtuple("Package", "name epoch version release arch")):
    __slots__ = ()

    def nevra(self):
        """As yum takes it for one exact package."""
        return "%s-%s:%s-%s.%s" % (self.name, self.epoch, self.version, self.release, self.arch)

    def is_ours(self):
        return SUFFIX.search(self.release) is not None

    def newer_than(self, other):
        for mine, its in zip((self.epoch, self.version, self.release), other[1:4]):
            order = compare(mine, its)
            if order:
                return order > 0
        return False


# A difference that `rpm -V` found: its letters (`missing` where the file is), and the file.
Difference = namedtuple("Difference", "letters path")

_DIFFERENCE = re.compile(r"(missing|[A-Z0-9.?]{8,9})\s+(?:([a-z])\s+)?(/.*?)(?: \([A-Z].*\))?\Z")


def installed(name):
    result = programs.run(["rpm", "-q", "--qf", _QUERY, name])
    if result.code:
        if "is not installed" in result.out + result.err:
            return None
        raise Failure("rpm -q %s failed: %s" % (name, _first(result)))
    # The newest is the last, should a transaction have been cut off and left two.
    return Package(*result.out.strip().splitlines()[-1].split())


def ours():
    """The names of our packages that are installed: one, none, or both where rpm was forced."""
    return [name for name in OURS if installed(name)]


def provides(name, capability):
    result = programs.run(["rpm", "-q", "--provides", name])
    return any(line.split()[:1] == [capability] for line in result.out.splitlines())


def differences(name):
    """The files of a package that are no longer what it brought."""
    argv = ["rpm", "-V", "--nodeps", "--noscripts", name]
    result = programs.run(argv, timeout=programs.SLOW)
    matches = [_DIFFERENCE.match(line) for line in result.out.splitlines()]
    if result.code and not any(matches):
        raise Failure("%s failed: %s" % (programs.shown(argv), _first(result)))
    # A configuration file is there to be edited.
    found = [match.group(1, 3) for match in matches if match and match.group(2) != "c"]
    unread = [path for letters, path in found if "?" in letters]
    if unread:
        raise Failure("%s cannot read %s" % (programs.shown(argv), unread[0]), "run it as root")
    return [Difference(letters, path) for letters, path in found]


def altered(differences):
    """Those whose content, mode, owner or link is another one; a date alone says nothing."""
    return [one for one in differences if one.letters == "missing" or set(one.letters) & set("5SMUGLDP")]


def offered(name):
    """What the repositories offer, as (package, repository)."""
    argv = ["yum", "-q", "--showduplicates", "list", "available", name]
    result = programs.run(argv, timeout=programs.SLOW)
    said = result.out + result.err
    if result.code:
        if "No matching" in said:
            return []
        raise Failure("%s failed: %s" % (programs.shown(argv), _first(result)))
    # yum breaks long rows over lines, so words are what to go by.
    words = result.out.split()
    rows = zip(words, words[1:], words[2:])
    return [(_package(name, *row[:2]), row[2]) for row in rows if row[0].startswith(name + ".")]


def _package(name, word, evr):
    epoch, colon, rest = evr.partition(":")
    version, _, release = (rest if colon else evr).partition("-")
    return Package(name, epoch if colon else "0", version, release, word[len(name) + 1 :])


def compare(one, other):
    """The order of two versions as rpm 4.11 has it: negative, 0 or positive."""
    ours, its = _parts(one), _parts(other)
    for mine, theirs in zip(ours, its):
        if mine != theirs:
            return _order(mine, theirs)
    longer, sign = (ours, 1) if len(ours) > len(its) else (its, -1)
    if len(ours) == len(its):
        return 0
    # What follows makes a version newer, but for a tilde.
    return -sign if longer[min(len(ours), len(its))] == "~" else sign


def _parts(version):
    return re.findall(r"[0-9]+|[A-Za-z]+|~", version)


def _order(mine, theirs):
    if "~" in (mine, theirs):
        return -1 if mine == "~" else 1
    if mine.isdigit() != theirs.isdigit():
        return 1 if mine.isdigit() else -1
    if mine.isdigit():
        return (int(mine) > int(theirs)) - (int(mine) < int(theirs))
    return (mine > theirs) - (mine < theirs)


def _first(result):
    return said(result.err + "\n" + result.out, 1) or "exit code %d" % result.code
