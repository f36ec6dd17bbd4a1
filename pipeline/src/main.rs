//! `vgpu-pipeline`: from pinned sources to a signed yum repository with a device of your own in QEMU.

mod apt;
mod build;
mod cli;
mod cmd;
mod config;
mod environment;
mod fetch;
mod files;
mod git;
mod inject;
mod intake;
mod lock;
mod openpgp;
mod package_file;
mod plan;
mod publish;
mod rules;
mod run;
mod sandbox;
mod sign;
mod source;
mod store;
mod text;
mod verify;
mod wrapper;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
