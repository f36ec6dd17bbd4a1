# SPDX-License-Identifier: GPL-2.0-or-later
"""`rollback`: the way back to stock, its order, and what stands after each cut."""

import signal
import subprocess

from .host import STOCK, VM, Host, contains, one_line, uuid

SETTING = {"vga": "std", "vgpu-stub": "priority=low"}
STOCK_NEVRA = "qemu-2:4.2.1-5.2.15.2.xcpng8.3.x86_64"
CONSENT = "run/qemu-device-remove-anyway"
FRAGMENT = "etc/xenopsd.conf.d/qemu-device.conf"


def at_stock(host):
    installed = host.load("rpm")["installed"]
    assert installed["qemu"]["release"] == STOCK["release"], installed
    assert "qemu-device-dom0" not in installed
    assert not host.path(FRAGMENT).exists() and not host.path("usr/libexec/qemu-device").exists()
    assert host.path("state/wrapper-in-force").read_text() == "/usr/lib64/xen/bin/qemu-wrapper"
    assert not host.path("state/wrapper-vanished").exists(), "the running xenopsd was left without a wrapper"


def back_in_order(host):
    """xenopsd lets go of the shim first, then QEMU, and the package goes last"""
    host("rollback", "--yes")
    at_stock(host)
    assert [call[:3] for call in host.changes()] == [
        ["systemctl", "restart", "xenopsd-xc.service"],
        ["yum", "-y", "downgrade"],
        ["yum", "-y", "remove"],
    ], host.changes()
    assert ["yum", "-y", "downgrade", STOCK_NEVRA] in host.changes()


def refused_while_vms_use_it(host):
    """without a word on the VMs that are set, nothing is touched"""
    host.set(VM, platform=SETTING)
    answer = host("rollback", "--yes", code=1)
    contains(one_line(answer.err), "set to have a device", VM)
    contains(answer.err, "--detach-vms", "--keep-vms")
    one_line(host("rollback", "--detach-vms", "--keep-vms", code=2).err)
    assert host.changes() == []


def detaches_every_vm(host):
    """--detach-vms takes both spellings away, and running VMs go on until they are restarted"""
    host.set(VM, platform=SETTING)
    host.add_vm("other", uuid(2), platform={"vga": "std", "device-model-args": "-device vgpu-stub"})
    host.run(["xe", "vm-start", "uuid=" + VM])
    pid = host.json("status", "web")["vms"][0]["qemu"]["pid"]
    answer = host("rollback", "--detach-vms", "--yes")
    contains(answer.err, "domain 7 (%s) runs with a device until it is shut down" % VM)
    at_stock(host)
    assert host.platform(VM) == {} and host.platform(uuid(2)) == {}
    assert host.path("/proc/%d/exe" % pid).exists()
    host.run(["xe", "vm-reboot", "uuid=" + VM])


def keeps_settings_with_consent(host):
    """--keep-vms leaves the settings and leaves the package's scriptlet a word of consent"""
    host.set(VM, platform=SETTING)
    host("rollback", "--keep-vms", "--yes")
    at_stock(host)
    assert host.platform() == {"vgpu-stub": "priority=low"}
    assert host.path("state/consent-taken").exists() and not host.path(CONSENT).exists()


