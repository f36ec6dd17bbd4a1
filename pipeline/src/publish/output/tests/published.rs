// SPDX-License-Identifier: GPL-2.0-or-later
//! What has been published stays what it was, and whose it was.

use super::*;

#[test]
fn another_key_needs_to_be_accepted() {
    let world = World::new();
    let stored = world.repository("1", "a");
    let folder = world.place("out");
    write(&stored, &world.output(&folder)).unwrap();
    for (signer, named) in [(Some("OTHER"), "by OTHER"), (None, "by a development key, which")] {
        let signer = || signer.map(str::to_owned);
        let output = Output { signer: signer(), ..world.output(&folder) };
        let error = crate::error::render(&examine(&output, None).unwrap_err());
        assert!(error.contains("is signed by KEY, and this run would sign it"), "{error}");
        assert!(error.contains(named) && error.contains("`--accept-new-signer`"), "{error}");
        let consent = Consent { replace: true, ..Consent::default() };
        let output = Output { signer: signer(), consent, ..world.output(&folder) };
        assert!(examine(&output, None).is_err(), "one flag does not mean two things");
        let consent = Consent { new_signer: true, ..Consent::default() };
        examine(&Output { signer: signer(), consent, ..world.output(&folder) }, None).unwrap();
    }
}

#[test]
fn a_name_and_version_keeps_its_content() {
    let world = World::new();
    let folder = world.place("out");
    let (first, other) = (world.repository("1", "a"), world.repository("1", "b"));
    write(&first, &world.output(&folder)).unwrap();
    let before = tree(&folder);
    let error = world.refusal(&other, &folder);
    assert!(
        error.contains(
            "`Packages/qemu-1-1.x86_64.rpm` (qemu-1-1.x86_64): the SHA-256 of its header is a there \
             and b here"
        ),
        "{error}"
    );
    assert!(error.contains("raise `release-suffix`") && error.contains("`--replace`"), "{error}");
    assert_eq!(tree(&folder), before);
    let consent = Consent { new_signer: true, ..Consent::default() };
    assert!(write(&other, &Output { consent, ..world.output(&folder) }).is_err());
    // Gone from the repository in between, its name is taken all the same.
    write(&world.repository("2", "c"), &world.output(&folder)).unwrap();
    assert!(world.refusal(&other, &folder).contains("qemu-1-1.x86_64"));
    write(&first, &world.output(&folder)).unwrap();
    let consent = Consent { replace: true, ..Consent::default() };
    write(&other, &Output { consent, ..world.output(&folder) }).unwrap();
    assert_eq!(tree(&folder)["Packages/qemu-1-1.x86_64.rpm"], "b");
    assert!(world.refusal(&first, &folder).contains("is b there and a here"));
}

#[test]
fn another_payload_and_another_epoch_under_one_file_name_are_other_content() {
    let world = World::new();
    let folder = world.place("out");
    let file = "Packages/qemu-1-1.x86_64.rpm";
    write(&world.repository("1", "a"), &world.output(&folder)).unwrap();
    let payload = Content { payload_sha256: "q".to_owned(), ..content(file, "a") };
    let other = world.with(file, "b", BTreeMap::from([("qemu-1-1.x86_64".to_owned(), payload)]));
    assert!(world.refusal(&other, &folder).contains("its payload is p there and q here"));
    let epoch = BTreeMap::from([("qemu-2:1-1.x86_64".to_owned(), content(file, "c"))]);
    let other = world.with(file, "c", epoch);
    let error = world.refusal(&other, &folder);
    assert!(error.contains("is qemu-1-1.x86_64 there and qemu-2:1-1.x86_64 here"), "{error}");
    // Another signature alone is the same content.
    let signed = BTreeMap::from([("qemu-1-1.x86_64".to_owned(), content(file, "a"))]);
    write(&world.with(file, "a, signed anew", signed), &world.output(&folder)).unwrap();
}

#[test]
fn a_package_that_nobody_updates_to_is_told() {
    let world = World::new();
    let folder = world.place("out");
    let overtaken = |version: &str| {
        let written =
            write(&world.repository(version, version), &world.output(&folder)).unwrap().overtaken;
        written.iter().map(|(ours, newer)| format!("{ours} < {newer}")).collect::<Vec<_>>()
    };
    let none = Vec::<String>::new();
    assert_eq!(overtaken("1.9"), none);
    assert_eq!(overtaken("1.10"), none);
    assert_eq!(overtaken("1.9"), ["qemu-1.9-1.x86_64 < qemu-1.10-1.x86_64"]);
    // The newest of all that have been there, and an epoch before everything else.
    assert_eq!(overtaken("1:0"), none);
    assert_eq!(overtaken("3"), ["qemu-3-1.x86_64 < qemu-1:0-1.x86_64"]);
    assert_eq!(overtaken("1:1~rc1"), none);
    assert_eq!(overtaken("1:1"), none);
}

/// An output as it was before there was a record.
fn older(world: &World, folder: &Path) {
    write(&world.repository("1", "a"), &world.output(folder)).unwrap();
    std_fs::remove_file(folder.join(RECORD)).unwrap();
    let manifest = r#"{ "format": 1, "pipeline": "toy", "builder": "vgpu-pipeline 0.1.0",
        "signer": "KEY", "development_key": true }"#;
    std_fs::write(folder.join("manifest.json"), manifest).unwrap();
    std_fs::write(folder.join("SHA256SUMS.asc"), "signature").unwrap();
    let mut sums = String::new();
    for name in ["Packages/qemu-1-1.x86_64.rpm", "manifest.json", "repodata/repomd.xml"] {
        let sum = crate::digest::sha256_file(&folder.join(name)).unwrap();
        sums.extend([sum.as_str(), "  ", name, "\n"]);
    }
    std_fs::write(folder.join("SHA256SUMS"), sums).unwrap();
}

