// SPDX-License-Identifier: GPL-2.0-or-later
//! The rooms of the runner: who may import whom, and what only one of them may hold.

/// What each room of the runner may import of the others: a whole room, one name of it, or its
/// types alone. A stage never imports another but for the values that are handed over. Every room has
/// its errors from `error`.
pub const IMPORTS: &[(&str, &str)] = &[
    ("main", ""),
    ("lib", "cli note run stage verify"),
    (
        "cli",
        "config fetch files folders init inject::Outcome inject::readable lock note process::Runner \
         process::interrupt process::interrupted project rules run sandbox::Engine \
         sandbox::FailedJob sign stage store text verify",
    ),
    ("init", "config files project"),
    (
        "run",
        "build config dom0 environment fetch files inject note process project publish sandbox \
         sign source stage store verify",
    ),
    (
        "lock",
        "config digest dom0 environment fetch files git inject intake note openpgp package_file \
         process project repodata sandbox source stage store text",
    ),
    (
        "source",
        "apt config::<types> config::nearest digest fetch files git note process project purl stage \
         store",
    ),
    (
        "environment",
        "apt config::<types> digest fetch files note process project purl sandbox stage store",
    ),
    ("inject", "config digest note project source::Sources stage store"),
    (
        "build",
        "config::<types> environment::Environment files inject::Injected inject::Specs \
         inject::spec_recipe intake note process project sandbox source::Sources stage store",
    ),
    (
        "dom0",
        "config::<types> digest environment::Environment fetch files intake note process \
         project sandbox stage store",
    ),
    (
        "verify",
        "build::Built build::CompilerCache config::<types> config::nearest digest dom0::BEGIN \
         dom0::DIFFERENCE dom0::Dom0 dom0::END dom0::Judged dom0::PATCHED \
         dom0::ServedDevices dom0::is_package_of dom0::judge dom0::package_name environment::Environment files inject::Injected note openpgp \
         package_file process project rules sandbox source::Sources stage store text",
    ),
    (
        "sign",
        "config::<types> files folders note openpgp package_file process stage store \
         verify::Verified",
    ),
    (
        "publish",
        "build::CompilerCache config::<types> digest dom0::Dom0 environment::Environment \
         environment::EnvironmentPackage inject::Injected inject::flaws note package_file process project repodata sign::Signed sign::SignedPackage \
         sign::Signer source::Sources stage store verify::Verified",
    ),
    ("stage", "digest fetch note process sandbox::Engine store"),
    ("project", "config digest files store text"),
    ("config", "rules text"),
    ("fetch", "config::<types> digest files note process store text"),
    ("git", "config::<types> process"),
    ("apt", "process"),
    ("sandbox", "config::<types> folders note process store"),
    ("openpgp", "package_file"),
    ("intake", "package_file store"),
    ("repodata", "digest fetch::Gzip"),
    ("package_file", "files"),
    ("purl", ""),
    ("rules", ""),
    ("store", "digest files"),
    ("process", "note text"),
    ("digest", "files"),
    ("files", "text"),
    ("folders", ""),
    ("note", ""),
    ("text", ""),
    (ERRORS, ""),
];

/// The room that every other may use.
pub const ERRORS: &str = "error";

/// Words that only one room's code may hold, or that of two, and why.
pub const ONLY_IN: &[(&str, &str, &str)] = &[
    ("process", "Command::new", "only `process` starts processes"),
    ("process", "CommandExt", "only `process` starts processes"),
    ("process", "xshell", "only `process` starts processes"),
    ("sign", "secret_armored", "only `sign` sees key material"),
    ("sign", "from_armored", "only `sign` sees key material"),
    ("sign", "development_key_file", "only `sign` sees key material"),
    ("sign", "SignedSecretKey", "only `sign` sees key material"),
    ("openpgp sign", "pgp", "only `openpgp` and `sign` read keys and signatures"),
    ("openpgp sign", "zeroize", "only `openpgp` and `sign` read keys"),
    (USERS_OWN, "fs::read(", READS),
    (USERS_OWN, "fs::read_to_string(", READS),
    (USERS_OWN, "File::open(", READS),
    (USERS_OWN, "fs::copy(", READS),
];

/// The rooms that read what they wrote themselves. Whatever a user or a pipeline may name, every room
/// reads by way of `files`.
pub const USERS_OWN: &str =
    "build dom0 environment fetch files lock process publish sandbox store verify";
const READS: &str = "only `files` reads what somebody names: plain files, and bounded";

/// What `std::process` has that starts nothing.
pub const HARMLESS: &[&str] = &["ExitCode", "ExitStatus", "id"];

/// What no library uses: processes are started by the runner, and errors are types.
pub const FOREIGN: &[&str] = &["Command::new", "anyhow"];

/// Rooms without I/O, the modules of `std` and the methods of `Path` that would be I/O.
pub const PURE: &[&str] = &["config", "inject", "rules"];
pub const IO_MODULES: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread", "time"];
pub const IO_METHODS: &[&str] = &[
    ".canonicalize(",
    ".exists(",
    ".is_dir(",
    ".is_file(",
    ".metadata(",
    ".read_dir(",
    ".read_link(",
    ".try_exists(",
];