def consent_does_not_stay(host):
    """where the removal fails or Ctrl-C comes before it, the consent is taken back"""
    host.set(VM, platform=SETTING)
    host.change("rpm", fault="remove")
    answer = host("rollback", "--keep-vms", "--yes", code=1)
    contains(answer.err, "yum -y remove qemu-device-dom0 failed", "is taken back", "rollback --keep-vms")
    assert ["touch", str(host.path(CONSENT))] in [
        step["argv"] for step in host.json("rollback", "--keep-vms", "--dry-run")["steps"]
    ]
    assert not host.path(CONSENT).exists()
    host.change("rpm", fault=None)
    # The program that gives it takes its time, so that Ctrl-C finds it between two steps.
    touch = host.path("bin/touch")
    touch.unlink()
    wait = 'while [ ! -e "{}" ]; do /bin/sleep 0.02; done'.format(host.path("state/go"))
    touch.write_text('#!/bin/sh\n/bin/touch "$1"\n' + wait + "\n")
    touch.chmod(0o755)
    child = subprocess.Popen(host.argv(["rollback", "--keep-vms", "--yes"]), stderr=subprocess.PIPE)
    host.waits(host.path(CONSENT).exists, child)
    child.send_signal(signal.SIGINT)
    host.write("state/go", "")
    complaint = child.communicate(timeout=600)[1].decode()
    assert child.returncode == 130 and not host.path(CONSENT).exists(), complaint
    host("rollback", "--keep-vms", "--yes")
    at_stock(host)


def drop_in_without_its_package(host):
    """a drop-in that no package owns is removed, and an empty one counts as none"""
    rpm = host.load("rpm")
    del rpm["installed"]["qemu-device-dom0"]
    host.save("rpm", rpm)
    contains(host("rollback", "--dry-run").out, "rm -f %s" % host.path(FRAGMENT), "systemctl restart")
    host.write(FRAGMENT, "")
    shown = host("rollback", "--dry-run").out
    assert FRAGMENT not in shown and "systemctl" not in shown, shown


def what_runs_is_told(host):
    """a QEMU that has the device is named, also where its VM was detached since, and at stock too"""
    host.set(VM, platform=SETTING)
    host.run(["xe", "vm-start", "uuid=" + VM])
    host("detach", "web", "--yes")
    answer = host.json("rollback", "--dry-run")
    found = [(one["domid"], one["uuid"], one["devices"]) for one in answer["running"]]
    assert found == [(7, VM, ["vgpu-stub,pool_id=A,priority=low,vm_id=0,addr=0x1e"])], answer
    contains(host("rollback", "--yes").err, "do not suspend or migrate it; shut it down and start it")
    host.install_qemu(stock=True)
    answer = host("rollback")
    contains(answer.out, "nothing to do")
    contains(answer.err, VM, "runs with a device")
    host.run(["xe", "vm-reboot", "uuid=" + VM])
    assert host.json("rollback")["running"] == []


def patch_package_back_in_order(host):
    """with the package for 8.2: no drop-in, no restart, and a trigger's patch is taken out again"""
    host.use_patch_package()
    host.set(VM, platform=SETTING)
    wrapper = host.path("usr/lib64/xen/bin/qemu-wrapper")
    patched = wrapper.read_text()
    revert = "%s --revert %s" % (host.path("usr/sbin/qemu-device-patch"), wrapper)
    rest = ["yum -y downgrade " + STOCK_NEVRA, "yum -y remove qemu-device-dom0-patch"]
    shown = host("rollback", "--detach-vms", "--dry-run").out.splitlines()[1:]
    assert shown == [revert] + rest, shown
    wrapper.write_text(patched.replace("qemu_device", "device-model-args"))
    shown = host("rollback", "--detach-vms", "--dry-run").out.splitlines()[1:]
    assert shown == ["yum -y reinstall xenopsd", revert] + rest, shown
    host("rollback", "--keep-vms", "--yes")
    assert wrapper.read_text() == host.path("state/genuine-wrapper").read_text() != patched
    installed = host.load("rpm")["installed"]
    assert installed["qemu"]["release"] == STOCK["release"] and "qemu-device-dom0-patch" not in installed
    assert host.calls("systemctl") == [] and host.path("state/consent-taken").exists()


def check_for_the_scriptlet(host):
    """--check fails just where a VM is set, and not where there is no xapi at all"""
    host("rollback", "--check")
    host.set(VM, platform=SETTING)
    contains(one_line(host("rollback", "--check", code=1).err), VM)
    host.change("xapi", fault="down")
    one_line(host("rollback", "--check", code=1).err)
    host.path("bin/xe").unlink()
    host("rollback", "--check")
    assert host.changes() == []


