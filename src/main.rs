//! The program `onestop`.

use std::process::ExitCode;

fn main() -> ExitCode {
    onestop::commands::run()
}
