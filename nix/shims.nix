# The symlinks `<agent>@<provider>`: which ones there are, and a package that has them.
#
# Nix makes them itself, because the binary may not run where it is built. What each agent speaks is said in
# agents.json, which the test `nix_knows_what_the_agents_speak` holds to the binary's own list.
{ lib, symlinkJoin }:
let
  protocolsOf = lib.importJSON ./agents.json;

  # Whether the agent and the provider of these settings share a protocol: the rule of every launch.
  fits =
    agent: providers: name:
    let
      spoken =
        providers.${name}.protocols
          or (throw "agent-run: the provider `${name}` in the settings has no `protocols`");
    in
    lib.intersectLists protocolsOf.${agent} spoken != [ ];

  checked =
    name:
    let
      agents = lib.concatStringsSep "|" (lib.attrNames protocolsOf);
    in
    if builtins.match "(${agents})@[^-./[:space:][:cntrl:]][^/[:cntrl:]]*" name != null then
      name
    else
      throw "agent-run: `${name}` is not a valid symlink name: use one of ${agents}, then `@`, then a provider";
in
rec {
  # The names of a selection. That is a list of names, or agents × providers: `settings` are the config's, whose
  # providers are all meant unless some are named, without the pairs that share no protocol.
  names =
    selection:
    let
      pairs =
        {
          settings ? { },
          agents ? lib.attrNames protocolsOf,
          providers ? lib.attrNames (settings.providers or { }),
        }:
        let
          known = settings.providers or { };
          canWork = pair: !(known ? ${pair.provider}) || fits pair.agent known pair.provider;
          # A home of an agent's own needs no provider; the config has both spellings.
          homes = settings.isolated_homes or settings.isolated-homes or { };
          homesOf = agent: lib.attrNames (homes.${agent} or { });
          isMeant = name: !(selection ? providers) || lib.elem name providers;
          isolated = lib.concatMap (
            agent: map (name: "${agent}@${name}") (lib.filter isMeant (homesOf agent))
          ) agents;
        in
        map ({ agent, provider }: "${agent}@${provider}") (
          lib.filter canWork (
            lib.cartesianProduct {
              agent = agents;
              provider = providers;
            }
          )
        )
        ++ isolated;
    in
    # Two modules may name one.
    lib.unique (map checked (if lib.isList selection then selection else pairs selection));

  # The names that the settings know and that cannot work, since agent and provider share no protocol.
  impossible =
    settings: selection:
    let
      pairOf = builtins.match "([^@]*)@(.*)";
      agentOf = name: builtins.elemAt (pairOf name) 0;
      providerOf = name: builtins.elemAt (pairOf name) 1;
      known = settings.providers or { };
      homes = settings.isolated_homes or settings.isolated-homes or { };
      cannot =
        name:
        known ? ${providerOf name}
        && !(homes.${agentOf name} or { } ? ${providerOf name})
        && !(fits (agentOf name) known (providerOf name));
    in
    lib.filter cannot (names selection);

  # `agent-run` with the symlinks of a selection and their completions. Nothing is compiled for it.
  #
  # bash and fish load a completion by the command's name, so each symlink has a link to the shared script, which
  # looks at the name it is read by. zsh's script is for a pattern of names.
  withShims =
    agent-run: selection:
    symlinkJoin {
      name = "agent-run-with-shims-${agent-run.version}";
      paths = [ agent-run ];
      postBuild = ''
        for shim in ${lib.escapeShellArgs (names selection)}; do
          ln -s ${agent-run}/bin/agent-run "$out/bin/$shim"
          cd $out/share/bash-completion/completions
          ln -s ${agent-run}/share/bash-completion/completions/agent-run.bash "$shim"
          cd $out/share/fish/vendor_completions.d
          ln -s ${agent-run}/share/fish/vendor_completions.d/agent-run.fish "$shim.fish"
        done
      '';
      # So that it may be given wherever the bare package may, and more symlinks be had of it.
      passthru = agent-run.passthru // {
        shims = names selection;
        withShims = more: withShims agent-run (names selection ++ names more);
      };
      inherit (agent-run) meta;
    };
}
