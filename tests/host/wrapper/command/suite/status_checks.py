# SPDX-License-Identifier: GPL-2.0-or-later
"""What `status` sees of settings, real processes and restarts."""

import os
import signal

from .host import HOST, OTHER_HOST, VM, contains, uuid

DEVICE = "vgpu-stub,pool_id=A,priority=medium,vm_id=0,addr=0x1e"


def life_of_a_setting(host):
    """attach, start, change, restart, detach: each time it is said whether a restart is due"""

    def restart():
        return host.json("status", "web")["vms"][0]["restart"]

    host("attach", "web", "vgpu-stub")
    assert restart() == "no"
    host.run(["xe", "vm-start", "uuid=" + VM])
    one = host.json("status", "web")["vms"][0]
    assert one["restart"] == "no" and one["power_state"] == "running" and one["domid"] == 7, one
    assert one["qemu"]["state"] == "seen" and one["qemu"]["devices"] == [DEVICE], one
    assert one["qemu"]["command_line"][0] == "qemu-dm-7" and one["qemu"]["binary"] == "current"
    assert one["host"] == {"uuid": HOST, "name": "here", "here": True}
    host("attach", "web", "vgpu-stub", "--pool-id", "B", "--yes")
    assert restart() == "needed"
    contains(host("status", "web").out, "pool_id=A", "pool_id=B", "restart: needed")
    host.run(["xe", "vm-reboot", "uuid=" + VM])
    assert restart() == "no"
    host("detach", "web", "--yes")
    assert restart() == "needed"
    host.run(["xe", "vm-reboot", "uuid=" + VM])
    assert restart() == "no"
    assert host.json("status", "web")["vms"][0]["qemu"]["devices"] == []


def replaced_binary_seen(host):
    """a VM that runs a QEMU which was replaced on disk is told apart, also where the file is gone"""
    host("attach", "web", "vgpu-stub")
    host.run(["xe", "vm-start", "uuid=" + VM])
    host.install_qemu()
    one = host.json("status", "web")["vms"][0]
    assert one["qemu"]["binary"] == "replaced" and one["restart"] == "advised", one
    host.path("usr/lib64/xen/bin/qemu-system-i386").unlink()
    assert host.json("status", "web")["vms"][0]["qemu"]["binary"] == "replaced"


def other_host_named(host):
    """a VM on another host of the pool is reported from xapi, and its QEMU is not guessed at"""
    state = host.load("xapi")
    state["hosts"].append({"uuid": OTHER_HOST, "name-label": "there\u001b[31m"})
    host.save("xapi", state)
    host.run(["xe", "vm-start", "uuid=" + VM])
    host.set(VM, resident_on=OTHER_HOST)
    one = host.json("status", "web")["vms"][0]
    assert (
        one["qemu"]["state"] == "elsewhere" and one["restart"] == "unknown" and not one["host"]["here"]
    ), one
    contains(host("status", "web").out, "it runs on the host 'there\\x1b[31m': look there")
    host.path("etc/xensource-inventory").unlink()
    one = host.json("status", "web")["vms"][0]
    assert one["qemu"]["state"] == "unknown" and one["host"]["here"] is None, one


def reused_process_number_refused(host):
    """the process that XenStore names has to be the QEMU of that very domain"""
    host.run(["xe", "vm-start", "uuid=" + VM])
    for pid in (str(os.getpid()), "4194305", "1; rm", "", "0"):
        state = host.load("xapi")
        state["xenstore"] = {"/local/domain/7/qemu-pid": pid}
        host.save("xapi", state)
        one = host.json("status", "web")["vms"][0]
        assert one["qemu"]["state"] == "unknown" and one["restart"] == "unknown", (pid, one)


def all_lists_users_alone(host):
    """`status --all` shows the VMs that are set, valid or not, and no others"""
    contains(host("status", "--all").out, "no VM is set to have a device")
    host.add_vm("b, with a comma", uuid(2), platform={"vga": "std", "vgpu-stub": "priority=low"})
    host.add_vm("a\nuuid ( RO) : " + VM, uuid(3), platform={"vga": "std", "vgpu-stub": "pool_id=Z"})
    host.add_vm("c", uuid(4), platform={"vga": "std", "device-model-args": "-device vgpu-stub"})
    host.add_vm("template", uuid(5), kind="template", platform={"vgpu-stub": "priority=low"})
    found = host.json("status", "--all")["vms"]
    assert [one["uuid"] for one in found] == [uuid(3), uuid(2), uuid(4)], found
    assert [one["setting"]["state"] for one in found] == ["invalid", "valid", "valid"]
    assert [one["setting"]["spelling"] for one in found] == ["current", "current", "older"]
    assert found[1]["setting"]["devices"] == ["vgpu-stub,pool_id=A,priority=low,vm_id=0,addr=0x1e"]
    contains(found[0]["setting"]["error"], "pool_id")
    shown = host("status", "--all").out
    contains(shown, "'a\\x0auuid ( RO) : ", "invalid: pool_id is 'Z'", "older spelling")


def listing_cannot_be_forged(host):
    """a platform value that plays a listing hides no VM that is set"""
    host.set(VM, platform={"vga": "std", "vgpu-stub": "priority=low"})
    for forged in (
        "x\nuuid ( RO)           : %s\n    platform (MRW): y: z" % uuid(9),
        "x\nuuid ( RO)           : %s\n    platform (MRW): y: z" % VM,
        "x\n\n\n",
    ):
        host.add_vm(
            "forger", uuid(2), platform={"vga": forged, "zz": "vgpu-stub: ", "vgpu-stub": "pool_id=B"}
        )
        found = host.json("status", "--all")["vms"]
        assert sorted(one["uuid"] for one in found) == [VM, uuid(2)], (forged, found)
        state = host.load("xapi")
        state["vms"] = state["vms"][:1]
        host.save("xapi", state)


def suspended_is_unknown(host):
    """of a suspended VM nobody can say what its saved state has"""
    host.set(VM, power_state="suspended", platform={"vga": "std", "vgpu-stub": "priority=low"})
    one = host.json("status", "web")["vms"][0]
    assert one["restart"] == "unknown" and one["qemu"]["state"] == "none", one


def gone_process_said(host):
    """a QEMU that died is not reported as running"""
    host("attach", "web", "vgpu-stub")
    host.run(["xe", "vm-start", "uuid=" + VM])
    pid = host.json("status", "web")["vms"][0]["qemu"]["pid"]
    os.kill(pid, signal.SIGKILL)
    one = host.json("status", "web")["vms"][0]
    assert one["qemu"]["state"] == "unknown", one
    contains(one["why"], "no longer the QEMU of domain 7")


CHECKS = (
    life_of_a_setting,
    replaced_binary_seen,
    other_host_named,
    reused_process_number_refused,
    all_lists_users_alone,
    listing_cannot_be_forged,
    suspended_is_unknown,
    gone_process_said,
)
