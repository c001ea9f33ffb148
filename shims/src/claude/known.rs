//! What is wrong with the versions of Claude Code that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::until(
        "2.1.197",
        "2.1.332",
        "obeys `NODE_TLS_REJECT_UNAUTHORIZED` in a project's settings, which turns off certificate \
         checks; a launch overrides it",
    ),
    // Seen in 2.1.252 too, the last version before.
    KnownProblem::until(
        "2.1.197",
        "2.1.257",
        "sends the key to MCP servers that name its variable; a launch turns off those it finds in a \
         project",
    ),
    KnownProblem::until(
        "2.1.197",
        "2.1.198",
        "sends the key to HTTP hooks that name its variable; a launch limits the variables that hooks \
         get",
    ),
    KnownProblem::until(
        "2.1.197",
        "2.1.332",
        "obeys `ANTHROPIC_UNIX_SOCKET` in the settings of a worktree that `-w` makes, where a launch cannot look; start \
         the launch in the worktree",
    ),
    KnownProblem::still(
        "2.1.332",
        "prints a line with `claude-code:unrecognized_model` to stderr at every `-p` with a model that \
         it does not know; it cannot be turned off",
    ),
    KnownProblem::still(
        "2.1.332",
        "sends three failing requests at each start to a server that refuses `defer_loading`; \
         `ENABLE_TOOL_SEARCH=false` avoids them",
    ),
    KnownProblem::still(
        "2.1.332",
        "prints `claude --resume …` when it exits, which finds no session of an isolated provider and \
         continues others on your own login; type `claude@PROVIDER --resume …`",
    ),
];
