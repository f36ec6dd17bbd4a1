// SPDX-License-Identifier: GPL-2.0-or-later
//! Equal runs judge equally, on a busy machine too: what the manifest says of a judgement holds
//! nothing of the moment. `VGPU_EQUAL_RUNS` says how many; without it they are a few.

use crate::support::{Toy, campaign, ends_with, events, has_note, result};
use std::fs;
use std::process::{Child, Command, Stdio};

/// Programs that keep both of a small machine's processors busy.
struct Burners(Vec<Child>);

impl Burners {
    fn light() -> Self {
        // They end with this end of the pipe, however that comes.
        let script = "(while :; do :; done) & read -r _; kill $!";
        let burn = || Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn();
        Self(vec![burn().unwrap(), burn().unwrap()])
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for burner in &mut self.0 {
            drop(burner.stdin.take());
            let _ = burner.wait();
        }
    }
}

#[test]
fn equal_runs_on_a_busy_machine_have_equal_manifests() {
    let runs = campaign::number("VGPU_EQUAL_RUNS", 3);
    let toy = Toy::new("toy-equal-runs");
    // The toy has no machine: a start that is refused, with a reason, is in its manifest.
    toy.edit("toy.yaml", "    - name: vgpu-stub\n", "    - name: vgpu-stub\n      starts: [{}]\n");
    let _burners = Burners::light();
    let mut manifests = Vec::new();
    for _ in 0..runs {
        let events = events(&mut toy.run());
        assert!(!has_note(&events, "asked once more"), "{events:#?}");
        manifests.push(fs::read_to_string(toy.output().join("manifest.json")).unwrap());
        // Judged anew the next time, and everything behind it.
        for stage in ["verify", "sign", "publish"] {
            ends_with(0, Command::new("rm").arg("-r").arg(result(&events, stage)));
        }
    }
    assert!(manifests[0].contains("not-run"), "{}", manifests[0]);
    assert!(!manifests[0].contains("it gave no reason"), "{}", manifests[0]);
    assert!(manifests.iter().all(|manifest| *manifest == manifests[0]), "{manifests:#?}");
    println!("{runs} runs, equal manifests");
}
