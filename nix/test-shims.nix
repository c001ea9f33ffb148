# That Nix and the binary agree on the pairs of agent and provider that can work: each is asked for its plan.
{ lib, runCommand }:
agent-run:
let
  provider = protocols: {
    inherit protocols;
    base_urls = {
      anthropic = "http://localhost:9";
      openai = "http://localhost:9/v1";
    };
    default_model = "any";
    model_api_filters = [ ];
  };
  every = [
    "anthropic"
    "openai-responses"
    "openai-chat-completions"
  ];
  settings.providers = {
    all = provider every;
  }
  // lib.genAttrs every (protocol: provider [ protocol ]);
  settings.isolated_homes = {
    codex.private = { };
    hermes.private = { };
  };

  pairs = agent-run.withShims { providers = lib.attrNames settings.providers ++ [ "private" ]; };
in
runCommand "agent-run-shims-test" { } ''
  export HOME=$TMPDIR AGENT_RUN_OPTS=--dry-run
  export AGENT_RUN_CONFIG=${builtins.toFile "config.yaml" (builtins.toJSON settings)}
  for shim in ${pairs}/bin/*@*; do
    if "$shim" >/dev/null 2>>complaints; then echo "''${shim##*/}"; fi
  done | sort >launchable
  printf '%s\n' ${lib.escapeShellArgs (agent-run.shimNames { inherit settings; })} | sort >derived
  diff derived launchable || { cat complaints; exit 1; }
  touch $out
''
