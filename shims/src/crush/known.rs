//! What is wrong with the version of Crush that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::still(
        "0.90.1",
        "prints `crush -s …` at its end, which does not find the session; type `crush@PROVIDER -s …`",
    ),
    KnownProblem::still(
        "0.90.1",
        "runs a project's `crushrc` and the commands in its settings without asking; a launch names the files",
    ),
    KnownProblem::still(
        "0.90.1",
        "`crush server`, `crush logout` and `crush signout` leave a server running that keeps the environment; a \
         launch refuses them",
    ),
    KnownProblem::still(
        "0.90.1",
        "may fail when it is first started several times at once in a project, while it makes its database",
    ),
    KnownProblem::still(
        "0.90.1",
        "`crush run` may print nothing on a busy machine although the provider answered; run it again",
    ),
    KnownProblem::still(
        "0.90.1",
        "asks `api.github.com` for its newest release at each start; nothing turns it off",
    ),
];
