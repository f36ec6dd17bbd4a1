# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor`: each of its checks is seen to pass and to find what it is for."""

import json
import os
import subprocess
import time

from .host import OTHER_HOST, OURS, VM, contains

FRAGMENT = "etc/xenopsd.conf.d/qemu-device.conf"


def check(host, name):
    """One check's outcome; the exit code is 1 just where some check failed."""
    done = subprocess.run(
        host.argv(["doctor", "--json"], only=name), stdout=subprocess.PIPE, timeout=120, check=False
    )
    answer = json.loads(done.stdout)
    failed = answer["counts"]["fail"] > 0
    assert done.returncode == int(failed) and answer["ok"] is not failed, answer
    found = next(one for one in answer["checks"] if one["name"] == name)
    assert found["help"] or found["state"] in ("ok", "not checked"), found
    return found


def expect(host, name, state, *parts):
    found = check(host, name)
    assert found["state"] == state, found
    contains(" ".join([found["text"], found["help"] or ""] + found["details"]), *parts)


def healthy(host):
    """on a host as our packages make it, every check is ok and the exit code is 0"""
    answer = host.json("doctor")
    states = {one["name"]: one["state"] for one in answer["checks"]}
    assert set(states.values()) == {"ok"}, answer
    assert answer["counts"] == {"ok": len(states), "warn": 0, "fail": 0, "not checked": 0}
    assert len(states) == 22, states
    contains(host("doctor").out, "22 ok, 0 warn, 0 fail, 0 not checked")


def qemu_checks(host):
    """QEMU missing, altered, stock, built by hand or of another version is found"""
    rpm = host.load("rpm")
    binary = "/usr/lib64/xen/bin/qemu-system-i386"

    def package(**values):
        rpm["installed"]["qemu"] = dict(OURS, **values)
        host.save("rpm", rpm)

    package(altered=[".......T.    " + binary])
    expect(host, "qemu-intact", "ok")
    package(altered=["S.5....T.    " + binary])
    expect(host, "qemu-intact", "fail", binary, "S.5....T.")
    package(altered=["..?......    " + binary])
    expect(host, "qemu-intact", "not checked", "cannot read", "run it as root")
    package(altered=["missing     " + binary])
    expect(host, "qemu-intact", "fail", "missing")
    package(provides=["qemu"], release="5.2.15.2.xcpng8.3")
    expect(host, "qemu-is-ours", "warn", "a build by hand")
    host.install_qemu(stock=True)
    package(provides=["qemu"], release="5.2.15.3.xcpng8.3")
    # The day on which an update replaced ours: it went through, and this is where it is told.
    expect(host, "qemu-is-ours", "fail", "5.2.15.3.xcpng8.3", "an update has replaced ours")
    expect(host, "qemu-device", "fail", "does not list asset-tag, meter, vgpu-stub")
    expect(host, "qemu-properties", "fail")
    host.path(binary[1:]).unlink()
    expect(host, "qemu-binary", "fail", "missing")
    expect(host, "qemu-device", "not checked", "not on this host")
    host.write(
        binary[1:], "#!/bin/sh\necho 'error while loading shared libraries: libx.so.9' >&2\nexit 127\n"
    )
    expect(host, "qemu-binary", "fail", "not executable")
    host.path(binary[1:]).chmod(0o755)
    expect(host, "qemu-device", "not checked", "libx.so.9")
    del rpm["installed"]["qemu"]
    host.save("rpm", rpm)
    expect(host, "qemu-intact", "fail", "not installed")


def vendor_wrapper_checks(host):
    """the vendor's wrapper edited by hand, patched, altered or missing is told apart"""
    path = "usr/lib64/xen/bin/qemu-wrapper"
    rpm = host.load("rpm")
    rpm["installed"]["xenopsd"]["altered"] = ["S.5....T.    /" + path]
    host.save("rpm", rpm)
    expect(host, "vendor-wrapper", "fail", "an edit that is not ours")
    host.write(path, "xenstore_read('platform/device-model-args')\n")
    expect(host, "vendor-wrapper", "fail", "edited by hand", "yum reinstall xenopsd")
    host.write(path, "from qemu_device.start import extend as qemu_device_extend\n")
    expect(host, "vendor-wrapper", "warn", "one of them is enough", "qemu-device-patch --revert")
    host.path(FRAGMENT).unlink()
    expect(host, "vendor-wrapper", "warn", "patched by qemu-device-patch")
    expect(host, "drop-in", "not checked", "patched wrapper")
    expect(host, "shim", "not checked", "patched wrapper")
    host.path(path).unlink()
    expect(host, "vendor-wrapper", "fail", "missing")


