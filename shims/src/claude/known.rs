//! What is wrong with the versions of Claude Code that this adapter was run with.

use crate::KnownProblem;

pub const PROBLEMS: &[KnownProblem] = &[
    KnownProblem::until(
        "2.1.197",
        "2.1.332",
        "obeys `NODE_TLS_REJECT_UNAUTHORIZED` of a project's settings, so that certificates are not checked; a launch \
         overrules it",
    ),
    // Seen in 2.1.252 too, the last version before.
    KnownProblem::until(
        "2.1.197",
        "2.1.257",
        "hands the key to MCP servers that name its variable; a launch turns off those of a project that it can see",
    ),
    KnownProblem::until(
        "2.1.197",
        "2.1.198",
        "hands the key to HTTP hooks that name its variable; a launch lists the variables that they get",
    ),
    KnownProblem::until(
        "2.1.197",
        "2.1.332",
        "obeys `ANTHROPIC_UNIX_SOCKET` in the settings of a worktree that `-w` makes, where a launch cannot look; start \
         the launch in the worktree",
    ),
    KnownProblem::still(
        "2.1.332",
        "prints a line with `claude-code:unrecognized_model` on stderr at every `-p` with a model that it does not \
         know; nothing turns it off",
    ),
    KnownProblem::still(
        "2.1.332",
        "asks a server that refuses `defer_loading` three times in vain at each start; `ENABLE_TOOL_SEARCH=false` \
         avoids it",
    ),
    KnownProblem::still(
        "2.1.332",
        "prints `claude --resume …` at its end, which finds no session of an isolated provider and goes on with others on \
         your own login; type `claude@PROVIDER --resume …`",
    ),
];
