# SPDX-License-Identifier: GPL-2.0-or-later
"""Giving VMs the device and taking it away."""

import signal
import subprocess

from .host import VM, contains, one_line, uuid

OURS = "vgpu-stub"
GUIDE = "device-model-args"
DEFAULT = "pool_id=A,priority=medium,vm_id=0"


def attached_with_defaults(host):
    """a VM gets the device with its defaults, by name, and xe is asked for just that"""
    host("attach", "web", "vgpu-stub")
    assert host.platform() == {OURS: DEFAULT}
    assert host.changes() == [["xe", "vm-param-set", "uuid=" + VM, "platform:vgpu-stub=" + DEFAULT]]


def attached_with_properties(host):
    """every property can be given, by UUID, and what is not given stays"""
    host(
        "attach",
        VM,
        "vgpu-stub",
        "--pool-id",
        "B",
        "--priority",
        "high",
        "--vm-id",
        "4294967295",
        "--addr",
        "0x1c",
    )
    assert host.platform() == {OURS: "pool_id=B,priority=high,vm_id=4294967295,addr=0x1c"}
    host("attach", VM, "vgpu-stub", "--vm-id", "7")
    assert host.platform() == {OURS: "pool_id=B,priority=high,vm_id=7,addr=0x1c"}
    host.forget()
    contains(host("attach", VM, "vgpu-stub").out, "nothing to do")
    assert host.changes() == []


def older_spelling_renewed(host):
    """the guide's key is replaced by ours, with its properties"""
    host.set(VM, platform={"vga": "std", GUIDE: "-device vgpu-stub,pool_id=B,priority=low,vm_id=100"})
    host("attach", "web", "vgpu-stub", "--priority", "high")
    assert host.platform() == {OURS: "pool_id=B,priority=high,vm_id=100"}
    # In this order nothing starts without its device should the second step fail.
    assert [call[1] for call in host.changes()] == ["vm-param-set", "vm-param-remove"]


def foreign_arguments_refused(host):
    """what the guide's key holds besides the device is neither kept nor thrown away in silence"""
    injected = "-device vgpu-stub,pool_id=A -chardev file,id=x,path=/etc/x"
    for held in ("-device e1000", injected, "\n", "-device vgpu-stub,\u00fc"):
        host.set(VM, platform={"vga": "std", GUIDE: held})
        for command in ("attach", "detach"):
            answer = host(command, "web", "vgpu-stub", code=1)
            contains(one_line(answer.err), "holds something else", VM)
            contains(answer.err, "help: where nobody needs it", "param-key=device-model-args")
        assert host.platform() == {GUIDE: held}


def invalid_setting_replaced(host):
    """an invalid setting of ours is replaced, and what was wrong is said"""
    host.set(VM, platform={"vga": "std", OURS: "pool_id=C"})
    contains(host("attach", "web", "vgpu-stub").err, "not valid", "pool_id")
    assert host.platform() == {OURS: DEFAULT}


def both_spellings_become_one(host):
    """where both keys are set ours counts, and the other goes"""
    host.set(VM, platform={"vga": "std", OURS: "priority=low", GUIDE: "-device vgpu-stub"})
    host("attach", "web", "vgpu-stub")
    assert host.platform() == {OURS: "pool_id=A,priority=low,vm_id=0"}


def detached(host):
    """detaching removes either key, and is fine where there is none"""
    contains(host("detach", "web").out, "nothing to do")
    for platform in ({OURS: DEFAULT}, {GUIDE: "-device vgpu-stub"}, {OURS: "junk"}):
        host.set(VM, platform=dict(platform, vga="std"))
        host("detach", "web")
        assert host.platform() == {}
    host.set(VM, domain_type="pv", platform={"vga": "std", OURS: DEFAULT})
    host("detach", "web")
    assert host.platform() == {}


def dry_run_changes_nothing(host):
    """a dry run prints the exact commands, and they do what the command does"""
    host.set(VM, platform={"vga": "std", GUIDE: "-device vgpu-stub"})
    shown = host("attach", "web", "vgpu-stub", "--dry-run").out.splitlines()
    assert shown == [
        "xe vm-param-set uuid=%s platform:vgpu-stub=%s" % (VM, DEFAULT),
        "xe vm-param-remove uuid=%s param-name=platform param-key=device-model-args" % VM,
    ], shown
    assert host.changes() == []
    for line in shown:
        host.run(line.split())
    assert host.platform() == {OURS: DEFAULT}
    contains(host("detach", "web", "--dry-run").out, "param-key=vgpu-stub")
    assert host.platform() == {OURS: DEFAULT}


def running_vm_is_asked_for(host):
    """a running or suspended VM's setting is changed after a question only, and the restart is named"""
    host.run(["xe", "vm-start", "uuid=" + VM])
    answer = host("attach", "web", "vgpu-stub", code=2)
    contains(one_line(answer.err), "is running", "no terminal")
    contains(answer.err, "--yes")
    code, shown = host.on_terminal("attach", "web", "vgpu-stub", answer="n\n")
    assert code == 1 and "the answer was no" in shown, shown
    code, shown = host.on_terminal("attach", "web", "vgpu-stub", answer="\x04")
    assert code == 1, shown
    assert host.platform() == {}
    code, shown = host.on_terminal("attach", "web", "vgpu-stub", answer="yes\n")
    assert code == 0 and "xe vm-reboot uuid=" + VM in shown, shown
    assert host.platform() == {OURS: DEFAULT}
    contains(host("detach", "web", "--yes").out, "xe vm-reboot uuid=" + VM)
    assert host.platform() == {}
    host.set(VM, power_state="suspended")
    contains(one_line(host("attach", "web", "vgpu-stub", code=2).err), "is suspended")
    contains(host("detach", "web").out, "nothing to do")
    contains(host("attach", "web", "vgpu-stub", "--yes").out, "resumed, it goes on as it was started")
    # Its saved state has the device, and without its setting a rollback would no longer know.
    host.forget()
    answer = host("detach", "web", "--yes", code=1)
    contains(one_line(answer.err), VM, "is suspended: its saved state holds the device")
    contains(answer.err, "xe vm-resume uuid=" + VM)
    assert host.platform() == {OURS: DEFAULT} and host.changes() == []


