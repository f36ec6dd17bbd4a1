# SPDX-License-Identifier: GPL-2.0-or-later
"""A mount namespace that looks like a dom0 to what is checked: the product in its installed places,
Xen's libraries and bindings, stubs in the vendor's places, and nothing of the machine to write to.
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
WRAPPER = os.path.join(ROOT, "wrapper")

# Set inside, where the same checks are started a second time.
INSIDE = "VGPU_STUB_NAMESPACE"

MODULES = "/usr/lib/qemu-device"
SHIM = "/usr/libexec/qemu-device/qemu-wrapper"
VENDOR = "/usr/lib64/xen/bin/qemu-wrapper"
EMULATOR = "/usr/lib64/xen/bin/qemu-system-i386"
MEMORY = "/run/qemu-device.known"
PATCHER = "/run/qemu-device-patch"
POLICY = "/etc/qemu-device/policy.conf"
XEN = "/xen"
RECORDS = "/run/record"

# What Debian's Python has its bindings for; any other gets a stub for them.
DEBIAN_PYTHON = "/usr/bin/python3"

python = DEBIAN_PYTHON
qemu = None
# The same QEMU without our devices.
stock = None


def enter(xen, interpreter, emulator, without):
    """Starts this program anew inside; inside, makes it ready."""
    global python, qemu, stock
    python, qemu, stock = os.path.realpath(interpreter), emulator, without
    if python == os.path.realpath(DEBIAN_PYTHON):
        python = DEBIAN_PYTHON
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp(
            "bwrap",
            ["bwrap"]
            + _mounts(os.path.realpath(xen))
            + [DEBIAN_PYTHON, "-B", os.path.join(HERE, "checks")]
            + sys.argv[1:],
        )
    _set_up()


def _mounts(xen):
    words = ["--unshare-pid", "--die-with-parent", "--tmpfs", "/"]
    for name in sorted(os.listdir("/")):
        path = "/" + name
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path) and name not in ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "var"):
            words += ["--ro-bind", path, path]
    words += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--dir",
        "/run/xenstored",
        "--dir",
        "/run/xen",
        "--symlink",
        "/run",
        "/var/run",
    ]
    for path in ("/tmp", "/var/log/xen", RECORDS, "/var/xen", POLICY.rpartition("/")[0]):
        words += ["--dir", path]
    for name in ("passwd", "group", "ld.so.cache", "alternatives"):
        words += ["--ro-bind", "/etc/" + name, "/etc/" + name]
    words += _children("/usr", ("lib", "lib64", "libexec"))
    words += _children("/usr/lib", ("python3",)) + _children("/usr/lib64", ()) + _children("/usr/libexec", ())
    words += _children("/usr/lib/python3", ("dist-packages",)) + _children(_packages(DEBIAN_PYTHON), ("xen",))
    if python != DEBIAN_PYTHON:
        # Its own folder of packages, so that the stub is where a binding would be.
        words += _above(_prefix()) + _children(_packages(python), ("xen",))
    # Last, so that neither lies below what was mounted after it.
    return (
        words
        + ["--ro-bind", xen, XEN, "--ro-bind", ROOT, ROOT]
        + (_above(qemu) if qemu else [])
        + (_above(stock) if stock else [])
    )


def _above(path):
    """A path of the machine, wherever it is."""
    return ["--ro-bind", path, path]


def _prefix():
    return os.path.dirname(os.path.dirname(python))


def _packages(interpreter):
    if interpreter == DEBIAN_PYTHON:
        return "/usr/lib/python3/dist-packages"
    script = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    return subprocess.check_output([interpreter, "-c", script]).decode().strip()


def _children(folder, without):
    """A folder that can be written to, with what the machine has in it."""
    words = ["--tmpfs", folder]
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if name in without or name == "__pycache__":
            continue
        words += ["--symlink", os.readlink(path)] if os.path.islink(path) else ["--ro-bind", path]
        words.append(path)
    return words


def _set_up():
    libraries = XEN + "/usr/lib/x86_64-linux-gnu"
    for name in os.listdir(libraries):
        if ".so." in name:
            os.symlink(os.path.join(libraries, name), "/usr/lib/" + name)
    os.symlink(XEN + "/usr/lib/xen-4.17/lib/python/xen", "/usr/lib/python3/dist-packages/xen")
    if python != DEBIAN_PYTHON:
        os.symlink(HERE + "/stubs/xen", _packages(python) + "/xen")
    for source, target in (("no_xen.c", "/run/no_xen.so"), ("record.c", "/run/recorder")):
        kind = ["-shared", "-fPIC"] if target.endswith(".so") else []
        subprocess.check_call(["gcc", "-O1", "-w", "-o", target] + kind + [HERE + "/stubs/" + source, "-ldl"])
    install()


def install():
    """The product's files where its package puts them, as new."""
    for folder in (MODULES, os.path.dirname(SHIM), os.path.dirname(VENDOR)):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    shutil.copytree(
        WRAPPER + "/qemu_device", MODULES + "/qemu_device", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(HERE + "/devices", MODULES + "/devices")
    shutil.copy(WRAPPER + "/qemu-wrapper", SHIM)
    # Away from the source tree, so that it takes what is installed.
    shutil.copy(WRAPPER + "/qemu-device-patch", PATCHER)
    known("asset-tag", "meter", "vgpu-stub")
    shutil.copy("/run/recorder", VENDOR)
    shutil.copy("/run/recorder", EMULATOR)
    if os.path.exists(POLICY):
        os.unlink(POLICY)
    for name in os.listdir(RECORDS):
        os.unlink(os.path.join(RECORDS, name))
    if python != DEBIAN_PYTHON:
        # As the package for a dom0 with another Python has it.
        name_python(SHIM)


def known(*types):
    """What the stub for QEMU answers to `-device help`, from now on."""
    with open("/run/known-devices", "w", encoding="utf-8") as target:
        target.writelines('name "%s", bus PCI\n' % name for name in types)
    if os.path.exists(MEMORY):
        os.unlink(MEMORY)


def name_python(path):
    """Gives a script the Python under test, with the options that its version knows."""
    with open(path) as source:
        lines = source.read().split("\n")
    options = "-EsB" if "2.7" in python else "-IB"
    lines[0] = "#!" + python + (" " + options if " -" in lines[0] else "")
    with open(path, "w") as target:
        target.write("\n".join(lines))