def patch_package_checks(host):
    """with the package for 8.2 a patched wrapper is in order, and a genuine or edited one is not"""
    host.use_patch_package()
    expect(host, "vendor-wrapper", "ok", "qemu-device-dom0-patch keeps it patched")
    for name in ("drop-in", "drop-in-active", "shim"):
        expect(host, name, "not checked", "the package qemu-device-dom0-patch needs none")
    expect(host, "drop-in-folder", "not checked")
    host.write("usr/lib64/xen/bin/qemu-wrapper", "device-model-args")
    expect(host, "vendor-wrapper", "fail", "edited by hand", "yum reinstall xenopsd")
    host.run(["yum", "-y", "reinstall", "xenopsd"])
    expect(host, "vendor-wrapper", "fail", "has not patched it", "qemu-device-patch")
    # A drop-in that names a shim which is not there stops every HVM guest, whatever is patched.
    host.path("etc/xenopsd.conf.d").mkdir()
    host.write(FRAGMENT, "upstream-compat-qemu-dm-wrapper=/usr/libexec/qemu-device/qemu-wrapper\n")
    expect(host, "shim", "fail", "is missing")


def drop_in_checks(host):
    """a drop-in that is missing, doubled, overridden or wrong is found, with the file that wins"""
    folder = "etc/xenopsd.conf.d/"
    ours = host.path(FRAGMENT).read_text()
    host.write(folder + "zz.conf", "upstream-compat-qemu-dm-wrapper = '/opt/other'  # why\n")
    expect(host, "drop-in", "fail", "zz.conf is read last and names /opt/other")
    host.write(folder + "zz.conf", "#upstream-compat-qemu-dm-wrapper=/opt/other\n")
    expect(host, "drop-in", "ok")
    # By bytes capitals come first, so this one loses.
    host.write(folder + "Z.conf", "upstream-compat-qemu-dm-wrapper=/opt/other\n")
    expect(host, "drop-in", "warn", "qemu-device.conf wins", "Z.conf")
    host.path(folder + "Z.conf").unlink()
    host.write("etc/xenopsd.conf", "upstream-compat-qemu-dm-wrapper=/opt/other\n")
    expect(host, "drop-in", "warn", "/etc/xenopsd.conf")
    host.write("etc/xenopsd.conf", "")
    host.write(FRAGMENT, ours.replace("/usr/libexec", "/opt"))
    expect(host, "drop-in", "fail", "does not name")
    host.write(FRAGMENT, "")
    expect(host, "drop-in", "fail", "is empty", "yum reinstall qemu-device-dom0, which restarts xenopsd too")
    expect(host, "drop-in-active", "not checked")
    host.path(FRAGMENT).unlink()
    expect(host, "drop-in", "fail", "missing")
    expect(host, "drop-in-active", "not checked")


def folder_checks(host):
    """what xenopsd would stumble over or read by mistake in its folder is found"""
    folder = host.path("etc/xenopsd.conf.d")
    for name in ("qemu-device.conf.rpmsave", "qemu-device.conf.bak", "x.conf~", "\u00fc\n.conf "):
        (folder / name).write_text("")
        expect(host, "drop-in-folder", "warn", "whatever their names")
        (folder / name).unlink()
    (folder / "old").mkdir()
    expect(host, "drop-in-folder", "fail", "ends at its next start", "conf.d/old")
    (folder / "old").rmdir()
    (folder / "gone.conf").symlink_to("/nowhere")
    expect(host, "drop-in-folder", "fail", "gone.conf")


def active_checks(host):
    """a drop-in that the running xenopsd has not read is found; dates of an RPM's build do not matter"""
    fragment = host.path(FRAGMENT)
    os.utime(str(fragment), (1, 1))
    expect(host, "drop-in-active", "fail", "is newer than the running xenopsd")
    host.run(["systemctl", "restart", "xenopsd-xc"])
    os.utime(str(host.path("etc/xensource-inventory")), (1, 1))
    expect(host, "drop-in-active", "ok")
    host.write("etc/xenopsd.conf.d/other.conf", "")
    # Clocks of file systems are coarse: this is later than the start for certain.
    later = time.time() + 1
    os.utime(str(host.path("etc/xenopsd.conf.d")), (later, later))
    expect(host, "drop-in-active", "warn", "came to or went from")
    host.write("state/no-config-dir", "")
    host.run(["systemctl", "restart", "xenopsd-xc"])
    expect(host, "drop-in-active", "fail", "no --config-dir")
    # xenopsd ends on a folder there, just as the check of the folder says.
    host.path("state/no-config-dir").unlink()
    host.path("etc/xenopsd.conf.d/old").mkdir()
    host.run(["systemctl", "restart", "xenopsd-xc"])
    expect(host, "drop-in-active", "fail", "does not run")


