# SPDX-License-Identifier: GPL-2.0-or-later
"""Several devices of a VM, their slots, and values that no two VMs may share."""

import subprocess

from .doctor_checks import expect
from .host import HOST, OTHER_HOST, VM, WRAPPER, contains, one_line, uuid

STOCK = "qemu-4.2.1-5.2.15.2.xcpng8.3"
OURS = STOCK + ".vgpu1"


def devices_beside_each_other(host):
    """a VM has several devices, each set and taken away for itself, and QEMU gets them all"""
    host("attach", "web", "vgpu-stub", "--priority", "low")
    host("attach", "web", "meter", "--level", "50")
    host("attach", "web", "asset-tag", "--owner", "ops", "--Level", "3", "--site-name", "AB-1")
    assert host.platform() == {
        "vgpu-stub": "pool_id=A,priority=low,vm_id=0",
        "meter": "base=0,channel=1,level=50",
        # The slot of both is 0x1e: who was there stays in it.
        "asset-tag": "Level=3,a=off,b=off,c=off,mode=auto,owner=ops,rack=0,site-name=AB-1,addr=0x1d",
    }
    host.run(["xe", "vm-start", "uuid=" + VM])
    found = host.json("status", "web")["vms"][0]
    assert found["restart"] == "no" and len(found["qemu"]["devices"]) == 3, found
    assert found["setting"]["devices"] == found["qemu"]["devices"], found
    host("detach", "web", "meter", "--yes")
    assert sorted(host.platform()) == ["asset-tag", "vgpu-stub"]
    host("detach", "web", "--yes")
    assert host.platform() == {}


def several_of_one_type(host):
    """a contract may admit two of a device in a VM: each is changed by its number"""
    host("attach", "web", "meter")
    contains(one_line(host("attach", "web", "meter", "--instance", "3", code=2).err), "2 times at most")
    contains(one_line(host("attach", "web", "meter", "--instance", "2", code=1).err), "channel is 1")
    host("attach", "web", "meter", "--instance", "2", "--channel", "2")
    assert host.platform() == {"meter": "base=0,channel=1;base=0,channel=2,addr=0x15"}, host.platform()
    host("attach", "web", "meter", "--instance", "1", "--base", "9")
    assert host.platform() == {"meter": "base=9,channel=1;base=0,channel=2,addr=0x15"}, host.platform()
    contains(one_line(host("attach", "web", "vgpu-stub", "--instance", "2", code=2).err), "1 times at most")
    host.set(VM, platform={"vga": "std"})
    contains(one_line(host("attach", "web", "meter", "--instance", "2", code=2).err), "the next is 1")


def taken_slots_avoided(host):
    """slots of VIFs, passed-through functions and vGPUs are seen, and said"""
    host("attach", "web", "vgpu-stub")
    expect(host, "slots", "ok")
    # One that comes later takes the slot from under it, until somebody attaches anew.
    host.change("xapi", vifs=[{"uuid": uuid(50 + n), "vm-uuid": VM, "device": str(n)} for n in (0, 22, 26)])
    expect(host, "slots", "fail", "vgpu-stub of 'web' (%s) by VIF 26" % VM)
    contains(host("attach", "web", "vgpu-stub").err, "the slot 0x1e is taken by VIF 26: vgpu-stub gets 0x1d")
    expect(host, "slots", "ok")
    assert host.platform() == {"vgpu-stub": "pool_id=A,priority=medium,vm_id=0,addr=0x1d"}
    answer = host("attach", "web", "vgpu-stub", "--addr", "0x1a", code=2)
    contains(one_line(answer.err), "the slot 0x1a is taken by VIF 22")
    contains(answer.err, "free are 0x18, 0x19, 0x1b, 0x1c, 0x1d")
    # Of a UEFI guest the NICs are elsewhere, and what is passed through is up here.
    functions = ",".join("0/0000:04:%02x.0" % number for number in range(22))
    host.set(VM, HVM_boot_params={"firmware": "uefi"}, other_config={"pci": functions})
    host.set(VM, platform={"vga": "std"})
    host.change("xapi", vgpus=[{"uuid": uuid(60), "vm-uuid": VM}])
    words = "the slot 0x1e is taken by a vGPU: vgpu-stub gets "
    answer = host("attach", "web", "vgpu-stub", code=1)
    contains(one_line(answer.err), "no slot is free for vgpu-stub", "0x18 by the passed-through 0000:04:10.0")
    host.set(VM, other_config={"pci": functions[: functions.index(",0/0000:04:12.0")]})
    host.change("xapi", vgpus=[{"uuid": uuid(60 + n), "vm-uuid": VM} for n in range(4)])
    assert words not in host("attach", "web", "vgpu-stub").err


