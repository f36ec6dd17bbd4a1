use super::super::rpm::sample;
use super::*;
use std::path::PathBuf;

#[test]
fn a_name_is_one_packages_whatever_else_differs() {
    let of = |name: &str, arch: &str| sample::facts(name, arch);
    let later = |name: &str| {
        let mut facts = of(name, "x86_64");
        facts.id.version = "2".to_owned();
        facts.id.epoch = 9;
        facts
    };
    // Another architecture, none, the same once more, another version, and the package for dom0.
    for second in [of("qemu", "i686"), of("qemu", "noarch"), of("qemu", "x86_64"), later("qemu")] {
        let arch = second.id.arch.clone();
        for packages in [
            vec![of("qemu", "x86_64"), second.clone()],
            vec![of("qemu", "x86_64"), of("qemu-tools", "x86_64"), second.clone()],
            vec![of("a", "noarch"), of("qemu", "x86_64"), second],
        ] {
            let error = each_name_once(&packages).unwrap_err().to_string();
            let expected =
                format!("two packages are called `qemu`, one of them for `{arch}`\nhelp: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
    each_name_once(&[of("qemu", "x86_64"), of("qemu-dm", "x86_64"), of("Qemu", "x86_64")]).unwrap();
    each_name_once(&[]).unwrap();
}

/// A package of so many files that begin as an ELF file does, and are none.
fn of_elf_files(folder: &Path, name: &str, count: usize) -> PathBuf {
    let path = folder.join(name);
    let mut builder = ::rpm::PackageBuilder::new(name, "1", "MIT", "noarch", "A test");
    for number in 0..count {
        let options = ::rpm::FileOptions::new(format!("/opt/{number}"));
        builder.with_file_contents(format!("\x7fELF{number}"), options).unwrap();
    }
    builder.build().unwrap().write_file(&path).unwrap();
    path
}

#[test]
fn only_so_many_elf_files_are_looked_at_in_all_packages_together() {
    let folder = tempfile::tempdir().unwrap();
    let all = of_elf_files(folder.path(), "all", MOST_ELF_FILES);
    let (one, more) = (
        of_elf_files(folder.path(), "one", 1),
        of_elf_files(folder.path(), "more", MOST_ELF_FILES + 1),
    );
    let refused = |packages: &[&Path]| -> Option<String> {
        let mut reader = Reader::new(&[], &[]);
        let read = packages.iter().try_for_each(|path| reader.read(path).map(|_| ()));
        read.err().map(|error| format!("{error:#}"))
    };
    assert_eq!(refused(&[&all]), None);
    for (packages, named) in
        [(&[&*more][..], "more"), (&[&*one, &*all][..], "all"), (&[&*all, &*one][..], "one")]
    {
        let error = refused(packages).unwrap();
        let expected =
            "with it there are more than 4096 ELF files, the most that are looked at\nhelp: ";
        assert!(error.starts_with(&format!("package `{named}`: ")), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
