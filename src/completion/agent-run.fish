# fish completion for agent-run, and for its shims: links named <agent>@<provider>.
#
# agent-run itself is asked for its words: AGENT_RUN_COMPLETE=fish agent-run WORDS…, the last of them being the
# one under the cursor, answers a line that says what follows, then a line for each candidate, value TAB
# description. A shim completes what its agent completes. A link of the shim's name is how fish finds this.

function __agent_run_complete
    set -l said (commandline -opc)
    set -l current (commandline -ct)
    set -l reply (AGENT_RUN_COMPLETE=fish command agent-run $said "$current" 2>/dev/null)
    switch "$reply[1]"
        case values parts inside
            printf '%s\n' $reply[2..-1]
        case files
            set -l option (string match -r '^-[^=]*=' -- $current)
            set -l value (string replace -r '^-[^=]*=' '' -- $current)
            printf "$option%s\n" (__fish_complete_path $value)
        case 'command *'
            set -l index (math (string split ' ' $reply[1])[2] + 1)
            # A launch may be named as its shim is.
            set -l words $said[$index..-1]
            set words[1] (string replace -r '^(claude|codex|hermes|crush)@.*' '$1' -- $words[1])
            complete -C (string join ' ' -- (string escape -- $words) "$current")
    end
end

# A link's name says what for; read from elsewhere, this is for agent-run.
set -l __agent_run_for (string replace -ar '^.*/|\.fish$' '' -- (status filename))
if string match -q '*@*' -- $__agent_run_for
    complete -c $__agent_run_for -w (string split -m1 @ -- $__agent_run_for)[1]
else
    complete -c agent-run -k -f -a '(__agent_run_complete)'
end
