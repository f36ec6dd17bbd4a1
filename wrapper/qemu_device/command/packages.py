"""What rpm and yum know of the packages on this host."""

import os
import re
from collections import namedtuple

from qemu_device import contract

from . import paths, programs
from .report import Failure, said

QEMU = "qemu"
# Either points xenopsd at the shim, or keeps the vendor's wrapper patched; they exclude each other.
DROP_IN, PATCH = OURS = ("qemu-device-dom0", "qemu-device-dom0-patch")
VENDOR_OF_WRAPPER = "xenopsd"

_QUERY = "%{NAME} %|EPOCH?{%{EPOCH}}:{0}| %{VERSION} %{RELEASE} %{ARCH}\\n"


class Package(namedtuple("Package", "name epoch version release arch")):
    __slots__ = ()

    def nevra(self):
        """As yum takes it for one exact package."""
        return "%s-%s:%s-%s.%s" % (self.name, self.epoch, self.version, self.release, self.arch)

    def short(self):
        return "%s-%s-%s" % (self.name, self.version, self.release)

    def is_ours(self):
        return is_our_release(self.release)

    def newer_than(self, other):
        for mine, its in zip((self.epoch, self.version, self.release), other[1:4]):
            order = compare(mine, its)
            if order:
                return order > 0
        return False


def is_our_release(release):
    """Whether a release ends as those of the pipeline that made this package: its suffix, of any number."""
    suffix = contract.origin().suffix
    if not suffix:
        return False
    stem = suffix.rstrip("0123456789")
    return re.search(re.escape(stem) + ("[0-9]+" if stem != suffix else "") + r"\Z", release) is not None


def have_devices(name):
    """Whether a package says that it has every device that is served."""
    result = programs.run(["rpm", "-q", "--provides", name])
    found = [line.split()[0] for line in result.out.splitlines() if line.split()]
    return all("qemu-device(%s)" % one in found for one in contract.types())


# A difference that `rpm -V` found: its letters (`missing` where the file is), and the file.
Difference = namedtuple("Difference", "letters path")

_DIFFERENCE = re.compile(r"(missing|[A-Z0-9.?]{8,9})\s+(?:([a-z])\s+)?(/.*?)(?: \([A-Z].*\))?\Z")


def installed(name):
    result = programs.run(["rpm", "-q", "--qf", _QUERY, name])
    if result.code:
        # With a database that cannot be read it says so too.
        if "is not installed" in result.out + result.err and "error:" not in result.err:
            return None
        raise Failure("rpm -q %s failed: %s" % (name, _first(result)))
    # The newest is the last, should a transaction have been cut off and left two.
    rows = [line.split() for line in result.out.splitlines() if len(line.split()) == 5]
    if not rows:
        raise Failure("rpm -q %s says what cannot be understood: %s" % (name, _first(result)))
    return Package(*rows[-1])


def ours():
    """The names of our packages that are installed: one, none, or both where rpm was forced."""
    return [name for name in OURS if installed(name)]


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


def repositories():
    """The names of the repositories that yum knows here, enabled or not."""
    found = []
    for name in sorted(os.listdir(paths.at(paths.REPOSITORIES))):
        if name.endswith(".repo"):
            found += re.findall(r"(?m)^\[([^\]\n]+)\]", paths.read(paths.REPOSITORIES + "/" + name))
    return found


def offered(name, only=None):
    """What the repositories, or only some of them, offer, as (package, repository)."""
    chosen = ["--disablerepo=*", "--enablerepo=" + ",".join(only)] if only else []
    argv = ["yum", "-q"] + chosen + ["--showduplicates", "list", "available", name]
    result = programs.run(argv, timeout=programs.SLOW)
    said = result.out + result.err
    if re.search(r"\[Errno|Could not resolve|Cannot retrieve|failure: ", said):
        # Where repositories may be skipped it goes on, and lists what it has.
        raise Failure("yum did not reach every repository: %s" % _first(result))
    if result.code:
        if "No matching" in said:
            return []
        raise Failure("%s failed: %s" % (programs.shown(argv), _first(result)))
    # yum breaks long rows over lines, so words are what to go by.
    words = result.out.split()
    rows = zip(words, words[1:], words[2:])
    return [(_package(name, *row[:2]), row[2]) for row in rows if row[0].startswith(name + ".")]


def newest(candidates):
    found = None
    for package in candidates:
        found = package if found is None or package.newer_than(found) else found
    return found


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
