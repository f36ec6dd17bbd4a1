# SPDX-License-Identifier: GPL-2.0-or-later
"""What an update does to a host: told before, told after, and found in the logs."""

import gzip

from .doctor_checks import expect
from .host import HOST, OURS, STOCK, VM, contains, one_line, uuid

NEWER = dict(STOCK, release="5.2.15.3.xcpng8.3")


def next_update_told(host):
    """what the pool's update would install in the place of our QEMU is asked of its own repositories"""
    expect(host, "next-update", "ok", "xcp-ng-base, xcp-ng-updates offer nothing newer")
    asked = host.calls("yum")[-1]
    assert asked[2:4] == ["--disablerepo=*", "--enablerepo=xcp-ng-base,xcp-ng-updates"], asked
    assert host("doctor", "--before-update").out.count("\n") == 2
    host.change("rpm", available=[STOCK, NEWER, dict(OURS, repository="published")])
    expect(host, "next-update", "warn", "5.2.15.3.xcpng8.3", "build ours into that version")
    answer = host.json("doctor", "--before-update", code=1)
    assert [one["name"] for one in answer["checks"]] == ["next-update"] and answer["ok"] is False, answer
    ours = dict(OURS, release="5.2.15.3.xcpng8.3.vgpu1", repository="published")
    host.change("rpm", available=[STOCK, NEWER, ours])
    words = "yum --enablerepo=published install qemu-2:4.2.1-5.2.15.3.xcpng8.3.vgpu1.x86_64"
    expect(host, "next-update", "warn", "ours for that version is there", words)
    # A stock QEMU that is there already is no yes, nor is what yum could not ask.
    host.change("rpm", available=[])
    rpm = host.load("rpm")
    before = dict(rpm["installed"])
    rpm["installed"]["qemu"] = dict(NEWER, provides=["qemu"], altered=[])
    host.save("rpm", rpm)
    contains(host("doctor", "--before-update", code=1).out, "is stock already")
    host.save("rpm", dict(rpm, installed=before))
    yum = host.path("bin/yum").read_text()
    host.write(
        "bin/yum",
        "#!/bin/sh\necho '[Errno 14] curl#6 - Could not resolve host' >&2\nexec %s/bin/yum-1 \"$@\"\n"
        % host.root,
    )
    host.write("bin/yum-1", yum)
    host.path("bin/yum-1").chmod(0o755)
    contains(host("doctor", "--before-update", code=1).out, "did not reach every repository")
    host.write("bin/yum", yum)
    # What was not answered is no yes.
    host.path("etc/yum.repos.d/xcp-ng.repo").unlink()
    expect(host, "next-update", "not checked", "is a repository here")
    host("doctor", "--before-update", code=1)


def notice_raised_and_taken_back(host):
    """a message on this host names it, the VMs and what mends it; once, and only as long as it is so"""
    messages = lambda: host.load("xapi")["messages"]
    host("attach", "web", "vgpu-stub")
    host("notice")
    assert messages() == []
    host.install_qemu(stock=True)
    rpm = host.load("rpm")
    rpm["installed"]["qemu"] = dict(NEWER, provides=["qemu"], altered=[])
    host.save("rpm", rpm)
    for _ in range(2):
        host("notice")
        (one,) = messages()
        assert (one["obj-uuid"], one["name"], one["priority"]) == (HOST, "QEMU_DEVICE_MISSING", "2"), one
    contains(
        one["body"], "'here'", HOST, "qemu-4.2.1-5.2.15.3.xcpng8.3 does not have asset-tag, meter, vgpu-stub"
    )
    contains(one["body"], "1 VM that is set to have it start here without it", "yum --enablerepo=published")
    # Another VM, another policy: the old message goes.
    host.add_vm("two", uuid(2), platform={"vga": "std", "vgpu-stub": "vm_id=2"})
    host.write("etc/qemu-device/policy.conf", "on-missing = refuse\n")
    host("notice")
    (one,) = messages()
    contains(one["body"], "2 VMs that are set to have it do not start here (on-missing = refuse)")
    host("notice", "--withdraw")
    assert messages() == []
    host("notice")
    host.install_qemu()
    host("notice")
    assert messages() == []