def json_of_changes(host):
    """the JSON of attach and detach has its documented shape"""
    answer = host.json("attach", "web", "vgpu-stub", "--pool-id", "B")
    assert answer["ok"] is True and answer["command"] == "attach" and answer["restart"] == "no"
    assert answer["vm"] == {"uuid": VM, "name": "web", "power_state": "halted"}
    assert answer["device"] == "vgpu-stub"
    assert answer["setting"] == [{"pool_id": "B", "priority": "medium", "vm_id": 0, "addr": None}]
    assert [step["argv"][1] for step in answer["steps"]] == ["vm-param-set"]
    assert answer["done"] == [step["does"] for step in answer["steps"]]
    assert host.json("detach", "web", "--dry-run")["dry_run"] is True
    refused = host.json("attach", "nobody", "vgpu-stub", code=2)
    assert refused["ok"] is False and "no VM" in refused["error"] and refused["help"], refused


def wrong_vms_refused(host):
    """unknown, ambiguous, template, snapshot, control domain, PV and suspended: one line each"""
    host.add_vm("twin", uuid(2))
    host.add_vm("twin", uuid(3))
    host.add_vm("model", uuid(4), kind="template")
    host.add_vm("past", uuid(5), kind="snapshot")
    host.add_vm("Control domain on host: here", uuid(6), is_control_domain="true", domain_type="pv")
    host.add_vm("old", uuid(7), domain_type="pv")
    for word, code, parts in (
        ("webb", 2, ("no VM has the UUID or name 'webb'", "near: 'web'")),
        (uuid(99), 2, ("no VM has the UUID or name",)),
        ("", 2, ("empty",)),
        ("twin", 2, ("2 VMs are called 'twin'", uuid(2), uuid(3))),
        ("model", 2, ("'model' is a template",)),
        (uuid(4), 2, ("is a template",)),
        ("past", 2, ("'past' is a snapshot",)),
        (uuid(6), 2, ("is a control domain",)),
        ("old", 2, ("is of the type pv",)),
    ):
        answer = host("attach", word, "vgpu-stub", code=code)
        contains(one_line(answer.err), *parts)
        contains(answer.err, "help: ") if word != uuid(6) else None
    assert host.changes() == []


def wrong_properties_refused(host):
    """properties are judged by the one validator, before xapi is asked for anything"""
    for words in (
        ["--pool-id", "C"],
        ["--pool-id", "a"],
        ["--pool-id", ""],
        ["--priority", "urgent"],
        ["--vm-id", "-1"],
        ["--vm-id", "007"],
        ["--vm-id", "4294967296"],
        ["--vm-id", "1,addr=0x18"],
        ["--pool-id", "A,priority=low"],
        ["--addr", "2"],
        ["--addr", "0x1f"],
        ["--pool-id", "A\n"],
    ):
        one_line(host("attach", "web", "vgpu-stub", *words, code=2).err)
    assert host.calls() == []


def usage_errors(host):
    """a wrong command line ends with code 2 and one line"""
    both = ["status", "--all", "web"]
    for words in ([], ["enable"], ["attach"], ["attach", "web", "vgpu-stub", "--force"], ["status"], both):
        one_line(host(*words, code=2).err)
    contains(host("--help").out, "attach", "doctor", "exit codes")


def interrupted_between_steps(host):
    """Ctrl-C in a step lets it end, starts no other, and says what is left"""
    host.set(VM, platform={"vga": "std", GUIDE: "-device vgpu-stub"})
    host.change("xapi", fault="slow vm-param-set")
    child = subprocess.Popen(
        host.argv(["attach", "web", "vgpu-stub"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    host.waits(lambda: host.calls("xe", "vm-param-set"), child)
    child.send_signal(signal.SIGINT)
    host.write("state/go", "")
    out, err = child.communicate(timeout=600)
    assert host.platform() == {OURS: DEFAULT, GUIDE: "-device vgpu-stub"}, (out, err)
    assert child.returncode == 130, (child.returncode, err)
    contains(err.decode(), "stopped after: set vgpu-stub", "what is left: xe vm-param-remove")
    # The state that is left is one that a start refuses, and running it again mends.
    assert host.json("status", "web")["vms"][0]["setting"]["state"] == "invalid"
    host("attach", "web", "vgpu-stub")
    assert host.platform() == {OURS: DEFAULT}


CHECKS = (
    attached_with_defaults,
    attached_with_properties,
    older_spelling_renewed,
    foreign_arguments_refused,
    invalid_setting_replaced,
    both_spellings_become_one,
    detached,
    dry_run_changes_nothing,
    running_vm_is_asked_for,
    json_of_changes,
    wrong_vms_refused,
    wrong_properties_refused,
    usage_errors,
    interrupted_between_steps,
)