def dry_run_shows_all(host):
    """a dry run prints every command, and changes nothing"""
    host.set(VM, platform=SETTING)
    shown = host("rollback", "--detach-vms", "--dry-run").out.splitlines()
    assert shown == [
        "xe vm-param-remove uuid=%s param-name=platform param-key=vgpu-stub" % VM,
        "truncate --size=0 %s" % host.path(FRAGMENT),
        "systemctl restart xenopsd-xc.service",
        "yum -y downgrade " + STOCK_NEVRA,
        "yum -y remove qemu-device-dom0",
    ], shown
    assert host.changes() == [] and host.path(FRAGMENT).exists()
    answer = host.json("rollback", "--detach-vms", "--dry-run")
    assert answer["dry_run"] and [step["argv"] for step in answer["steps"]] == [
        line.split() for line in shown
    ]
    assert answer["qemu"]["stock"] == STOCK_NEVRA and answer["vms"][0]["uuid"] == VM


def asks_first(host):
    """it asks, says what it will do, takes no for an answer, and refuses without a terminal"""
    one_line(host("rollback", code=2).err)
    code, shown = host.on_terminal("rollback", answer="\n")
    assert code == 1, shown
    contains(
        shown, "will empty the drop-in", "will put the stock QEMU in the place of ours: yum -y downgrade"
    )
    assert host.changes() == []
    code, shown = host.on_terminal("rollback", answer="y\n")
    assert code == 0, shown
    at_stock(host)


def no_stock_offered(host):
    """where no repository has a stock QEMU nothing is touched, and the way out is said"""
    host.change("rpm", available=[dict(STOCK, release="5.2.15.2.xcpng8.3.vgpu2")])
    answer = host("rollback", "--yes", code=1)
    contains(one_line(answer.err), "no repository offers a stock qemu")
    contains(answer.err, "rpm -Uvh --oldpackage")
    host.change("rpm", available=[])
    one_line(host("rollback", "--yes", code=1).err)
    assert host.changes() == [] and host.path(FRAGMENT).exists()


def newest_stock_taken(host):
    """of several stock versions the newest is taken, upwards too"""
    host.change(
        "rpm",
        available=[
            dict(STOCK, release=release)
            for release in (
                "5.2.14.xcpng8.3",
                "5.2.15.10.xcpng8.3",
                "5.2.15.9.xcpng8.3",
                "5.2.15.11.xcpng8.3.vgpu1",
            )
        ],
    )
    shown = host("rollback", "--dry-run").out
    contains(shown, "yum -y install qemu-2:4.2.1-5.2.15.10.xcpng8.3.x86_64")


def build_by_hand_taken_back(host):
    """a QEMU built by hand under the stock package's name, and a wrapper edited by hand, go too"""
    rpm = host.load("rpm")
    rpm["installed"]["qemu"] = dict(STOCK, provides=["qemu"], altered=[])
    rpm["installed"]["xenopsd"]["altered"] = ["S.5....T.    /usr/lib64/xen/bin/qemu-wrapper"]
    host.save("rpm", rpm)
    shown = host("rollback", "--dry-run").out
    contains(shown, "yum -y reinstall " + STOCK_NEVRA, "yum -y reinstall xenopsd")
    host.write("usr/lib64/xen/bin/qemu-wrapper", "from qemu_device.start import extend")
    contains(host("rollback", "--dry-run").out, "qemu-device-patch --revert")


