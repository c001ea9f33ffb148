//! What is wrong with the version of Hermes that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::still(
        "0.19.0",
        "`chat -q` and `-z` end with exit code 0 when the provider answers with an error; `chat -Q -q` ends with 1",
    ),
    KnownProblem::still(
        "0.19.0",
        "`--tui --resume` continues on the provider that the session was started on; a launch warns of it",
    ),
    KnownProblem::still(
        "0.19.0",
        "sends no key of fewer than four characters and none that looks like a placeholder; a launch refuses those",
    ),
    KnownProblem::still(
        "0.19.0",
        "installs Python packages and downloads a program at its first start; `HERMES_DISABLE_LAZY_INSTALLS=1` and \
         `TIRITH_ENABLED=false` avoid it",
    ),
];