def notice_renewed_by_changes(host):
    """what was told follows attach and detach, and doctor finds what no longer holds"""
    messages = lambda: host.load("xapi")["messages"]
    host("attach", "web", "vgpu-stub")
    host.install_qemu(stock=True)
    expect(host, "told", "warn", "qemu-device notice")
    host.add_vm("two", uuid(2))
    host("attach", "two", "vgpu-stub", "--vm-id", "2")
    contains(messages()[0]["body"], "2 VMs that are set")
    expect(host, "told", "ok")
    host("detach", "two")
    contains(messages()[0]["body"], "1 VM that is set")
    host("detach", "web")
    assert messages() == []
    # A QEMU that does not answer is no QEMU without devices: it is started as VMs are set.
    host("attach", "web", "vgpu-stub")
    for script in ("exit 139", "echo garbage"):
        host.write("usr/lib64/xen/bin/qemu-system-i386", "#!/bin/sh\n%s\n" % script)
        contains(host("notice").out, "the pool was not told")
        assert messages() == [] or "web" not in str(messages())
        expect(host, "qemu-device", "not checked")


def rpm_that_cannot_answer(host):
    """a database that cannot be read, or an odd answer, is no package that is not there"""
    host("attach", "web", "vgpu-stub")
    for script in (
        "echo 'error: cannot open Packages database' >&2; echo 'package qemu is not installed'; exit 1",
        "exit 0",
        "echo 'warning: odd'",
    ):
        host.write("bin/rpm", "#!/bin/sh\n%s\n" % script)
        one_line(host("rollback", "--detach-vms", "--yes", code=1).err)
        assert host.platform() == {"vgpu-stub": "pool_id=A,priority=medium,vm_id=0"}
        expect(host, "qemu-is-ours", "not checked")
        contains(host("status", "--pool", code=1).err, "rpm -q qemu")


def damaged_contracts_named(host):
    """a file of data that is not whole is named by doctor, and other devices go on"""
    for text in ("", '{"type": "meter"}', "[]"):
        host.write("usr/lib/qemu-device/devices/meter.json", text)
        expect(host, "contracts", "fail", "meter.json", "yum reinstall qemu-device-dom0")
        host("attach", "web", "vgpu-stub")
        contains(one_line(host("attach", "web", "meter", code=2).err), "meter")
    host.set(VM, platform={"vga": "std", "meter": "base=1"})
    contains(one_line(host("status", "web", code=1).err), "meter.json cannot be read")
    host.path("usr/lib/qemu-device/origin.json").unlink()
    contains(one_line(host("rollback", "--keep-vms", "--yes", code=1).err), "cannot be read")


def notice_without_xapi(host):
    """where xapi is not up, or QEMU is gone, a trigger goes on and says so"""
    host("attach", "web", "vgpu-stub")
    host.path("usr/lib64/xen/bin/qemu-system-i386").unlink()
    host("notice")
    contains(host.load("xapi")["messages"][0]["body"], "does not have asset-tag, meter, vgpu-stub")
    host.change("xapi", fault="down")
    contains(host("notice").out, "the pool was not told", "Connection refused")
    host.path("bin/xe").unlink()
    contains(host("notice").out, "xe is not on this host")