def shim_checks(host):
    """a shim that is missing, not executable, broken or cannot load its modules is found"""
    shim = host.path("usr/libexec/qemu-device/qemu-wrapper")
    text = shim.read_text()
    shim.chmod(0o644)
    expect(host, "shim", "fail", "not executable")
    shim.chmod(0o755)
    shim.write_text(text[: len(text) // 2] + "(")
    expect(host, "shim", "fail", "does not compile")
    shim.write_text(text.replace("/usr/bin/python3", "/usr/bin/python9", 1))
    expect(host, "shim", "fail", "no interpreter")
    shim.write_text(text)
    module = host.path("usr/lib/qemu-device/xen/lowlevel/xs.py")
    module.write_text("raise ImportError('libxenstore.so.4')")
    expect(host, "shim", "fail", "cannot load", "libxenstore.so.4")
    shim.unlink()
    expect(host, "shim", "fail", "missing")


def leftovers_and_policy(host):
    """copies of an installation by hand, and a policy that cannot be read, are found"""
    host.write("usr/lib64/xen/bin/qemu-wrapper.bak-20260101", "")
    host.write("usr/lib64/xen/bin/qemu-system-i386.backup.20260101", "")
    expect(host, "leftovers", "warn", "qemu-wrapper.bak-20260101", "qemu-system-i386.backup.20260101")
    host.write("etc/qemu-device/policy.conf", "on-invalid = start-without-device\n")
    for name in host.path("usr/lib64/xen/bin").glob("*.ba*"):
        name.unlink()
    expect(host, "leftovers", "ok")
    host.write("run/qemu-device-remove-anyway", "")
    expect(host, "leftovers", "warn", "removed unasked", "rm /run/qemu-device-remove-anyway")
    expect(host, "policy", "ok", "start-without-device")
    host.write("etc/qemu-device/policy.conf", "on-invalid = maybe\n")
    expect(host, "policy", "fail", "maybe", "on-invalid = refuse")


def vm_checks(host):
    """invalid settings, the older spelling, due restarts and old binaries are found"""
    host.set(VM, platform={"vga": "std", "device-model-args": "-device vgpu-stub"})
    expect(host, "vms", "warn", "older spelling", VM)
    host.set(VM, platform={"vga": "std", "vgpu-stub": "pool_id=A\n"})
    expect(host, "vms", "fail", VM, "qemu-device attach VM")
    host("attach", "web", "vgpu-stub")
    host.run(["xe", "vm-start", "uuid=" + VM])
    expect(host, "vms", "ok", "1 VM is set")
    expect(host, "running", "ok")
    host("attach", "web", "vgpu-stub", "--pool-id", "B", "--yes")
    expect(host, "running", "warn", VM)
    host.install_qemu()
    expect(host, "old-binaries", "warn", "1 of 1", "1 of them with the device", "domains: 7")
    host.change("xapi", fault="down")
    for name in ("vms", "running", "pool"):
        expect(host, name, "not checked", "Connection refused", "xapi does not run")


def pool_checks(host):
    """hosts of the pool without our packages are named; one that cannot be asked is not guessed at"""
    state = host.load("xapi")
    other = {"uuid": OTHER_HOST, "name-label": "there", "packages": {}}
    state["hosts"].append(other)

    def packages(**values):
        other.update(values)
        host.save("xapi", state)

    both = {
        "qemu": "qemu-4.2.1-5.2.15.2.xcpng8.3.vgpu1.x86_64",
        "qemu-device-dom0": "qemu-device-dom0-1.0-1.noarch",
    }
    packages(packages=both)
    expect(host, "pool", "ok", "1 other host has")
    packages(packages={"qemu": both["qemu"], "qemu-device-dom0-patch": "qemu-device-dom0-patch-1.0-1.noarch"})
    expect(host, "pool", "ok", "1 other host has")
    packages(packages={"qemu": "qemu-4.2.1-5.2.15.2.xcpng8.3.x86_64"})
    expect(host, "pool", "warn", "'there'", "cannot migrate there")
    packages(packages=dict(both, **{"qemu-device-dom0": ""}))
    expect(host, "pool", "warn", "'there'")
    packages(down=True)
    expect(host, "pool", "not checked", "'there'")


def no_root_says_so(host):
    """where a check may not look, it is not checked, and nothing else stops"""
    host.change("xapi", fault="no permission")
    expect(host, "vms", "not checked", "Permission denied", "run it as root")


CHECKS = (
    healthy,
    qemu_checks,
    vendor_wrapper_checks,
    patch_package_checks,
    drop_in_checks,
    folder_checks,
    active_checks,
    shim_checks,
    leftovers_and_policy,
    vm_checks,
    pool_checks,
    no_root_says_so,
)
