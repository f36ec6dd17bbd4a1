//! `shell`: the container of a stage that failed, with the tree as it stood.

use crate::support::{Toy, ends_with, events, program, refusal};
use std::io::Write;
use std::process::{Command, Stdio};

fn shell(toy: &Toy) -> Command {
    let mut command = program();
    command.arg("shell").arg(toy.path("toy.yaml"));
    command
}

fn said(command: &mut Command) -> String {
    String::from_utf8(ends_with(0, command).stdout).unwrap()
}

#[test]
fn a_build_that_failed_can_be_entered_and_a_good_run_ends_that() {
    // Another run of these tests may have been cut off, and what it left is kept by name.
    let name = format!("shell-build-{}", std::process::id());
    let toy = Toy::new(&name);
    let error = refusal(2, &mut shell(&toy));
    assert!(error.contains(&format!("no stage of `{name}` has failed")), "{error}");

    let broken = ("\n%install\n", "\necho half > half-made; exit 3\n\n%install\n");
    toy.edit("qemu.spec", broken.0, broken.1);
    let error = refusal(1, &mut toy.run());
    assert!(error.contains("`vgpu-pipeline shell FILE` enters its environment"), "{error}");

    let look =
        "pwd; cat BUILD/qemu-4.2.1/half-made; ls /sys/class/net; cat /sources/*.c | head -n 1";
    let seen = said(shell(&toy).args(["--", "sh", "-c", look]));
    assert!(seen.starts_with("/build\nhalf\nlo\n/*"), "{seen}");
    let mut typed = shell(&toy);
    let mut child = typed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"touch /build/mine && id -u\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1000\n");
    let error = refusal(1, shell(&toy).args(["--", "sh", "-c", "exit 7"]));
    assert!(error.contains("ended with exit status: 7"), "{error}");

    toy.edit("qemu.spec", broken.1, broken.0);
    events(&mut toy.run());
    refusal(2, &mut shell(&toy));
}

#[test]
fn packages_that_were_refused_are_there_to_be_looked_at() {
    let toy = Toy::new("shell-verify");
    toy.edit("toy.yaml", "vm_id: uint32 }", "vm_id: uint32, colour: str }");
    let error = refusal(1, &mut toy.run());
    assert!(error.contains("`vgpu-pipeline shell FILE`"), "{error}");
    let seen = said(shell(&toy).args([
        "--",
        "sh",
        "-c",
        "rpm -qp --qf '%{NAME}\\n' /packages/*.x86_64.rpm",
    ]));
    assert!(seen.ends_with("qemu\n"), "{seen}");
}
