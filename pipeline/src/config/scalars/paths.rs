// SPDX-License-Identifier: GPL-2.0-or-later
//! Files and folders: of this machine, of a tree, of a host.

use super::Scalar;
use super::macros::scalars;

/// A name in a tree of sources, which is neither `.` nor `..`.
macro_rules! tree_part {
    () => {
        "(\\.{0,2}[A-Za-z0-9_-][A-Za-z0-9_.-]*|\\.{3,}[A-Za-z0-9_.-]*)"
    };
}

/// The same in the first place, where nothing may look like an option.
macro_rules! tree_path {
    () => {
        concat!("[A-Za-z0-9_][A-Za-z0-9_.-]*(/", tree_part!(), ")*")
    };
}

/// A name on a host, which is neither `.` nor `..`.
macro_rules! host_part {
    () => {
        concat!(
            "\\.{0,2}[^./\\u0000-\\u001f\\u007f-\\u009f][^/\\u0000-\\u001f\\u007f-\\u009f]*",
            "|\\.{3,}[^/\\u0000-\\u001f\\u007f-\\u009f]*",
        )
    };
}

/// What no name of a file may have: `/`, control characters, and what moves a terminal.
macro_rules! unfit {
    () => {
        "/\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
    };
}

scalars! {
    /// A folder in QEMU's source tree, relative to its top.
    TreePath = Scalar::new(
        "a relative path such as `hw/misc`, without `..`",
        concat!("^", tree_path!(), "$"),
    ).longest(255).help("it starts at the top of the tree");

    /// A folder of a repository: a path, or `.` for its top.
    TreeFolder = Scalar::new(
        "a folder such as `SOURCES`, or `.` for the top of the repository",
        concat!("^(\\.|", tree_path!(), ")$"),
    ).longest(255);

    /// A file or a folder of a host, by its path from the top.
    HostPath = Scalar::new(
        "an absolute path such as `/usr/lib64`, without `.`, `..` and empty parts",
        concat!("^/((", host_part!(), ")(/(", host_part!(), "))*/?)?$"),
    );

    /// The name of a file, without a folder.
    FileName = Scalar::new("a plain file name", "^[A-Za-z0-9_][A-Za-z0-9_.+~-]*$").longest(255);

    /// The name of a file as it may lie in rpmbuild's SOURCES: whatever a spec can say, without a folder
    /// and without what moves a terminal. A file system takes 255 bytes, and a letter has up to four.
    SourceFile = Scalar::new(
        "the name of a file, without a folder and control characters",
        concat!("^([!-.0-~ ]{1,255}|[^", unfit!(), "]{1,63})$"),
    ).never("^\\.\\.?$");

    /// A file or a folder of this machine, relative to the pipeline file.
    LocalPath = Scalar::new("a path on this machine", "^[^\\u0000-\\u001f\\u007f-\\u009f]+$");

    /// A file of this machine, of which the last part is a name that rpmbuild's SOURCES can have.
    LocalFile = Scalar::new(
        "a path that ends in the name of a file",
        concat!("^([^\\u0000-\\u001f\\u007f-\\u009f]*/)?([!-.0-~ ]{1,255}|[^", unfit!(), "]{1,63})$"),
    ).never("(^|/)\\.\\.?$");

    /// A file of this machine, of which the last part is plain enough for a spec and a line of shell.
    PlainFile = Scalar::new(
        "a path that ends in a plain file name",
        "^([^\\u0000-\\u001f\\u007f-\\u009f]*/)?[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,254}$",
    );

    /// A C file of this machine. What QEMU's build makes of its name has the folder's before it, and
    /// endings, in a file system that takes 255 bytes.
    CFile = Scalar::new(
        "a path to a `.c` file with a plain name of at most 100 letters",
        "^([^\\u0000-\\u001f\\u007f-\\u009f]*/)?[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,97}\\.c$",
    ).help("letters, digits, `_`, `.`, `+`, `~` and `-` are plain");
}