def unique_values_kept(host):
    """a value that is to be unique is refused to a second VM, and clones are found"""
    host.add_vm("other", uuid(2))
    host("attach", "web", "vgpu-stub", "--vm-id", "7")
    answer = host("attach", "other", "vgpu-stub", "--vm-id", "7", code=1)
    contains(one_line(answer.err), "vm_id is 7 for 'web' (%s) too" % VM)
    contains(answer.err, "help: --vm-id 0 is free")
    host("attach", "other", "vgpu-stub")
    host.add_vm("third", uuid(3))
    contains(host("attach", "third", "vgpu-stub", code=1).err, "help: --vm-id 1 is free")
    expect(host, "unique", "ok")
    host.add_vm("clone", uuid(4), platform=dict(host.vm()["platform"]))
    expect(host, "unique", "warn", "vm_id=7 of vgpu-stub", "'clone'", "'web'")
    contains(host("attach", "clone", "vgpu-stub", "--priority", "low", code=1).err, "--vm-id 1 is free")
    host("attach", "clone", "vgpu-stub", "--vm-id", "8")
    expect(host, "unique", "ok")
    # Numbers of one device say nothing of another's.
    host("attach", "clone", "meter", "--channel", "7")


def options_from_contracts(host):
    """the options of each device, its words and its help come from its contract; a UUID may be in capitals"""
    shown = host("attach", "web", "vgpu-stub", "--help").out
    contains(" ".join(shown.split()), "--pool-id A|B", "--priority low|medium|high", "--vm-id N", "0x1e")
    contains(shown, "no two VMs")
    shown = host("attach", "web", "asset-tag", "--help").out
    contains(" ".join(shown.split()), "--owner TEXT", '"%s" and {} are no marks', "--mode on|off|auto")
    contains(one_line(host("attach", "web", "asset-tag", "--owner", "A", code=2).err), "owner is 'A'")
    contains(one_line(host("attach", "web", "nvidia", code=2).err), "asset-tag")
    # What Python 2 says of it itself.
    said = one_line(host("attach", "web", code=2).err)
    assert "which device? one of asset-tag, meter, vgpu-stub" in said or "too few arguments" in said, said
    host("attach", VM.upper(), "vgpu-stub")
    assert host.platform()


def completed_by_bash(host):
    """bash completes commands, VMs with plain names, devices, and what their contracts have"""
    host.add_vm("evil $(touch /tmp/x)", uuid(2))
    script = (
        'words=("$@"); '
        'qemu-device() { %s "$@"; }; . %s/qemu-device.bash; '
        'COMP_WORDS=(qemu-device "${words[@]}"); COMP_CWORD=$#; _qemu_device; '
        "printf '%%s ' \"${COMPREPLY[@]}\""
    ) % (" ".join("'%s'" % word for word in host.argv([])), WRAPPER)
    for words, expected in (
        (["att"], "attach "),
        (["attach", ""], "web "),
        (["attach", "web", ""], "asset-tag meter vgpu-stub "),
        (["attach", "web", "vgpu-stub", "--p"], "--pool-id --priority "),
        (["attach", "web", "vgpu-stub", "--priority", ""], "low medium high "),
        (["attach", "web", "meter", "--addr", "0x1"], "0x14 0x15 0x1c "),
        (["attach", "web", "meter", "--i"], "--instance "),
        (["attach", "web", "vgpu-stub", "--i"], " "),
        (["detach", "web", "m"], "meter "),
        (["status", "--"], "--all --pool --json --help "),
        (["doctor", "--b"], "--before-update "),
        (["nonsense", ""], " "),
    ):
        done = subprocess.run(["bash", "-c", script, "bash", *words], stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode() == expected, (words, done.stdout)


def hosts_of_the_pool(host):
    """every host with its QEMU, what it lacks, and which VMs cannot live there; `attach` warns of it"""
    state = host.load("xapi")
    packages = {"qemu": OURS + ".x86_64", "qemu-device-dom0": "qemu-device-dom0-0.1.0-1.vgpu1.noarch"}
    state["hosts"].append({"uuid": OTHER_HOST, "name-label": "there", "packages": packages})
    host.save("xapi", state)
    assert host("attach", "web", "vgpu-stub").err == ""
    rows = host.json("status", "--pool")["hosts"]
    assert [row["uuid"] for row in rows] == [HOST, OTHER_HOST] and rows[0]["here"] is True, rows
    assert [(row["missing"], row["vms"], row["unknown"]) for row in rows] == [([], [], None)] * 2, rows
    assert rows[1]["qemu"] == OURS + ".x86_64" and rows[1]["dom0"].startswith("qemu-device-dom0"), rows
    host.set(OTHER_HOST, packages={"qemu": STOCK + ".x86_64"})
    shown = host("status", "--pool").out
    contains(
        shown, "'there'", "lacks:   asset-tag, meter, vgpu-stub", "no package of ours", "cannot migrate or"
    )
    contains(host("attach", "web", "meter").err, "warning: the host 'there' has " + STOCK, "without meter")
    host.install_qemu(stock=True)
    contains(host("attach", "web", "meter", "--level", "10").err, "warning: this host has ", "without meter")
    contains(host("status", "web").err, "the QEMU of this host does not have meter")
    # Ours, and nothing that would give VMs their devices.
    host.set(OTHER_HOST, packages={"qemu": OURS + ".x86_64"})
    contains(host("status", "--pool").out, "no package of ours\n  lacks:   asset-tag, meter, vgpu-stub")
    host.set(OTHER_HOST, down=True)
    contains(host("status", "--pool").out, "requested plugin could not be found")


CHECKS = (
    devices_beside_each_other,
    several_of_one_type,
    taken_slots_avoided,
    unique_values_kept,
    options_from_contracts,
    completed_by_bash,
    hosts_of_the_pool,
)
