//! What is wrong with the versions of Codex that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::until(
        "0.118.0",
        "0.171.0",
        "obeys `[otel]` and `chatgpt_base_url` in a trusted project, which can redirect its events, \
         without the key; nothing overrides it",
    ),
    KnownProblem::until(
        "0.118.0",
        "0.171.0",
        "runs `notify` of a trusted project, with the key in its environment, in a variable whose name no \
         file can guess; nothing overrides it",
    ),
    KnownProblem::still(
        "0.171.0",
        "prints `codex resume …` when it exits, which does not find the session; type `codex@PROVIDER \
         resume …`",
    ),
    KnownProblem::still(
        "0.171.0",
        "exits at once with code 1 when it inherits `OPENAI_IDENTITY_TOKEN_FILE` or similar variables; a \
         launch removes them",
    ),
    KnownProblem::still(
        "0.171.0",
        "`exec --remote` and `review --remote` stop at the `-c` options of a launch",
    ),
];
