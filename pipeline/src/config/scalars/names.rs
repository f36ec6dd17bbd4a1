// SPDX-License-Identifier: GPL-2.0-or-later
//! Names, digests, values and text.

use super::macros::scalars;
use super::{LONGEST_NAME, Reading, Scalar};

const HEX_HELP: &str = "`sha256sum FILE` prints it";

scalars! {
    /// The name of a pipeline or a repository, which is a section in a file of yum's: at most 100 lowercase
    /// letters, digits, `.` and `-`, and not `main`, which is yum's own.
    Name = Scalar::new(
        "a name of at most 100 lowercase letters, digits, `.` and `-`, other than yum's own `main`",
        "^[a-z0-9][a-z0-9.-]*$",
    ).longest(LONGEST_NAME).never("^main$").help("it names a folder, an image and a section of a file of yum's");

    /// A sha256 as 64 lowercase hexadecimal digits.
    Sha256 = Scalar::new("a sha256 of 64 lowercase hexadecimal digits", "^[0-9a-f]{64}$").help(HEX_HELP);

    /// A sha512 as 128 lowercase hexadecimal digits.
    Sha512 = Scalar::new("a sha512 of 128 lowercase hexadecimal digits", "^[0-9a-f]{128}$");

    /// The name of a QOM type, as `-device help` prints it.
    QomType = Scalar::new(
        "a QOM type name of lowercase letters, digits, `.` and `-`",
        "^[a-z][a-z0-9.-]*$",
    ).longest(255).named_in_c().meant(&[
        ("PCIDevice", "pci-device"), ("PCI_DEVICE", "pci-device"), ("TYPE_PCI_DEVICE", "pci-device"),
        ("DeviceState", "device"), ("TYPE_DEVICE", "device"), ("SysBusDevice", "sys-bus-device"),
        ("TYPE_SYS_BUS_DEVICE", "sys-bus-device"),
        ("INTERFACE_CONVENTIONAL_PCI_DEVICE", "conventional-pci-device"),
        ("CONVENTIONAL_PCI_DEVICE", "conventional-pci-device"),
        ("INTERFACE_PCIE_DEVICE", "pci-express-device"), ("PCIE_DEVICE", "pci-express-device"),
    ]).help("it is the name that the C file registers, as in `.name = \"vgpu-stub\"`");

    /// A symbol of QEMU's build configuration.
    ConfigSymbol = Scalar::new("a symbol such as `CONFIG_PCI`", "^CONFIG_[A-Z0-9_]+$")
        .longest(255).help("one symbol alone, as QEMU's Kconfig has it");

    /// The name of a Debian package (Debian policy 5.6.1).
    DebianPackage = Scalar::new("a Debian package name", "^[a-z0-9][a-z0-9+.-]+$").longest(255);

    /// A Debian version (Debian policy 5.6.12), epoch included.
    DebianVersion = Scalar::new(
        "a Debian version such as `1:7.2+dfsg-7`",
        "^[0-9][A-Za-z0-9.+:~-]*$",
    ).longest(255);

    /// A suite of a Debian archive, such as `bookworm`.
    Suite = Scalar::new("a suite such as `bookworm`", "^[a-z][a-z0-9-]*$").longest(255);

    /// A git commit: 40 hexadecimal digits, or 64 in a SHA-256 repository.
    Commit = Scalar::new(
        "a git commit of 40 lowercase hexadecimal digits",
        "^([0-9a-f]{40}|[0-9a-f]{64})$",
    ).help("`git rev-parse BRANCH` prints the whole of it; a branch goes to `branch:`, a tag to `tag:`");

    /// A branch or a tag (git-check-ref-format, without what a refspec gives a meaning).
    GitRef = Scalar::new(
        "a branch or tag such as `master` or `v4.2.1`",
        "^[A-Za-z0-9_](\\.?[A-Za-z0-9_+-])*(/[A-Za-z0-9_+-](\\.?[A-Za-z0-9_+-])*)*$",
    ).longest(255).never("\\.lock");

    /// An OpenPGP fingerprint: 40 hexadecimal digits, or 64 of a version 6 key.
    Fingerprint = Scalar::new(
        "a fingerprint of 40 uppercase hexadecimal digits",
        "^([0-9A-F]{40}|[0-9A-F]{64})$",
    ).help("`gpg --show-keys FILE` prints it; write it without spaces");

    /// The fingerprint of the key that signs. Beside it stands what is secret, so it is not shown.
    KeyFingerprint = Scalar::new(
        "a fingerprint of 40 uppercase hexadecimal digits",
        "^([0-9A-F]{40}|[0-9A-F]{64})$",
    ).hidden().help("`vgpu-pipeline key show` prints it");

    /// What yum is asked to install: a package by name, or a capability such as `/usr/bin/gcc`.
    RpmCapability = Scalar::new(
        "the name of a package or a capability",
        "^[A-Za-z0-9/_][A-Za-z0-9/_.+()-]*$",
    ).longest(255).help("yum is asked for a name alone: `lock` pins the version");

    /// The names of packages, as yum's `includepkgs` and `exclude` have them.
    PackagePattern = Scalar::new(
        "the name of a package, in which `*` stands for any characters",
        "^[A-Za-z0-9_*][A-Za-z0-9_.+*-]*$",
    ).longest(255);

    /// A version and a release, with an epoch where it has one, as `rpm -q` prints them.
    RpmVersion = Scalar::new(
        "a version and a release such as `26.1.4-3.1.xcpng8.3`",
        "^([0-9]{1,9}:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+$",
    ).longest(255).read(Reading::Spelled);

    /// The name of an rpm macro.
    MacroName = Scalar::new(
        "an rpm macro name of at least three letters, digits and `_`",
        "^[A-Za-z_][A-Za-z0-9_]{2,}$",
    ).longest(255).help("rpm takes no shorter name, and it is written without `%`");

    /// The value of an rpm macro: one line, not empty. It is taken as it is spelled.
    MacroValue = Scalar::new(LINE_EXPECTED, LINE).read(Reading::Spelled);

    /// The name of an environment variable.
    VariableName = Scalar::new(
        "the name of an environment variable: letters, digits and `_`",
        "^[A-Za-z_][A-Za-z0-9_]*$",
    ).longest(255).hidden().help(
        "name the variable here, without `$`, and set it where the program runs: the file never holds the \
         secret",
    );

    /// The name of a C macro.
    CMacro = Scalar::new(
        "the name of a C macro: letters, digits and `_`",
        "^[A-Za-z_][A-Za-z0-9_]*$",
    ).longest(255);

    /// The value of a C macro: a number or a name. It is taken as it is spelled.
    CValue = Scalar::new("a number or a name as C spells it", "^[A-Za-z0-9_]+$")
        .longest(255).read(Reading::Spelled);

    /// The name of a QOM property.
    PropertyName = Scalar::new(
        "the name of a property: letters, digits, `_`, `-` and `.`",
        "^[A-Za-z_][A-Za-z0-9_.+*\\[\\]-]*$",
    ).longest(255);

    /// The kind of a property's value, as `-device TYPE,help` has it. QEMU's own are closed: `str`, `bool`,
    /// `size`, and integers such as `uint32`. An enumeration has the name of its QAPI type, such as
    /// `OnOffAuto`, and a link that of the type it leads to, such as `link<memory-backend>`.
    PropertyKind = Scalar::new(
        "the kind of a property as QEMU has it: `str`, `bool`, `size`, an integer such as `uint32`, an \
         enumeration such as `OnOffAuto`, or `link<TYPE>`",
        "^(str|bool|size|list|ptr|u?int(4|8|16|32|64)|[a-z0-9]*[A-Z_./-][A-Za-z0-9_./-]*\
         |[a-z]+<[A-Za-z0-9_./-]+>)$",
    ).longest(255).meant(&[
        ("str", "str"), ("bool", "bool"), ("size", "size"),
        ("uint8", "uint8"), ("uint16", "uint16"), ("uint32", "uint32"), ("uint64", "uint64"),
        ("int8", "int8"), ("int16", "int16"), ("int32", "int32"), ("int64", "int64"),
        ("string", "str"), ("text", "str"), ("char*", "str"), ("const char*", "str"),
        ("boolean", "bool"), ("bit", "bool"), ("flag", "bool"), ("on/off", "bool"),
        ("int", "int32"), ("integer", "int32"), ("i8", "int8"), ("i16", "int16"), ("i32", "int32"),
        ("i64", "int64"), ("u8", "uint8"), ("u16", "uint16"), ("u32", "uint32"), ("u64", "uint64"),
        ("uint", "uint32"), ("unsigned", "uint32"), ("number", "uint32"), ("long", "int64"),
        ("uint8_t", "uint8"), ("uint16_t", "uint16"), ("uint32_t", "uint32"), ("uint64_t", "uint64"),
        ("int8_t", "int8"), ("int16_t", "int16"), ("int32_t", "int32"), ("int64_t", "int64"),
    ]).never("^u?int[0-9]+_t$").help("`-device TYPE,help` of a QEMU that has the device prints it");

    /// The value of a property, as it stands on QEMU's command line; it may be empty. It is taken as it
    /// is spelled.
    PropertyValue = Scalar::new(
        "one line of text of at most 255 characters",
        "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    ).longest(255).read(Reading::Spelled);

    /// What an operator may set a property to.
    SettingWord = Scalar::new(
        "a word of letters, digits, `.`, `_`, `:`, `@`, `+`, `/` and `-`",
        "^[A-Za-z0-9._:@+/-]+$",
    ).longest(256).read(Reading::Spelled)
        .help("a comma, a space or a quote would be a mark for QEMU's options");

    /// The form of a text that an operator may set.
    TextPattern = Scalar::new(
        "a pattern of literal characters and classes such as `[a-z][a-z0-9-]{0,31}`",
        "^[!-~]+$",
    ).longest(256).read(Reading::Spelled);

    /// The offset of a register, in decimal or as `0x…`.
    Register = Scalar::new(
        "the offset of a register: a number such as `0x010`",
        "^(0x[0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,18})$",
    ).read(Reading::Number).help("write where it is in BAR 0, such as `0x010`");

    /// What stands behind `%{?dist}` in the Release, and so in the names of packages.
    ReleaseSuffix = Scalar::new(
        "a suffix of a dot and at most 31 lowercase letters or digits, such as `.vgpu1`",
        "^\\.[a-z0-9]{1,31}$",
    ).help("it begins with a dot, and stands behind `%{?dist}`");

    /// One line of text: not empty, no control characters.
    Line = Scalar::new(LINE_EXPECTED, LINE);

    /// Memory, in MiB or GiB.
    Memory = Scalar::new("an amount of memory such as `8GiB` or `512MiB`", "^[1-9][0-9]{0,6}[MG]iB$")
        .help("a number and `MiB` or `GiB`, in one word");

    /// Any text. What it is for looks at it.
    AnyText = Scalar::new("text", "").hidden();
}

const LINE_EXPECTED: &str = "one line of text";
/// With one character at least that is neither space nor control.
const LINE: &str = concat!(
    "^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]*",
    "[^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]",
    "[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]*$",
);
