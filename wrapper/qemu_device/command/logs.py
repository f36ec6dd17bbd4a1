"""What dom0's logs say of starts that failed.

A guest can write lines there that look like QEMU's own, so a line is shown and explained, and nothing
in it is ever acted on. Only the end of a log is read, with the end of the one before it where the log was
rotated a short time ago.
"""

import gzip
import re
from collections import namedtuple

from . import paths, troubles

# How much of each log is looked at.
END = 4 << 20

# A line of a log that a trouble explains, and the domain that it is of.
Found = namedtuple("Found", "file line trouble domain")

# What was read of one log: how many bytes, from which files, and the time of the first line.
Extent = namedtuple("Extent", "bytes files since")

# A line may have any length.
_LOOKED_AT = 2000
_SHOWN = 300

_TIME = re.compile(r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}")


class Look(namedtuple("Look", "reasons consequences extents unread")):
    """The last line of each kind, in the order of its table; what was read, and what could not be."""

    __slots__ = ()

    def details(self):
        """Each consequence with its reason, by the domain; and the reasons that have none."""
        lines, explained = [], set()
        for one in self.consequences:
            lines.append("%s: %s: %s" % (one.trouble.means, one.file, one.line))
            reasons = [reason for reason in self.reasons if one.domain and reason.domain == one.domain]
            for reason in reasons[-1:]:
                explained.add(reason)
                lines.append("  because %s: %s: %s" % (reason.trouble.means, reason.file, reason.line))
            if not reasons:
                lines.append("  why it did is not in what was read of %s" % paths.DAEMON_LOG)
        rest = [one for one in self.reasons if one not in explained]
        return ["%s: %s: %s" % (one.trouble.means, one.file, one.line) for one in rest] + lines

    def shown_extent(self):
        parts = []
        for one in self.extents:
            since = "since %s" % one.since if one.since else "of no known time"
            parts.append("%d KiB of %s %s" % ((one.bytes + 1023) >> 10, " and ".join(one.files), since))
        return "; ".join(parts)


def look():
    extents, unread = [], []
    found = []
    for path, table in ((paths.DAEMON_LOG, troubles.REASONS), (paths.XENSOURCE_LOG, troubles.CONSEQUENCES)):
        last = {}
        try:
            texts = _read(path)
        except (IOError, OSError) as error:
            unread.append("%s (%s)" % (path, error.strerror))
            texts = []
        compiled = troubles.compiled(table)
        for name, text in texts:
            for line in text.split("\n"):
                trouble = _explanation(compiled, line[:_LOOKED_AT])
                if trouble:
                    domain = troubles.domain(line[:_LOOKED_AT])
                    last[(trouble, domain)] = Found(name, line[:_SHOWN], trouble, domain)
        found.append(_newest(last, table))
        if texts:
            read = sum(len(text) for _, text in texts)
            extents.append(Extent(read, [name for name, _ in texts], _since(texts[0][1])))
    return Look(found[0], found[1], extents, unread)


def _newest(last, table):
    """Of many domains with one trouble, a few."""
    found = []
    for trouble in table:
        found += [one for (known, _), one in sorted(last.items(), key=str) if known == trouble][-3:]
    return found


def _read(path):
    """The ends of a log and, where that is short, of the one before it: names and texts, the oldest first."""
    text, cut = paths.tail(path, END)
    texts = [(path, text)]
    left = END - len(text)
    if cut or left <= 0:
        return texts
    for name in (path + ".1", path + ".1.gz"):
        try:
            before = _packed(name, left) if name.endswith(".gz") else paths.tail(name, left)[0]
        except (IOError, OSError, EOFError):
            continue
        return [(name, before)] + texts if before else texts
    return texts


def _packed(path, most):
    """The end of a packed log, which has to be unpacked from its beginning; no more is kept than is wanted."""
    end = b""
    with gzip.open(paths.at(path), "rb") as source:
        # A log is rotated at 100 MiB.
        for _ in range(256):
            more = source.read(1 << 20)
            if not more:
                break
            end = (end + more)[-most:]
    return end.partition(b"\n")[2].decode("latin-1")


def _since(text):
    match = _TIME.match(text[:40])
    return match.group(0) if match else None


def _explanation(compiled, line):
    for pattern, trouble in compiled:
        if pattern.search(line):
            return trouble
    return None
