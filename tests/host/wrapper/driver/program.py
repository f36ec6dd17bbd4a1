# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command `qemu-device-patch` does to files, and what it says."""

import atexit
import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile

from qemu_device.patch import block, files

from . import shapes

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
WRAPPER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "wrapper")


_laid_out = []


def program():
    """The program with its modules and the devices' data, as the pipeline lays them out.

    It is laid out when it is first asked for: a process that becomes another one (`execv`) runs no `atexit`.
    """
    if not _laid_out:
        _laid_out.append(_lay_out())
    return _laid_out[0]


def _lay_out():
    path = tempfile.mkdtemp(prefix="vgpu-patcher-")
    atexit.register(shutil.rmtree, path)
    shutil.copytree(
        WRAPPER + "/qemu_device", path + "/qemu_device", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(HERE + "/devices", path + "/devices")
    shutil.copy(WRAPPER + "/qemu-device-patch", path)
    return path + "/qemu-device-patch"


@contextlib.contextmanager
def folder():
    path = os.path.realpath(tempfile.mkdtemp(prefix="vgpu-patch-"))
    try:
        yield path
    finally:
        subprocess.call(["chmod", "-R", "u+w", path])
        shutil.rmtree(path)


def patcher(*words):
    """The exit code of the program itself, and what it said on either output."""
    process = subprocess.Popen(
        [sys.executable, "-B", program()] + list(words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    output, errors = process.communicate()
    return process.returncode, output.decode("utf-8"), errors.decode("utf-8")


def write(path, text):
    with open(path, "wb") as target:
        target.write(text)
    return path


def read(path):
    with open(path, "rb") as source:
        return source.read()


def whole_program():
    """The command: patch, patch again, check, diff, revert; mode, owner and exit codes."""
    original = shapes.PLAIN.format(python="/usr/bin/python3").encode("ascii")
    with folder() as place:
        path = write(os.path.join(place, "qemu-wrapper"), original)
        os.chmod(path, 0o2751)
        if os.getuid() == 0:
            os.chown(path, 12, 34)
            os.chmod(path, 0o2751)
        before = os.stat(path)
        assert patcher("--check", path) == (1, path + ": not patched, and it can be\n", "")
        code, diff, errors = patcher("--diff", path)
        assert code == 0 and not errors and read(path) == original
        assert patcher(path) == (0, path + ": patched\n", "")
        patched = read(path)
        once = os.stat(path)
        assert [once.st_mode, once.st_uid, once.st_gid] == [before.st_mode, before.st_uid, before.st_gid]
        assert patcher(path) == (0, path + ": nothing to do\n", "")
        assert read(path) == patched and os.stat(path).st_ino == once.st_ino
        assert patcher("--check", path) == (0, path + ": patched, current\n", "")
        assert patcher("--diff", path)[1] == diff
        copy = os.path.join(place, "copy")
        assert patcher("--revert", path, "--output", copy) == (0, copy + ": reverted\n", "")
        assert read(copy) == original and read(path) == patched
        assert patcher("--revert", path) == (0, path + ": reverted\n", "") and read(path) == original
        assert patcher("--revert", path) == (0, path + ": nothing to do\n", "")
        assert patcher(path, "--output", copy) == (0, copy + ": patched\n", "") and read(copy) == patched
        assert sorted(os.listdir(place)) == ["copy", "qemu-wrapper"], os.listdir(place)
        # What `--diff` prints can be applied.
        write(os.path.join(place, "diff"), diff.encode("ascii"))
        subprocess.check_call(["git", "apply", "diff"], cwd=place)
        assert read(path) == patched
        older = patched.replace(b"begin, version 1,", b"begin, version 0,").replace(
            b"import sys as", b"import sys  as"
        )
        write(path, older)
        assert patcher("--check", path) == (3, path + ": patched, with other lines than this version's\n", "")
        assert patcher(path) == (0, path + ": patched\n", "") and read(path) == patched


def refusals_of_files():
    """Links, folders and what is not there: one line, exit code 2, and nothing is written."""
    original = shapes.PLAIN.encode("ascii")
    with folder() as place:
        path = write(os.path.join(place, "qemu-wrapper"), original)
        link = os.path.join(place, "link")
        os.symlink(path, link)
        pipe = os.path.join(place, "pipe")
        os.mkfifo(pipe)
        large = write(os.path.join(place, "large"), b"#" * (files.LARGEST + 1))
        rows = [
            (link, "it is a symbolic link to %s: name that file" % path),
            (place, "it is no regular file"),
            (pipe, "it is no regular file"),
            (large, "it has more than 1048576 bytes, and no qemu-wrapper has"),
            (os.path.join(place, "absent"), "it cannot be read: No such file or directory"),
        ]
        for name, said in rows:
            for words in ([name], ["--check", name], ["--revert", name], ["--diff", name]):
                assert patcher(*words) == (2, "", "qemu-device-patch: %s: %s\n" % (name, said)), (
                    name,
                    patcher(*words),
                )
        code, _, errors = patcher(path, "--output", link)
        assert (
            code == 1
            and errors == "qemu-device-patch: %s is a symbolic link: name the file that it points to\n" % link
        )
        code, _, errors = patcher(path, "--output", pipe)
        assert code == 1 and errors == "qemu-device-patch: %s is no regular file\n" % pipe, errors
        nowhere = os.path.join(place, "absent", "x")
        code, _, errors = patcher(path, "--output", nowhere)
        assert (
            code == 1
            and errors == "qemu-device-patch: %s cannot be written: No such file or directory\n" % nowhere
        )
        assert patcher(path, "--check", "--diff")[0] == 2 and patcher()[0] == 2
        assert read(path) == original and os.path.islink(link)
        assert sorted(os.listdir(place)) == ["large", "link", "pipe", "qemu-wrapper"]
        other = os.path.join(place, "other")
        os.link(path, other)
        said = "qemu-device-patch: %s: it has 2 hard links: make a file of its own of it\n" % path
        assert patcher(path) == (2, "", said), patcher(path)
        assert read(path) == read(other) == original
        # What changes nothing, or another file, may be done with it.
        copy = os.path.join(place, "copy")
        assert patcher("--check", path)[0] == 1 and patcher(path, "--output", copy)[0] == 0
        os.unlink(other)
        assert patcher(path)[0] == 0 and read(path) == read(copy)


def interrupted_writes():
    """Wherever writing fails, the wrapper stays what it was and nothing lies beside it."""
    original = shapes.PLAIN.encode("ascii")
    for name in ("open", "fsync", "rename", "fchmod", "fstat"):
        with folder() as place:
            path = write(os.path.join(place, "qemu-wrapper"), original)
            status = os.stat(path)
            kept = getattr(os, name)

            def fails(*_):
                raise OSError(28, "no room")

            setattr(os, name, fails)
            try:
                files.write(path, b"new", path, status)
            except files.Failed as error:
                assert str(error) == path + " cannot be written: No space left on device", error
            else:
                raise AssertionError(name)
            finally:
                setattr(os, name, kept)
            assert read(path) == original and os.listdir(place) == ["qemu-wrapper"], name
    with folder() as place:
        path = write(os.path.join(place, "qemu-wrapper"), original)
        status = os.stat(path)
        # An update of the package, between reading and writing.
        os.rename(write(os.path.join(place, "other"), b"other"), path)
        try:
            files.write(path, b"new", path, status)
        except files.Failed as error:
            assert (
                str(error) == path + " was changed by somebody else meanwhile: look at it, and try again"
            ), error
        else:
            raise AssertionError("overwritten")
        assert read(path) == b"other" and os.listdir(place) == ["qemu-wrapper"]
        assert stat.S_ISREG(os.lstat(path).st_mode)


def odd_names():
    """A name of any bytes, in any locale: the file is patched, and what is said is plain."""
    original = shapes.PLAIN.encode("ascii")
    with folder() as place:
        path = os.path.join(place.encode("ascii"), b"\xff\xc3\xa9\x1b[1m")
        for locale in ({}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}):
            write(path, original)
            for words, said in (
                ([], b"patched"),
                (["--check"], b"patched, current"),
                (["--revert"], b"reverted"),
            ):
                process = subprocess.Popen(
                    [sys.executable, "-B", program(), path] + words,
                    stdout=subprocess.PIPE,
                    env=dict(locale, PATH="/usr/bin"),
                )
                output = process.communicate()[0]
                assert process.returncode == 0 and output.endswith(b": " + said + b"\n"), output
                assert all(32 <= byte < 127 for byte in bytearray(output.rstrip(b"\n"))), output
            assert read(path) == original
        assert patcher("--survey", place, "--json")[0] == 0


def surveys():
    """A folder of wrappers as a table and for programs; nothing in it is written."""
    with folder() as place:
        names = ["good", "none", "patched"]
        original = shapes.PLAIN.encode("ascii")
        for name, text in zip(names, [original, b"print(1)\n", block.put_in(original)]):
            write(os.path.join(place, name), text)
        os.mkdir(os.path.join(place, "a\x1bfolder"))
        before = [read(os.path.join(place, name)) for name in names]
        code, table, errors = patcher("--survey", place)
        lines = table.splitlines()
        assert code == 0 and not errors and len(lines) == 5, (table, errors)
        assert [line.split()[-1] for line in lines[1:2]] == ["patched"] and lines[3].endswith(
            "already patched"
        ), table
        assert lines[0].startswith("a?folder ") and lines[0].endswith("refused: it is no regular file"), table
        assert lines[2].endswith("refused: it has no function `main` at the top level"), table
        assert lines[4].startswith("1 of 4 can be patched by Python "), table
        blob = (
            subprocess.check_output(["git", "hash-object", os.path.join(place, "good")])
            .decode("ascii")
            .strip()
        )
        code, text, errors = patcher("--survey", place, "--json")
        assert code == 0 and '"blob": "%s"' % blob in text and not errors, text
        assert [read(os.path.join(place, name)) for name in names] == before


CHECKS = [whole_program, refusals_of_files, interrupted_writes, odd_names, surveys]
