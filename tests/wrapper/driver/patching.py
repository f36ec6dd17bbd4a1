"""What the patcher makes of a wrapper's text and of its file, and what it leaves alone."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile

from vgpu_stub.patch import block, files
from vgpu_stub.patch.shape import Refused

from . import shapes

HERE = os.path.dirname(os.path.realpath(__file__))
WRAPPER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "wrapper")
PATCHER = os.path.join(WRAPPER, "vgpu-stub-patch")

ALL = dict(shapes.SHAPES, **(shapes.OLD_SHAPES if sys.version_info[0] == 2 else {}))


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
        [sys.executable, "-B", PATCHER] + list(words),
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


def variants(text):
    """One wrapper's bytes in the ways that files differ."""
    yield "plain", text.encode("ascii")
    yield "DOS", text.replace("\n", "\r\n").encode("ascii")
    yield "tabs", text.replace("    ", "\t").encode("ascii")
    yield "no last newline", text.rstrip("\n").encode("ascii")
    cookie = b"\n# -*- coding: latin-1 -*-\n# \xe9\n".decode("latin-1")
    yield "cookie", text.replace("\n", cookie, 1).encode("latin-1")
    yield "byte order mark", b"\xef\xbb\xbf# \xc3\xa9\n" + text.encode("ascii")
    yield "mixed endings", text.replace("\n", "\r\n", 7).encode("ascii")


def known_shapes():
    """Each in every form of file: our lines once, as the file's own lines end, and back to the byte."""
    for name, text in sorted(ALL.items()):
        for kind, original in variants(text.format(python="/usr/bin/python3")):
            patched = block.put_in(original)
            assert block.take_out(patched).original == original, (name, kind)
            assert block.put_in(block.take_out(patched).original) == patched, (name, kind)
            assert patched.count(b"# vgpu-stub begin") == 1 and patched.count(b"vgpu_stub_extend(") == 1
            ours = [line for line in patched.split(b"\n") if b"vgpu_stub" in line]
            last = [line for line in original.split(b"\n") if b"Exec: " in line][0]
            assert all(line.endswith(b"\r") == last.endswith(b"\r") for line in ours), (name, kind)
            assert all(line.startswith(b"\t") == last.startswith(b"\t") for line in ours), (name, kind)
            kept = [line for line in patched.split(b"\n") if line in original.split(b"\n")]
            assert len(kept) >= len(original.split(b"\n")), (name, kind)


def unknown_shapes():
    """Each is refused, with what was not found in it."""
    for name, text, said in shapes.REFUSED:
        source = text.replace("{python}", "/usr/bin/python3").encode("ascii")
        try:
            block.put_in(block.take_out(source).original)
        except Refused as error:
            found = str(error)
        else:
            raise AssertionError("patched: " + name)
        assert "\n" not in found and len(found) < 200, (name, found)
        assert found.startswith(said or "it is not Python {}.{}'s syntax".format(*sys.version_info[:2])), (
            name,
            found,
        )


def other_pythons():
    """A wrapper of another Python is refused with that reason, and with what to do."""
    if sys.version_info[0] == 2:
        source = shapes.PLAIN.replace("def xs_read(path)", "def xs_read(path, *, more=1)").encode("ascii")
        versions = (2, 7, 3)
    else:
        source = shapes.OLD_SHAPES["statement, Popen"].encode("ascii")
        versions = sys.version_info[:2] + (2,)
    try:
        block.put_in(source)
    except Refused as error:
        begin = "it is not Python {}.{}'s syntax in line ".format(*versions[:2])
        end = "; where it is a wrapper for Python {}, run this with that Python".format(versions[2])
        assert str(error).startswith(begin) and str(error).endswith(end), error
    else:
        raise AssertionError("patched")


def altered_lines():
    """What is not wholly ours any more is not taken out."""
    patched = block.put_in(shapes.PLAIN.encode("ascii"))
    again = "reinstall the package that brings the file"
    changed = "it was changed after it was patched; " + again
    broken = "the lines of vgpu-stub in it are not whole; " + again
    begin = [line for line in patched.split(b"\n") if b"vgpu-stub begin" in line][0] + b"\n"
    rows = [
        (patched.replace(b"import os", b"import  os"), changed),
        (patched + b"\n", changed),
        (patched.replace(b"    # vgpu-stub end\n", b""), broken),
        (patched.replace(begin, b""), broken),
        (patched.replace(begin, begin * 2), broken),
        (patched.replace(b"version 1,", b"version one,"), broken),
        (patched.replace(begin, begin.replace(b"sha256 ", b"sha256 0")), broken),
        (patched.replace(b"# vgpu-stub end", b"# vgpu-stub  end"), broken),
    ]
    for source, said in rows:
        try:
            block.take_out(source)
        except Refused as error:
            assert str(error) == said, (error, said)
        else:
            raise AssertionError(source)


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
                assert patcher(*words) == (2, "", "vgpu-stub-patch: %s: %s\n" % (name, said)), (
                    name,
                    patcher(*words),
                )
        code, _, errors = patcher(path, "--output", link)
        assert (
            code == 1
            and errors == "vgpu-stub-patch: %s is a symbolic link: name the file that it points to\n" % link
        )
        nowhere = os.path.join(place, "absent", "x")
        code, _, errors = patcher(path, "--output", nowhere)
        assert (
            code == 1
            and errors == "vgpu-stub-patch: %s cannot be written: No such file or directory\n" % nowhere
        )
        assert patcher(path, "--check", "--diff")[0] == 2 and patcher()[0] == 2
        assert read(path) == original and os.path.islink(link)
        assert sorted(os.listdir(place)) == ["large", "link", "pipe", "qemu-wrapper"]


def interrupted_writes():
    """Wherever writing fails, the wrapper stays what it was and nothing lies beside it."""
    original = shapes.PLAIN.encode("ascii")
    for name in ("fsync", "rename", "fchmod", "fstat"):
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


CHECKS = [
    known_shapes,
    unknown_shapes,
    other_pythons,
    altered_lines,
    whole_program,
    refusals_of_files,
    interrupted_writes,
    surveys,
]
