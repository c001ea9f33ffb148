#compdef agent-run -P (claude|codex|hermes|crush)@*
# zsh completion for agent-run, and for its shims: links named <agent>@<provider>.
#
# agent-run itself is asked for its words: AGENT_RUN_COMPLETE=zsh agent-run WORDS…, the last of them being the
# one under the cursor, answers a line that says what follows, then a line for each candidate, value:description.
# A shim completes what its agent completes.

_agent-run() {
  local name=${words[1]:t}
  if [[ $name == *@* ]]; then
    words[1]=${name%%@*}
    _normal
    return
  fi
  local -a said=("${(@Q)words[1,CURRENT-1]}") reply
  reply=("${(@f)$(AGENT_RUN_COMPLETE=zsh command agent-run "${said[@]}" "$PREFIX" 2>/dev/null)}")
  local kind=$reply[1]
  shift reply
  case $kind in
    values) _describe -V agent-run reply ;;
    inside) _describe -V agent-run reply -U ;;
    parts) _describe -V agent-run reply -S '' ;;
    files)
      compset -P '-*='
      _files
      ;;
    command\ *)
      shift ${kind#* } words
      (( CURRENT -= ${kind#* } ))
      _normal
      ;;
    *) return 1 ;;
  esac
}

# Loaded by name, it is called at once; read from elsewhere, it has to be registered.
if [[ $funcstack[1] == _agent-run ]]; then
  _agent-run "$@"
else
  compdef _agent-run agent-run -P '(claude|codex|hermes|crush)@*'
fi
