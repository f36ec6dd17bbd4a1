//! The rooms of the runner: who may import whom, and what only one of them may hold.

/// What each room of the runner may import of the others: a whole room, one name of it, or its
/// types alone. A stage never imports another but for the values that are handed over.
pub const IMPORTS: &[(&str, &str)] = &[
    ("main", "cli"),
    (
        "cli",
        "cmd::Runner cmd::interrupt cmd::interrupted config fetch files inject::Outcome \
         inject::readable lock plan rules run sandbox::Engine sandbox::Scene sign store text verify",
    ),
    (
        "run",
        "build cmd config environment fetch files inject plan publish rules sandbox sign source store \
         text verify wrapper",
    ),
    ("config", "rules text"),
    ("plan", "config"),
    (
        "lock",
        "cmd config environment fetch files git inject intake openpgp sandbox source store wrapper",
    ),
    ("source", "apt cmd config::<types> config::nearest fetch files git plan store"),
    ("environment", "apt cmd config::<types> fetch files plan sandbox store"),
    ("inject", "config"),
    ("build", "cmd config::<types> files intake plan sandbox store"),
    ("wrapper", "cmd fetch files config::<types> intake plan sandbox store"),
    (
        "verify",
        "build::Built cmd config::<types> config::nearest files openpgp package_file plan rules sandbox \
         store text wrapper::BEGIN wrapper::DIFFERENCE wrapper::END wrapper::PATCHED wrapper::Wrapped \
         wrapper::is_package_of wrapper::package_name",
    ),
    ("sign", "cmd config::<types> files openpgp package_file plan store verify::Verified"),
    (
        "publish",
        "cmd config::<types> lock::repodata plan sign::Signed sign::SignedPackage \
         sign::Signer store",
    ),
    ("fetch", "cmd config::<types> files store text"),
    ("git", "cmd config::<types>"),
    ("apt", "cmd"),
    ("sandbox", "cmd config::<types>"),
    ("openpgp", "package_file"),
    ("intake", "package_file store"),
    ("package_file", "files"),
    ("rules", ""),
    ("store", "files"),
    ("cmd", "text"),
    ("files", "text"),
    ("text", ""),
];

/// Words that only one room's code may hold, or that of two, and why.
pub const ONLY_IN: &[(&str, &str, &str)] = &[
    ("cmd", "Command::new", "only `cmd` starts processes"),
    ("cmd", "CommandExt", "only `cmd` starts processes"),
    ("cmd", "xshell", "only `cmd` starts processes"),
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
    "build cmd environment fetch files lock publish sandbox store verify wrapper";
const READS: &str = "only `files` reads what somebody names: plain files, and bounded";

/// What `std::process` has that starts nothing.
pub const HARMLESS: &[&str] = &["ExitCode", "ExitStatus", "id"];

/// What no library uses: processes are started by the runner, and errors are types.
pub const FOREIGN: &[&str] = &["Command::new", "anyhow"];
