"""`rollback`: the way back to stock, its order, and what stands after each cut."""

import signal
import subprocess
import time

from .host import STOCK, VM, Host, contains, one_line, uuid

SETTING = {"vga": "std", "vgpu-stub": "priority=low"}
STOCK_NEVRA = "qemu-2:4.2.1-5.2.15.2.xcpng8.3.x86_64"
FRAGMENT = "etc/xenopsd.conf.d/vgpu-stub.conf"


def at_stock(host):
    installed = host.load("rpm")["installed"]
    assert installed["qemu"]["release"] == STOCK["release"], installed
    assert "vgpu-stub-dom0" not in installed
    assert not host.path(FRAGMENT).exists() and not host.path("usr/libexec/vgpu-stub").exists()
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
    contains(one_line(answer.err), "set to use the device", VM)
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
    contains(answer.err, "running, and untouched until each is restarted", VM)
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
    assert host.path("run/vgpu-stub-remove-anyway").exists()


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
        "rm -f %s" % host.path(FRAGMENT),
        "systemctl restart xenopsd-xc.service",
        "yum -y downgrade " + STOCK_NEVRA,
        "yum -y remove vgpu-stub-dom0",
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
        shown, "will remove the drop-in", "will put the stock QEMU in the place of ours: yum -y downgrade"
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
    host.write("usr/lib64/xen/bin/qemu-wrapper", "from vgpu_stub.start import extend")
    contains(host("rollback", "--dry-run").out, "vgpu-stub-patch --revert")


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
            while not host.calls("yum", "-y", "downgrade"):
                time.sleep(0.02)
            for _ in range(presses):
                time.sleep(0.3)
                child.send_signal(signal.SIGINT)
            _, complaint = child.communicate(timeout=30)
            assert host.load("rpm")["installed"]["qemu"]["release"] == release, complaint
            assert child.returncode == (130 if presses == 1 else 1), (child.returncode, complaint)
            contains(complaint.decode(), "yum -y remove vgpu-stub-dom0")
            host.change("rpm", fault=None)
            host("rollback", "--yes")
            at_stock(host)


def what_would_break_is_found_first(host):
    """a folder that would end xenopsd, a shim named elsewhere, a suspended VM: refused before any step"""
    host.path("etc/xenopsd.conf.d/old").mkdir()
    contains(one_line(host("rollback", "--yes", code=1).err), "xenopsd would not come up again")
    host.path("etc/xenopsd.conf.d/old").rmdir()
    host.write("etc/xenopsd.conf", "upstream-compat-qemu-dm-wrapper=/usr/libexec/vgpu-stub/qemu-wrapper\n")
    contains(one_line(host("rollback", "--yes", code=1).err), "/etc/xenopsd.conf")
    host.write("etc/xenopsd.conf", "")
    host.set(VM, platform=SETTING, power_state="suspended")
    contains(one_line(host("rollback", "--detach-vms", "--yes", code=1).err), "suspended", VM)
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
