# The symlinks `<agent>@<provider>`: which ones there are, and a package that has them.
#
# Nix makes them itself, because the binary may not run where it is built. What each agent speaks is said in
# agents.json, which the test `nix_knows_what_the_agents_speak` holds to the binary's own list.
{ lib, symlinkJoin }:
let
  protocolsOf = lib.importJSON ./agents.json;

  urlOf = protocol: if protocol == "anthropic" then "anthropic" else "openai";

  # Whether they share a protocol that the provider has a base URL for: the rule of every launch.
  fits =
    agent: provider:
    lib.any (
      protocol: lib.elem protocol provider.protocols && provider.base_urls ? ${urlOf protocol}
    ) protocolsOf.${agent};

  checked =
    name:
    let
      agents = lib.concatStringsSep "|" (lib.attrNames protocolsOf);
    in
    if builtins.match "(${agents})@[^-./[:space:][:cntrl:]][^/[:cntrl:]]*" name != null then
      name
    else
      throw "agent-run: `${name}` cannot be a symlink's name: it is one of ${agents}, then `@`, then a provider";
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
          canWork = pair: !(known ? ${pair.provider}) || fits pair.agent known.${pair.provider};
        in
        map ({ agent, provider }: "${agent}@${provider}") (
          lib.filter canWork (lib.cartesianProduct { agent = agents; provider = providers; })
        );
    in
    map checked (if lib.isList selection then selection else pairs selection);

  # `agent-run` with the symlinks of a selection and their completions. Nothing is compiled for it.
  #
  # bash and fish load a completion by the command's name, so each symlink has a file of its own, which is the
  # shared script: it asks under which name it is read. zsh's script is registered for the pattern.
  withShims =
    agent-run: selection:
    symlinkJoin {
      name = "agent-run-with-shims-${agent-run.version}";
      paths = [ agent-run ];
      postBuild = ''
        # A cross build that could not run its binary has no completions.
        completes() { if [ -e "${agent-run}/share/$1" ]; then ln -s "${agent-run}/share/$1" "$out/share/$2"; fi; }
        for shim in ${lib.escapeShellArgs (names selection)}; do
          ln -s ${agent-run}/bin/agent-run "$out/bin/$shim"
          completes bash-completion/completions/agent-run.bash "bash-completion/completions/$shim"
          completes fish/vendor_completions.d/agent-run.fish "fish/vendor_completions.d/$shim.fish"
        done
      '';
      inherit (agent-run) meta;
    };
}