#[test]
fn an_output_of_an_older_version_is_taken_where_its_sums_say_that_it_is_ours() {
    let world = World::new();
    let new = world.repository("2", "b");
    let folder = world.place("out");
    older(&world, &folder);
    std_fs::write(folder.join("index.html"), "mine").unwrap();
    let written = write(&new, &world.output(&folder)).unwrap();
    assert_eq!(written.kept, ["index.html"]);
    assert!(!tree(&folder).contains_key("Packages/qemu-1-1.x86_64.rpm"));
    let says = |at: &Path, more: &str| {
        let path = at.join("manifest.json");
        let text = std_fs::read_to_string(&path)
            .unwrap()
            .replace("{ \"format\"", &format!("{{ {more}, \"format\""));
        std_fs::write(&path, text).unwrap();
        // The sums are true all the same.
        let sum = crate::digest::sha256_file(&path).unwrap();
        let sums = std_fs::read_to_string(at.join("SHA256SUMS")).unwrap();
        let edited = format!("{sum}  manifest.json");
        let lines = sums.lines().map(|line| {
            let line = if line.ends_with("manifest.json") { &edited } else { line };
            format!("{line}\n")
        });
        std_fs::write(at.join("SHA256SUMS"), lines.collect::<String>()).unwrap();
    };
    for (number, (more, taken)) in [
        ("\"odd\": 1", true),
        ("\"compiler_cache\": null", false),
        ("\"compiler_cache\": { \"own\": \"k\" }", false),
        ("\"compiler_cache\": { \"stock\": \"k\" }", false),
        ("\"compiler_cache\": []", false),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = world.place(&format!("record-{number}"));
        older(&world, &folder);
        says(&folder, more);
        let before = tree(&folder);
        // A version that says that keeps a record: it is gone, and with it what had been published.
        if taken {
            write(&new, &world.output(&folder)).unwrap();
            continue;
        }
        let error = world.refusal(&new, &folder);
        assert!(error.contains("has no record `.vgpu-pipeline.json` of it"), "{more}: {error}");
        assert_eq!(tree(&folder), before);
    }
    let spoil: [fn(&Path); 5] = [
        |at| std_fs::write(at.join("repodata/repomd.xml"), "edited").unwrap(),
        |at| std_fs::remove_file(at.join("SHA256SUMS.asc")).unwrap(),
        |at| {
            let path = at.join("SHA256SUMS");
            let sums = std_fs::read_to_string(&path).unwrap();
            std_fs::write(path, sums.replace("repodata/", "../out/repodata/")).unwrap();
        },
        |at| {
            let path = at.join("manifest.json");
            std_fs::write(&path, std_fs::read_to_string(&path).unwrap().replace("toy", "other"))
                .unwrap();
        },
        |at| std_fs::write(at.join("SHA256SUMS"), "").unwrap(),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let folder = world.place(&number.to_string());
        older(&world, &folder);
        spoil(&folder);
        let before = tree(&folder);
        let error = world.refusal(&new, &folder);
        assert!(
            error.contains("if it is an older output of this pipeline, move it away"),
            "{error}"
        );
        assert_eq!(tree(&folder), before);
    }
    // Without a list of packages, a file's own digest says whether it is another.
    let folder = world.place("same");
    older(&world, &folder);
    assert!(world.refusal(&world.repository("1", "b"), &folder).contains("its blake3 is "));
    let output = world.output(&folder);
    write(&world.repository("1", "a"), &output).unwrap();
}

/// Beside a repository, in its folders and while a new state is switched in: a file that somebody makes
/// and takes away again ends no run. In a folder of ours it is a stray while it is there, and said to be.
#[test]
fn what_goes_between_a_look_and_the_next_is_not_there() {
    let world = World::new();
    let folder = world.place("out");
    let output = world.output(&folder);
    write(&world.repository("1", "a"), &output).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let is_done = || done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        let (folder, is_done) = (&folder, &is_done);
        for (name, is_folder) in [("upload", false), ("fold", true), ("Packages/upload", false)] {
            scope.spawn(move || {
                // No name comes twice: one that has another file is something that has to stay.
                for number in (0..).take_while(|_| !is_done()) {
                    let path = folder.join(format!("{name}-{number}"));
                    if is_folder {
                        let _ = std_fs::create_dir(&path);
                        let _ = std_fs::remove_dir(&path);
                    } else {
                        let _ = std_fs::write(&path, "");
                        let _ = std_fs::remove_file(&path);
                    }
                }
            });
        }
        let mut wrong = Vec::new();
        for round in 0..300 {
            if let Err(error) = examine(&output, None) {
                wrong.push(format!("examine: {error:#}"));
            }
            if round % 10 == 0
                && let Err(error) =
                    write(&world.repository(&format!("{}", round + 2), "b"), &output)
            {
                wrong.push(format!("write: {error:#}"));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        wrong.retain(|error| !error.contains("`Packages/upload-"));
        assert!(wrong.is_empty(), "{} of 330:\n{}", wrong.len(), wrong.join("\n"));
    });
    let gone = folder.join("gone");
    assert!(target::if_there(target::is_mount(&gone)).unwrap().is_none());
    assert!(target::if_there(target::is_mount(&folder)).unwrap().is_some());
}
