//! The rooms of the runner: who may import whom, and what only one of them may hold.

/// What each room of the runner may import of the others: a whole room, one name of it, or its
/// types alone. A stage never imports another but for the values that are handed over.
pub const IMPORTS: &[(&str, &str)] = &[
    ("main", "cli"),
    (
        "cli",
        "cmd::Runner cmd::interrupt cmd::interrupted config fetch inject::Outcome inject::readable lock plan run \
         sandbox::Engine sandbox::Scene sign store verify",
    ),
    (
        "run",
        "build cmd config environment fetch inject plan publish sandbox sign source store verify \
         wrapper",
    ),
    ("config", ""),
    ("plan", "config"),
    (
        "lock",
        "cmd config environment fetch git inject openpgp rpmfile sandbox source store wrapper",
    ),
    ("source", "apt cmd config::<types> config::nearest fetch git plan store"),
    ("environment", "apt cmd config::<types> fetch plan sandbox store"),
    ("inject", "config"),
    ("build", "cmd config::<types> plan sandbox store"),
    ("wrapper", "cmd fetch config::<types> plan sandbox store"),
    (
        "verify",
        "build::Built cmd config::<types> config::nearest openpgp plan rpmfile sandbox store \
         wrapper::BEGIN wrapper::END wrapper::Wrapped wrapper::package_name",
    ),
    ("sign", "cmd config::<types> openpgp plan rpmfile store verify::Verified"),
    ("publish", "cmd config::<types> plan sign::Signed sign::Signer store"),
    ("fetch", "cmd config::<types> store"),
    ("git", "cmd config::<types>"),
    ("apt", "cmd"),
    ("sandbox", "cmd config::<types>"),
    ("openpgp", "rpmfile"),
    ("rpmfile", ""),
    ("store", ""),
    ("cmd", ""),
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
    ("sign", "zeroize", "only `sign` sees key material"),
];

/// What `std::process` has that starts nothing.
pub const HARMLESS: &[&str] = &["ExitCode", "ExitStatus", "id"];
