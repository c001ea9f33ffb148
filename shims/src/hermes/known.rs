//! What is wrong with the version of Hermes that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::still(
        "0.19.0",
        "`chat -q` and `-z` exit with code 0 when the provider answers with an error; `chat -Q -q` exits \
         with code 1",
    ),
    KnownProblem::still(
        "0.19.0",
        "`--tui --resume` continues on the provider that the session was started on; a launch prints a \
         warning",
    ),
    KnownProblem::still(
        "0.19.0",
        "does not send a key of fewer than four characters or one that looks like a placeholder; a \
         launch refuses such a key",
    ),
    KnownProblem::still(
        "0.19.0",
        "installs Python packages and downloads a program at its first start; `HERMES_DISABLE_LAZY_INSTALLS=1` and \
         `TIRITH_ENABLED=false` avoid it",
    ),
];
