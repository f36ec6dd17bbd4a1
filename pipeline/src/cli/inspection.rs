// SPDX-License-Identifier: GPL-2.0-or-later
//! An inspection and a difference for people: what matters to whoever installs the file, in a few lines.

use crate::config::ExpectedType;
use crate::rules::{Finding, InspectedPackage, Level};
use crate::verify::{Change, Cut, ElfInfo, Inspection, Property, Qom, Subject};

pub fn print(inspection: &Inspection, expected: &[ExpectedType]) {
    match &inspection.found {
        Subject::Package(package) => {
            print_package(&package.facts, expected);
            print_findings(&package.findings);
        }
        Subject::Binary(program) => {
            say!("{} ({} bytes)", inspection.file.display(), program.size);
            print_types(&program.qom, expected);
            print_elf(&program.elf);
        }
    }
    let seconds = &inspection.seconds;
    say!(
        "read {:.3} s, census {:.3} s, rules {:.3} s",
        seconds.read,
        seconds.census,
        seconds.rules
    );
}

/// The difference, where one was asked for.
pub fn print_changes(changes: Option<&[Change]>) {
    let Some(changes) = changes else { return };
    if changes.is_empty() {
        say!("no difference");
    }
    for line in Cut::default().lines(changes, ToString::to_string) {
        say!("{line}");
    }
}

fn print_package(facts: &InspectedPackage, expected: &[ExpectedType]) {
    let payload = &facts.payload;
    say!(
        "{}: {} files in {} bytes of {}",
        facts.nevra,
        facts.files.len(),
        payload.size,
        payload.compressor
    );
    let signed = facts.signature.signed_by.as_ref();
    say!("  digests     {}", list(&facts.signature.digests));
    if let Some(key) = signed {
        say!("  signed by   {key}");
    }
    for binary in &facts.binaries {
        say!("{} ({} bytes)", binary.path.display(), binary.size);
        print_types(&binary.qom, expected);
        if let Some(elf) = facts.elf_of(&binary.path) {
            print_elf(elf);
        }
    }
}

fn print_findings(findings: &[Finding]) {
    let mut cut = Cut::default();
    for of_rule in findings.chunk_by(|one, next| one.rule == next.rule) {
        let Finding { rule, level, help, .. } = &of_rule[0];
        let level = if *level == Level::Require { "broken" } else { "warning" };
        for what in cut.lines(of_rule, |finding| finding.what.clone()) {
            say!("{level} {rule}: {what}");
        }
        say!("help: {help}");
    }
}

fn print_types(qom: &Qom, expected: &[ExpectedType]) {
    let Some(layout) = qom.layout else {
        say!("  QOM         no types");
        return;
    };
    let made = qom.types.iter().filter(|found| found.family.is_some()).count();
    say!("  QOM         {} types, {made} of them from tables", qom.types.len());
    let property = qom.property_layout.map(|it| format!(", Property as of {it}"));
    say!("  layout      TypeInfo as of QEMU {layout}{}", property.unwrap_or_default());
    let in_modules: usize = qom.modules.iter().map(|module| module.types.len()).sum();
    say!(
        "  outside     {in_modules} types in modules, {} registrations of what is made at run time",
        qom.uncounted.made_at_run_time
    );
    for expected in expected {
        let found = qom.types.iter().find(|found| found.name == expected.name.as_str());
        let Some(found) = found else { continue };
        say!("  type        {}", found.name);
        say!("    parent      {}", found.parent);
        say!("    interfaces  {}", list(&found.interfaces));
        let properties: Vec<String> =
            found.properties.iter().flatten().map(Property::to_string).collect();
        say!("    properties  {}", list(&properties));
    }
}

fn print_elf(elf: &ElfInfo) {
    let yes = |flag: bool, name: &str| flag.then(|| name.to_owned());
    let hardening = [
        yes(elf.pie, "PIE"),
        yes(elf.relro, "RELRO"),
        yes(elf.bind_now, "BIND_NOW"),
        yes(!elf.executable_stack && !elf.writable_code, "NX"),
        yes(elf.stack_protector, "stack protector"),
    ];
    say!("  hardening   {}", list(&hardening.into_iter().flatten().collect::<Vec<_>>()));
    if let Some((major, minor)) = elf.glibc {
        say!("  glibc       {major}.{minor}");
    }
    say!("  interpreter {}", elf.interpreter.as_deref().unwrap_or("none"));
    say!("  needs       {}", list(&elf.needed));
    for (name, more) in [
        ("RPATH", &elf.rpath),
        ("RUNPATH", &elf.runpath),
        ("AUDIT", &elf.audit),
        ("filters", &elf.filters),
    ] {
        if !more.is_empty() {
            say!("  {name:<11} {}", list(more));
        }
    }
    say!("  build-id    {}", elf.build_id.as_deref().unwrap_or("none"));
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
