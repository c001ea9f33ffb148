//! The program; all of it is in the library beside this file, which says why.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_run::main()
}