def failed_starts_in_pairs(host):
    """what xenopsd saw is shown with why, by the domain, whichever way the race went"""
    why = "Nov 22 10:00:0%d host qemu-dm-%d[99]: qemu-system-i386: -device vgpu-stub: 'vgpu-stub' is not a valid device model name\n"
    for saw in (
        "Ioemu_failed(qemu-dm, Timeout reached while starting daemon) domid=7",
        "QMP domain-7: negotiation failed: removing socket",
        "Ioemu_failed(domid 7, QMP failure at File device.ml)",
        "QMP event socket for domid 7 not yet ready: Unix.Unix_error(Unix.ECONNREFUSED, connect)",
        "domid=7 qemu-pid=99: detected exit=1",
    ):
        host.write("var/log/daemon.log", why % (1, 7) + why % (2, 8))
        host.write("var/log/xensource.log", "Nov 22 10:00:03 host xenopsd-xc: [error] %s\n" % saw)
        shown = host("doctor").out
        contains(shown, saw.partition("(")[0], "because the QEMU that is installed does not have the device")
        assert (
            shown.count("because") == 1 and "qemu-dm-7[99]" in shown.split("because")[1].split("\n")[0]
        ), shown
    host.write("var/log/daemon.log", why % (2, 8))
    contains(host("doctor").out, "why it did is not in what was read of /var/log/daemon.log")
    # Between two tries there is nothing there yet.
    host.write("var/log/daemon.log", "")
    line = "QMP event socket for domid 7 not yet ready: Unix.Unix_error(Unix.ENOENT, connect)\n"
    host.write("var/log/xensource.log", line)
    expect(host, "log", "ok")


def rotated_logs_read(host):
    """of a log that was rotated a short time ago the one before it is read too, packed or not, and that is said"""
    line = "Nov 21 09:00:00 host qemu-dm-7[99]: 'vgpu-stub' is not a valid device model name\n"
    host.write("var/log/daemon.log.1", line)
    words = "/var/log/daemon.log.1 and /var/log/daemon.log since Nov 21 09:00:00"
    expect(host, "log", "warn", words, "/var/log/daemon.log.1: Nov 21")
    host.path("var/log/daemon.log.1").unlink()
    with gzip.open(str(host.path("var/log/daemon.log.1.gz")), "wb") as packed:
        packed.write(b"first\n" + line.encode() * 3)
    expect(host, "log", "warn", "/var/log/daemon.log.1.gz: Nov 21")
    host.write("var/log/daemon.log.1.gz", "no gzip at all")
    expect(host, "log", "ok", "1 KiB of /var/log/daemon.log since Nov 22 09:00:00; ")
    # What was not reached is not claimed.
    host.write("var/log/daemon.log", line + "Nov 22 09:00:00 host init: y\n" * 200000)
    expect(host, "log", "ok", "4096 KiB of /var/log/daemon.log since Nov 22 09:00:00")


def hidden_settings_found(host):
    """snapshots, templates and checkpoints out of which a VM with a setting can come back are found"""
    host.add_vm("before", uuid(2), kind="snapshot", platform={"vga": "std", "vgpu-stub": "vm_id=3"})
    guide = {"vga": "std", "device-model-args": "-device vgpu-stub"}
    host.add_vm("golden", uuid(3), kind="template", platform=guide)
    host.add_vm("other", uuid(4), kind="template", platform={"device-model-args": "-device e1000"})
    answer = host("rollback", "--yes", code=1)
    contains(one_line(answer.err), "the snapshot 'before' (%s)" % uuid(2), "the template 'golden'")
    assert host.changes() == []
    host("rollback", "--detach-vms", "--yes")
    assert host.platform(uuid(2)) == {} and host.platform(uuid(3)) == {}
    assert host.vm(uuid(4))["platform"] == {"device-model-args": "-device e1000"}


def checkpoints_refused(host):
    """a snapshot with memory holds the device itself: it is asked for as a suspended VM is"""
    platform = {"vga": "std", "vgpu-stub": "vm_id=3"}
    host.add_vm("memory", uuid(2), kind="snapshot", platform=platform, power_state="suspended")
    for words in (["--detach-vms"], ["--keep-vms"]):
        answer = host("rollback", "--yes", *words, code=1)
        contains(one_line(answer.err), "checkpoints with their devices in the saved memory", uuid(2))
        contains(answer.err, "xe snapshot-destroy uuid=" + uuid(2))
    assert host.changes() == [] and host.vm(VM)


CHECKS = (
    next_update_told,
    notice_raised_and_taken_back,
    notice_renewed_by_changes,
    rpm_that_cannot_answer,
    damaged_contracts_named,
    notice_without_xapi,
    failed_starts_in_pairs,
    rotated_logs_read,
    hidden_settings_found,
    checkpoints_refused,
)