def goes_on_after_a_cut(host):
    """each step that fails leaves VMs that start, and running it again ends at stock"""
    host.write("state/systemctl-fails", "")
    answer = host("rollback", "--yes", code=1)
    contains(one_line(answer.err), "systemctl restart xenopsd-xc.service failed", "Job for xenopsd-xc")
    contains(answer.err, "to run again", "yum -y downgrade", "yum -y remove")
    host.path("state/systemctl-fails").unlink()
    host.change("rpm", fault="downgrade")
    answer = host("rollback", "--yes", code=1)
    contains(one_line(answer.err), "yum -y downgrade")
    assert host.path("state/wrapper-in-force").read_text() == "/usr/lib64/xen/bin/qemu-wrapper"
    host.run(["xe", "vm-start", "uuid=" + VM])
    host.change("rpm", fault="remove")
    host("rollback", "--yes", code=1)
    host.change("rpm", fault=None)
    host("rollback", "--yes")
    at_stock(host)
    host.install_qemu(stock=True)
    contains(host("rollback").out, "nothing to do")


def interrupted_while_yum_runs(host):
    """one Ctrl-C waits for yum to end and then stops; a second one goes to yum itself"""
    for presses, release in ((1, STOCK["release"]), (2, STOCK["release"] + ".vgpu1")):
        with Host() as host:
            host.change("rpm", fault="slow downgrade")
            argv = host.argv(["rollback", "--yes"])
            child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            host.waits(lambda: host.calls("yum", "-y", "downgrade"), child)
            child.send_signal(signal.SIGINT)
            if presses == 1:
                host.write("state/go", "")
            else:
                # Two that come too soon are one, so it is pressed until it has been heard.
                host.waits(lambda: child.send_signal(signal.SIGINT), child, ends=True)
            _, complaint = child.communicate(timeout=600)
            assert host.load("rpm")["installed"]["qemu"]["release"] == release, complaint
            assert child.returncode == (130 if presses == 1 else 1), (child.returncode, complaint)
            contains(complaint.decode(), "yum -y remove qemu-device-dom0")
            host.change("rpm", fault=None)
            host("rollback", "--yes")
            at_stock(host)


def what_would_break_is_found_first(host):
    """a folder that would end xenopsd, a shim named elsewhere, a suspended VM: refused before any step"""
    host.path("etc/xenopsd.conf.d/old").mkdir()
    contains(one_line(host("rollback", "--yes", code=1).err), "xenopsd would not come up again")
    host.path("etc/xenopsd.conf.d/old").rmdir()
    host.write("etc/xenopsd.conf", "upstream-compat-qemu-dm-wrapper=/usr/libexec/qemu-device/qemu-wrapper\n")
    contains(one_line(host("rollback", "--yes", code=1).err), "/etc/xenopsd.conf")
    host.write("etc/xenopsd.conf", "")
    host.set(VM, platform=SETTING, power_state="suspended")
    for choice in ("--detach-vms", "--keep-vms"):
        contains(one_line(host("rollback", choice, "--yes", code=1).err), "suspended", VM)
    host.set(VM, platform={"vga": "std", "device-model-args": "-device e1000"}, power_state="halted")
    contains(one_line(host("rollback", "--detach-vms", "--yes", code=1).err), "holds something else")
    host.change("xapi", fault="down")
    answer = host("rollback", "--detach-vms", "--yes", code=1)
    contains(answer.err, "Connection refused", "--keep-vms")
    assert host.changes() == [] and host.path(FRAGMENT).exists()
    contains(host("rollback", "--keep-vms", "--yes").err, "warning: xapi does not say")
    at_stock(host)


CHECKS = (
    back_in_order,
    refused_while_vms_use_it,
    detaches_every_vm,
    keeps_settings_with_consent,
    consent_does_not_stay,
    drop_in_without_its_package,
    what_runs_is_told,
    patch_package_back_in_order,
    check_for_the_scriptlet,
    dry_run_shows_all,
    asks_first,
    no_stock_offered,
    newest_stock_taken,
    build_by_hand_taken_back,
    goes_on_after_a_cut,
    interrupted_while_yum_runs,
    what_would_break_is_found_first,
)
