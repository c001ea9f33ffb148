# bash completion for agent-run, and for its shims: links named <agent>@<provider>.
#
# agent-run itself is asked for its words: AGENT_RUN_COMPLETE=bash agent-run WORDS…, the last of them being the
# one under the cursor, answers a line that says what follows, then a line for each candidate. A shim completes
# what its agent completes. bash-completion loads this file on demand, for a shim by a link of the shim's name; without
# it, as on macOS, whose bash is 3.2, an rc file reads it by eval "$(agent-run completion bash)".

# Sets words, first and at: the words up to the cursor, which of COMP_WORDS each begins with, and where in
# COMP_LINE. Bash splits words at = : and @ too, which shims' names and models' ids hold.
_agent_run_split() {
  local part n=0 from=0 line=${COMP_LINE:0:COMP_POINT} blanks
  words=() first=() at=()
  for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    blanks=${line%%[![:blank:]]*}
    if [[ n -eq 0 || -n $blanks ]]; then
      line=${line#"$blanks"} from=$((from + ${#blanks}))
      words+=("") first+=("$n") at+=("$from")
    fi
    words[${#words[@]} - 1]+=${line:0:${#part}}
    line=${line:${#part}} from=$((from + ${#part})) n=$((n + 1))
  done
}

# Bash before 4 has no compopt, and its options are those that complete was given: files where there is no candidate,
# and no blank behind one, which _agent_run_end then adds.
_agent_run_registered=()
if ! type compopt &>/dev/null; then _agent_run_registered=(-o default -o nospace); fi

_agent_run_option() {
  if type compopt &>/dev/null; then compopt -o "$1"; fi
}

_agent_run_end() {
  local index
  if type compopt &>/dev/null; then return; fi
  for index in "${!COMPREPLY[@]}"; do
    [[ ${COMPREPLY[index]} == *[/=\ ] ]] || COMPREPLY[index]+=" "
  done
}

# Completes as if the word number $1 were the command $2 and the line began there.
_agent_run_hand_over() {
  local index=$1 agent=$2 cur=$3 spec function option
  # A launch may be named as its shim is.
  case $agent in claude@* | codex@* | hermes@* | crush@*) agent=${agent%%@*} ;; esac
  if ! complete -p "$agent" &>/dev/null; then
    # bash-completion's own loader is called _comp_load since 2.12.
    if declare -F _comp_load >/dev/null; then
      _comp_load -- "$agent"
    elif declare -F __load_completion >/dev/null; then
      __load_completion "$agent"
    elif [[ $agent != */* ]]; then
      for spec in "${XDG_DATA_HOME:-$HOME/.local/share}" /opt/homebrew/share /usr/local/share /usr/share; do
        spec=$spec/bash-completion/completions/$agent
        # What needs bash-completion's functions would only print errors.
        if [[ -r $spec ]] && ! grep -qE '_get_comp_words_by_ref|_init_completion' "$spec"; then
          # shellcheck disable=SC1090 # another program's file
          source "$spec"
          break
        fi
      done
    fi &>/dev/null
  fi
  spec=$(complete -p "$agent" 2>/dev/null)
  if [[ $spec != *' -F '* ]]; then
    _agent_run_option default
    return
  fi
  function=${spec#* -F }
  function=${function%% *}
  while [[ $spec == *' -o '* ]]; do
    spec=${spec#* -o }
    option=${spec%% *}
    _agent_run_option "$option"
  done
  local rest=$((at[index] + ${#words[index]})) part=${first[index + 1]}
  COMP_LINE=$agent${COMP_LINE:rest}
  COMP_POINT=$((COMP_POINT - rest + ${#agent}))
  COMP_WORDS=("$agent" "${COMP_WORDS[@]:part}")
  COMP_CWORD=$((COMP_CWORD - part + 1))
  "$function" "$agent" "$cur" "${COMP_WORDS[COMP_CWORD - 1]}"
  _agent_run_end
}

_agent_run_shim() {
  local words first at
  _agent_run_split
  local name=${words[0]##*/}
  COMPREPLY=()
  _agent_run_hand_over 0 "${name%%@*}" "$2"
}

_agent_run() {
  local words first at
  _agent_run_split
  # Not before: without a blank in IFS, "${array[@]:0:2}" is one word in bash 3.2.
  local IFS=$'\n' glob=+f kind word
  word=${words[${#words[@]} - 1]}
  word=${word#[\"\']}
  words[${#words[@]} - 1]=$word
  [[ $- == *f* ]] && glob=-f
  set -f
  # shellcheck disable=SC2207 # one line, one candidate; mapfile reads a pipe byte by byte
  COMPREPLY=($(AGENT_RUN_COMPLETE=bash command agent-run "${words[@]}" 2>/dev/null))
  set "$glob"
  kind=${COMPREPLY[0]-}
  unset -v 'COMPREPLY[0]' IFS
  # Bash replaces only what stands behind the last of its word breaks: the rest of the word is there already.
  word=${word%"$2"}
  [[ -z $word ]] || COMPREPLY=("${COMPREPLY[@]#"$word"}")
  case $kind in
    values | inside) _agent_run_option nosort; _agent_run_end ;;
    parts) _agent_run_option nosort; _agent_run_option nospace ;;
    files) _agent_run_option default ;;
    command\ *) _agent_run_hand_over "${kind#* }" "${words[${kind#* }]}" "$2" ;;
  esac
}

# A link's name says what for; read from elsewhere, this is for agent-run.
_agent_run_for=${BASH_SOURCE[0]##*/}
_agent_run_for=${_agent_run_for%.bash}
if [[ $_agent_run_for == *@* ]]; then
  complete "${_agent_run_registered[@]}" -F _agent_run_shim "$_agent_run_for"
else
  complete "${_agent_run_registered[@]}" -F _agent_run agent-run
  # Without bash-completion nothing else looks at the links.
  if ! declare -F _comp_load >/dev/null && ! declare -F __load_completion >/dev/null; then
    for _agent_run_for in "${XDG_DATA_HOME:-$HOME/.local/share}"/bash-completion/completions/*@*; do
      if [[ $_agent_run_for -ef ${_agent_run_for%/*}/agent-run ]]; then
        complete "${_agent_run_registered[@]}" -F _agent_run_shim -- "${_agent_run_for##*/}"
      fi
    done
  fi
fi
unset _agent_run_for _agent_run_registered
