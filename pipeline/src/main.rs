// SPDX-License-Identifier: GPL-2.0-or-later
//! The program; all of it is in the library.

fn main() -> std::process::ExitCode {
    vgpu_pipeline::main()
}
