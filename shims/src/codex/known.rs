//! What is wrong with the versions of Codex that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::until(
        "0.118.0",
        "0.171.0",
        "obeys `[otel]` and `chatgpt_base_url` of a trusted project, so that its events go where that says, without the \
         key; nothing overrules it",
    ),
    KnownProblem::still(
        "0.171.0",
        "prints `codex resume …` at its end, which does not find the session; type `codex@PROVIDER resume …`",
    ),
    KnownProblem::still(
        "0.171.0",
        "ends at once with exit code 1 when it inherits `OPENAI_IDENTITY_TOKEN_FILE` or the like; a launch removes them",
    ),
    KnownProblem::still(
        "0.171.0",
        "`exec --remote` and `review --remote` stop at the `-c` options of a launch",
    ),
];
