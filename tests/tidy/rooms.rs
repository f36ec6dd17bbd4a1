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
        "process::Runner process::interrupt process::interrupted config fetch files folders inject::Outcome \
         inject::readable lock note project rules run sandbox::Engine sandbox::Scene sign stage store \
         text verify",
    ),
    (
        "run",
        "build cmd config dom0 environment fetch files inject note project publish sandbox sign source \
         stage store verify",
    ),
    (
        "lock",
        "cmd config digest dom0 environment fetch files git inject intake note openpgp project \
         repodata sandbox source stage store",
    ),
    (
        "source",
        "apt cmd config::<types> config::nearest digest fetch files git note project stage store",
    ),
    ("environment", "apt cmd config::<types> digest fetch files note project sandbox stage store"),
    ("inject", "config digest note project source::Sources stage store"),
    (
        "build",
        "cmd config::<types> environment::Environment files inject::Injected inject::Specs \
         inject::spec_recipe intake note project sandbox source::Sources stage store",
    ),
    (
        "dom0",
        "cmd config::<types> digest environment::Environment fetch files intake note project sandbox \
         stage store",
    ),
    (
        "verify",
        "build::Built build::CompilerCache cmd config::<types> config::nearest digest dom0::BEGIN dom0::DIFFERENCE \
         dom0::Dom0 dom0::END dom0::PATCHED dom0::is_package_of dom0::package_name \
         environment::Environment files inject::Injected note openpgp package_file project rules \
         sandbox source::Sources stage store text",
    ),
    (
        "sign",
        "cmd config::<types> files folders note openpgp package_file stage store verify::Verified",
    ),
    (
        "publish",
        "build::CompilerCache cmd config::<types> digest dom0::Dom0 \
         environment::Environment inject::Injected note project repodata sign::Signed \
         sign::SignedPackage sign::Signer source::Sources stage store verify::Verified",
    ),
    ("stage", "cmd fetch note sandbox::Engine store"),
    ("project", "config digest files store"),
    ("config", "rules text"),
    ("fetch", "cmd config::<types> digest files note store text"),
    ("git", "cmd config::<types>"),
    ("apt", "process"),
    ("sandbox", "cmd config::<types> folders note store"),
    ("openpgp", "package_file"),
    ("intake", "package_file store"),
    ("repodata", "digest fetch::Gzip"),
    ("package_file", "files"),
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
    "build cmd dom0 environment fetch files lock publish sandbox store verify";
const READS: &str = "only `files` reads what somebody names: plain files, and bounded";

/// What `std::process` has that starts nothing.
pub const HARMLESS: &[&str] = &["ExitCode", "ExitStatus", "id"];

/// What no library uses: processes are started by the runner, and errors are types.
pub const FOREIGN: &[&str] = &["Command::new", "anyhow"];
