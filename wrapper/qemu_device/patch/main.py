"""The command `qemu-device-patch`: what it is asked for, what it says, and its exit codes."""

from __future__ import print_function

import argparse
import difflib
import hashlib
import json
import os
import signal
import sys
import warnings

from qemu_device.patch import block, files
from qemu_device.patch.shape import PYTHON, Refused

# `--check`'s, beside 0 and what argparse itself uses for a wrong usage.
NOT_PATCHED, REFUSED, OTHER_VERSION = 1, 2, 3
FAILED = 1

_EPILOG = """\
exit codes: 0 done, or nothing to do; 1 the result could not be written; 2 wrong usage, or FILE is not
what can be patched. Of --check: 0 patched by this version; 1 not patched, and it can be; 2 it cannot be
patched, or its lines were changed; 3 patched with other lines than this version's; patch it anew.
"""


def main(words=None):
    # What today's Python thinks of a wrapper's style is of no use to whoever patches it.
    warnings.simplefilter("ignore")
    # A reader that has seen enough, such as `head`, is no error of ours.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    given = _arguments(words)
    try:
        if given.survey:
            return _survey(given.path, given.json)
        text, status = files.read(given.path)
        found = block.take_out(text)
        if given.revert:
            return _write(given, text, found.original, status, "reverted")
        patched = block.put_in(found.original)
        if given.check:
            return _check(given.path, text == patched, found.version is not None)
        if given.diff:
            return _diff(given.path, found.original, patched)
        return _write(given, text, patched, status, "patched")
    except Refused as error:
        say("qemu-device-patch: %s: %s" % (given.path, error), sys.stderr)
        return REFUSED
    except files.Failed as error:
        say("qemu-device-patch: %s" % error, sys.stderr)
        return FAILED


def _arguments(words):
    parser = argparse.ArgumentParser(
        prog="qemu-device-patch",
        description="Lets a genuine qemu-wrapper start VMs with the device of their setting; for hosts"
        " where xenopsd cannot be pointed at the shim.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", metavar="FILE", help="a qemu-wrapper; with --survey, a folder of them")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--revert", action="store_true", help="make it the genuine file again, byte for byte")
    what.add_argument("--check", action="store_true", help="only say whether it is patched")
    what.add_argument("--diff", action="store_true", help="only print the difference that a patch makes")
    what.add_argument("--survey", action="store_true", help="try each file of a folder, and write none")
    parser.add_argument("--output", metavar="OUT", help="write this file instead of FILE")
    parser.add_argument("--json", action="store_true", help="print the survey for programs")
    given = parser.parse_args(words)
    if given.output and (given.check or given.diff or given.survey):
        parser.error("--output goes with patching and --revert")
    if given.json and not given.survey:
        parser.error("--json goes with --survey")
    return given


def _write(given, before, after, status, what):
    target = given.output or given.path
    if before == after and not given.output:
        say("%s: nothing to do" % target)
        return 0
    if status.st_nlink > 1 and not given.output:
        # The other names would keep the old text.
        raise Refused("it has %d hard links: make a file of its own of it" % status.st_nlink)
    files.write(target, after, given.path, None if given.output else status)
    say("%s: %s" % (target, what))
    return 0


def _check(path, current, patched):
    if not patched:
        say("%s: not patched, and it can be" % path)
        return NOT_PATCHED
    say("%s: patched, %s" % (path, "current" if current else "with other lines than this version's"))
    return 0 if current else OTHER_VERSION


def _diff(path, original, patched):
    # Bytes as they are: of any encoding, and with the carriage returns of a DOS file.
    before, after = (text.decode("latin-1").splitlines(True) for text in (original, patched))
    name = os.path.basename(path)
    lines = difflib.unified_diff(before, after, "a/" + name, "b/" + name)
    out = getattr(sys.stdout, "buffer", sys.stdout)
    for line in lines:
        end = "" if line.endswith("\n") else "\n\\ No newline at end of file\n"
        out.write((line + end).encode("latin-1"))
    out.flush()
    return 0


def _survey(folder, as_json):
    try:
        names = sorted(os.listdir(folder))
    except EnvironmentError as error:
        raise Refused("it cannot be read: %s" % os.strerror(error.errno))
    rows = [_try(folder, name) for name in names]
    if as_json:
        print(json.dumps({"python": PYTHON, "wrappers": rows}, indent=2, sort_keys=True))
        return 0
    for row in rows:
        print("%-40s  %-40s  %s" % (row["name"], row["blob"] or "-", ": ".join(_words(row))))
    count = len([row for row in rows if row["outcome"] == "patched"])
    print("%d of %d can be patched by %s" % (count, len(rows), PYTHON))
    return 0


def _words(row):
    return [word for word in (row["outcome"], row["reason"]) if word]


def _try(folder, name):
    """One wrapper of a survey: patched in memory, taken back, and compared."""
    row = {"name": ascii_only(name), "blob": None, "outcome": "refused", "reason": None}
    try:
        text, _ = files.read(os.path.join(folder, name))
        row["blob"] = hashlib.sha1(b"blob %s\0" % str(len(text)).encode("ascii") + text).hexdigest()
        found = block.take_out(text)
        patched = block.put_in(found.original)
        again = block.put_in(block.take_out(patched).original)
        if again != patched:
            raise Refused("a second patch makes another file of it")
        row["outcome"] = "patched" if found.version is None else "already patched"
    except Refused as error:
        row["reason"] = str(error)
    return row


def say(line, stream=None):
    print(ascii_only(line), file=stream or sys.stdout)


def ascii_only(text):
    """A file's name, or a line with one, for any terminal and any program."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)
