# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappers of our own that have the shapes of the genuine ones' history, and some that have none of them."""

from __future__ import unicode_literals

_HEAD = """\
#!{python}
import os
import subprocess
import sys

import xen.lowlevel.xs as xs

store = xs.xs()


def xs_read(path):
    return store.read("", path)


def main(words):
    out = sys.stdout
    for place in range(len(words)):
        if words[place] == "-xen-domid":
            number = int(words[place + 1])
            break
    program = '/usr/lib64/xen/bin/qemu-system-i386'
    given = ['qemu-dm-%d' % number]
    given.extend(words[2:])
    given += ["-device", "cirrus-vga,addr=2"]
    xs_read("/local/domain/%d/data/hole" % number)

"""

_TAIL = """\

if __name__ == '__main__':
    raise SystemExit(main(sys.argv))
"""

_EXEC = """\
    out.flush()
    os.execve(program, given, os.environ)
"""

_POPEN = """\
    out.flush()
    child = subprocess.Popen(given, executable=program, env=os.environ)
    return child.wait()
"""

_PRINTED = '    print("Exec: %s %s" % (program, " ".join(given)))\n'
_STATEMENT = '    print "Exec: %s %s" % (program, " ".join(given))\n'
_WRITTEN = '    out.write("Exec: %s %s\\n" % (program, " ".join(given)))\n'
# What no Python 3 parses, somewhere else in the file.
_OLD = """\
    try:
        pass
    except IOError, error:
        print "Warning: %s" % error
"""

# By what they do: print or write, Popen or execve; the ones for Python 2 alone.
SHAPES = {
    "printed, Popen": _HEAD + _PRINTED + _POPEN + _TAIL,
    "printed, execve": _HEAD + _PRINTED + _EXEC + _TAIL,
    "written, execve": _HEAD + _WRITTEN + _EXEC + _TAIL,
    "written, Popen": _HEAD + _WRITTEN + _POPEN + _TAIL,
}
OLD_SHAPES = {
    "statement, Popen": _HEAD + _STATEMENT + _POPEN + _TAIL,
    "written, old syntax, execve": _HEAD + _WRITTEN + _OLD + _EXEC + _TAIL,
}
PLAIN = SHAPES["printed, Popen"]


def edited(*changes):
    """The plain one with pieces replaced, each of which has to be in it once."""
    text = PLAIN
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


_NO_EXEC = 'its line that prints `Exec:` does not print `"Exec: %s %s" % (PROGRAM, " ".join(ARGUMENTS))`'
_NO_START = "it has no call of Popen or execve in `main` with the printed variables `program` and `given`"
_USED = "it uses `{}` after it has printed `Exec:`, not to start QEMU alone"
_BY_HAND = "it reads {} already: take the edit that was made by hand back first,"
_BY_HAND += " or reinstall the package that brings the file"
_OTHER_START = "it has another call that starts a program with `program` or `given`"
_MAIN_TWICE = "it gives the name `main` to something else too"
_NO_READER = "it has no function that does nothing but read a path of XenStore"
_NO_NUMBER = "variable in `main` for the number in paths that begin with /local/domain/%d"

