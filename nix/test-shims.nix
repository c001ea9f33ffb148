# That Nix and the binary agree on the pairs of agent and provider that can work: each is asked for its plan.
{ lib, runCommand }:
agent-run:
let
  urls = {
    anthropic = "http://localhost:9";
    openai = "http://localhost:9/v1";
  };
  provider = protocols: base_urls: {
    inherit protocols base_urls;
    default_model = "any";
    model_api_filters = [ ];
  };
  every = [
    "anthropic"
    "openai-responses"
    "openai-chat-completions"
  ];
  settings.providers = {
    all = provider every urls;
    only-anthropic-url = provider every (removeAttrs urls [ "openai" ]);
    only-openai-url = provider every (removeAttrs urls [ "anthropic" ]);
  }
  // lib.genAttrs every (protocol: provider [ protocol ] urls);

  pairs = agent-run.withShims { providers = lib.attrNames settings.providers; };
in
runCommand "agent-run-shims-test" { } ''
  export HOME=$TMPDIR AGENT_RUN_OPTS=--dry-run
  export AGENT_RUN_CONFIG=${builtins.toFile "config.yaml" (builtins.toJSON settings)}
  for shim in ${pairs}/bin/*@*; do
    if "$shim" >/dev/null 2>&1; then echo "''${shim##*/}"; fi
  done | sort >launchable
  printf '%s\n' ${lib.escapeShellArgs (agent-run.shimNames { inherit settings; })} | sort | diff - launchable
  touch $out
''