REFUSED = [
    ("nothing", "", "it has no function `main` at the top level"),
    ("main elsewhere", edited(("def main(", "def start(")), "it has no function `main` at the top level"),
    (
        "two mains",
        PLAIN + "\n\ndef main(words):\n    pass\n",
        "it has 2 times a function `main` at the top level",
    ),
    ("no Exec", edited(('"Exec: ', '"Run: ')), "it has no line that prints `Exec:`"),
    ("two Execs", edited((_PRINTED, _PRINTED * 2)), "it has 2 times a line that prints `Exec:`"),
    (
        "Exec elsewhere",
        edited(("    return store.read", "    print('Exec: %s %s')\n    return store.read"), (_PRINTED, "")),
        "it has no line that prints `Exec:` in `main`",
    ),
    ("another Exec", edited(('"Exec: %s %s" %', '"Exec: %s on %s" %')), _NO_EXEC),
    ("Exec of more", edited(('(program, " ".join(given))', '(program, " ".join(given + [1]))')), _NO_EXEC),
    ("Exec by commas", edited(('" ".join(given)', '", ".join(given)')), _NO_EXEC),
    ("Exec kept", edited(("    print(", "    line = str(")), _NO_EXEC),
    ("Exec in a block", edited(("    print(", "    if 1:\n        print(")), _NO_EXEC),
    ("main decorated", edited(("def main(", "@staticmethod\ndef main(")), "its function `main` is decorated"),
    ("main anew", edited((_TAIL, "\nmain = lambda words: 0\n" + _TAIL)), _MAIN_TWICE),
    ("main imported", edited((_TAIL, "\nfrom os import system as main\n" + _TAIL)), _MAIN_TWICE),
    (
        "main anew, elsewhere",
        edited((_PRINTED, "    global main\n    main = words\n" + _PRINTED)),
        _MAIN_TWICE,
    ),
    (
        "another one run",
        edited(("SystemExit(main(", "SystemExit(start(")),
        "it has no call of `main` at the top level",
    ),
    (
        "a program before main",
        edited(("    raise SystemExit", "    os.system('true')\n    raise SystemExit")),
        "it starts a program outside of its functions",
    ),
    (
        "another road before",
        edited(
            (_PRINTED, "    if words:\n        os.execv('/bin/run', ['run', program] + given)\n" + _PRINTED)
        ),
        _OTHER_START,
    ),
    (
        "a call before",
        edited(
            (
                _PRINTED,
                "    if words:\n        return subprocess.call(given, executable=program)\n" + _PRINTED,
            )
        ),
        _OTHER_START,
    ),
    (
        "spawned before",
        edited((_PRINTED, "    if words:\n        return os.spawnv(os.P_WAIT, program, given)\n" + _PRINTED)),
        _OTHER_START,
    ),
    ("Popen of others", edited(("Popen(given,", "Popen(words,")), _OTHER_START),
    ("Popen of another program", edited(("executable=program", "executable=words")), _OTHER_START),
    (
        "Popen elsewhere",
        edited(
            (
                "    child = subprocess.Popen(given, executable=program, env=os.environ)\n"
                "    return child.wait()\n",
                "    return start(program, given)\n",
            )
        ),
        _NO_START,
    ),
    (
        "started twice",
        edited((_POPEN, _POPEN + _EXEC)),
        "it has 2 times a call of Popen or execve in `main` with the printed variables `program` and `given`",
    ),
    (
        "started before",
        edited((_PRINTED + _POPEN, _EXEC + _PRINTED)),
        "it starts QEMU before it prints `Exec:`",
    ),
    (
        "started within",
        edited(
            (_POPEN, "    def start():\n        subprocess.Popen(given, executable=program)\n\n    start()\n")
        ),
        "it starts QEMU in a function within `main`",
    ),
    ("changed after", edited(("    out.flush()\n", "    given += words\n")), _USED.format("given")),
    ("changed in its line", edited((_PRINTED, _PRINTED[:-1] + "; given.pop()\n")), _USED.format("given")),
    ("an item changed", edited(("    out.flush()\n", "    given[0] = 'x'\n")), _USED.format("given")),
    ("a slice deleted", edited(("    out.flush()\n", "    del given[2:]\n")), _USED.format("given")),
    ("extended after", edited(("    out.flush()\n", "    given.append('-S')\n")), _USED.format("given")),
    ("known by another name", edited(("    out.flush()\n", "    same = given\n")), _USED.format("given")),
    (
        "another program",
        edited(("    out.flush()\n", "    program += '.old'\n")),
        _USED.format("program"),
    ),
    (
        "imported over",
        edited(("    out.flush()\n", "    import os.path as program\n")),
        _USED.format("program"),
    ),
    ("used in the call", edited(("env=os.environ", "env=given.pop()")), _USED.format("given")),
    (
        "changed within",
        edited(
            (_PRINTED, "    fix = lambda: given.pop()\n" + _PRINTED), ("    out.flush()\n", "    fix()\n")
        ),
        _USED.format("given"),
    ),
    ("reads in a transaction", edited(('store.read("", path)', 'store.read("1", path)')), _NO_READER),
    ("reads by a name", edited(('store.read("", path)', "store.read(store, path)")), _NO_READER),
    (
        "no reader",
        edited(('return store.read("", path)', 'value = store.read("", path)\n    return value')),
        _NO_READER,
    ),
    (
        "no number",
        edited(('    xs_read("/local/domain/%d/data/hole" % number)\n', "")),
        "it has no " + _NO_NUMBER,
    ),
    (
        "two numbers",
        edited(
            (
                'data/hole" % number)\n',
                'data/hole" % number)\n' '    xs_read("/local/domain/%d/x" % (place,))\n',
            )
        ),
        "it has 2 times a " + _NO_NUMBER,
    ),
    (
        "by hand",
        edited(
            (_PRINTED, '    xs_read("/local/domain/%d/platform/device-model-args" % number)\n' + _PRINTED)
        ),
        _BY_HAND.format("device-model-args"),
    ),
    ("by hand, ours", edited((_PRINTED, "    key = 'vgpu-stub'\n" + _PRINTED)), _BY_HAND.format("vgpu-stub")),
    (
        "our names",
        edited((_PRINTED, "    qemu_device_key = 1\n" + _PRINTED)),
        "it has a name of its own with `qemu_device` in it",
    ),
    (
        "shared line",
        edited((_PRINTED, "    out.flush();" + _PRINTED)),
        "its line that prints `Exec:` shares the line with another statement",
    ),
    (
        "shared lines",
        edited((_PRINTED, "    out.flush(); \\\n  " + _PRINTED.lstrip())),
        "what would come out does not compile",
    ),
    ("line endings", PLAIN.replace("\n", "\r"), "it has line endings that are neither Unix's nor DOS's"),
    ("a NUL", PLAIN + "\0", None),
    ("no Python", "#!/bin/sh\nif true; then\n", None),
    ("ever deeper", "x = " + "(" * 100000, None),
]
