# What both modules offer as `programs.agent-run`, and what they refuse.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption literalExpression types;
  cfg = config.programs.agent-run;
  yaml = pkgs.formats.yaml { };

  providers = cfg.settings.providers or { };
  withLiteralKey = lib.attrNames (lib.filterAttrs (_: p: p ? key) providers);

  # A path literal is copied into the store when the file is made of it; a text below the store was copied before.
  # `toString` alone copies nothing.
  isInStore = value: builtins.isPath value || lib.hasPrefix "${builtins.storeDir}/" (toString value);
  # What agenix gives under Home Manager: only a shell fills it in.
  withVariable = lib.attrNames (
    lib.filterAttrs (_: p: p ? key_file && lib.hasPrefix "$" (toString p.key_file)) providers
  );
  impossible =
    if lib.isList cfg.shims then cfg.package.impossibleShims cfg.settings cfg.shims else [ ];
  isCat = argv: argv != [ ] && baseNameOf (toString (builtins.head argv)) == "cat";
  withKeyInStore = lib.attrNames (
    lib.filterAttrs (
      _: p:
      (p ? key_file && isInStore p.key_file)
      || (
        lib.isList (p.key_command or null)
        && isCat p.key_command
        && lib.any isInStore (builtins.tail p.key_command)
      )
    ) providers
  );
in
{
  options.programs.agent-run = {
    enable = lib.mkEnableOption "agent-run, which launches a coding agent on a chosen provider";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ../. { };
      defaultText = literalExpression "pkgs.callPackage agent-run { }";
      description = "The agent-run to use, without symlinks.";
    };

    settings = mkOption {
      inherit (yaml) type;
      default = { };
      example = {
        providers.deepseek = {
          protocols = [
            "anthropic"
            "openai-responses"
          ];
          base_urls = {
            anthropic = "https://api.deepseek.com/anthropic";
            openai = "https://api.deepseek.com";
          };
          key_env = "DEEPSEEK_API_KEY";
          default_model = "deepseek-v4-pro";
        };
      };
      description = ''
        The config file. Keys come from `key_env`, `key_file` or `key_command`. A `key` is refused, and so is a
        `key_file` that is a path literal such as `./key`, because every user can read the Nix store. `{ }` writes
        no file.
      '';
    };

    shims = mkOption {
      type = types.either (types.listOf types.str) (types.attrsOf (types.listOf types.str));
      default = { };
      example = [
        "claude@deepseek"
        "codex@ollama"
      ];
      description = ''
        The symlinks `<agent>@<provider>` to install: a list of names, or `agents` and `providers` for all pairs
        of these. `agents` defaults to all agents, and `providers` to all providers in `settings`, so `{ }`
        installs a symlink for each pair that works. `[ ]` installs none.
      '';
    };

    finalPackage = mkOption {
      type = types.package;
      readOnly = true;
      description = "agent-run with its symlinks and their completions.";
    };

    configFile = mkOption {
      type = types.nullOr types.path;
      internal = true;
      readOnly = true;
      description = "The settings as a file.";
    };
  };

  config = lib.mkIf cfg.enable {
    programs.agent-run = {
      finalPackage = cfg.package.withShims (
        if lib.isList cfg.shims then cfg.shims else { inherit (cfg) settings; } // cfg.shims
      );
      # The refusal below has the words; this one holds even where nobody asks for assertions.
      configFile =
        assert withLiteralKey == [ ] && withKeyInStore == [ ];
        if cfg.settings == { } then null else yaml.generate "agent-run-config.yaml" cfg.settings;
    };

    assertions = [
      {
        assertion = withLiteralKey == [ ];
        message = ''
          programs.agent-run.settings: the `key` of ${lib.concatStringsSep ", " withLiteralKey} would be in the Nix store, where every user can read it.
          Use `key_command`, `key_file` or `key_env`.
        '';
      }
      {
        assertion = withKeyInStore == [ ];
        message = ''
          programs.agent-run.settings: the key file of ${lib.concatStringsSep ", " withKeyInStore} would be copied into the Nix store, where every user can read it.
          Write it as a string with a path outside the store, such as key_file = "~/.secrets/deepseek".
        '';
      }
      {
        assertion = withVariable == [ ];
        message = ''
          programs.agent-run.settings: the key file of ${lib.concatStringsSep ", " withVariable} starts with a variable, which only a shell expands.
          Use a shell: key_command = [ "sh" "-c" "cat \"$XDG_RUNTIME_DIR/agenix/deepseek\"" ].
        '';
      }
      {
        assertion = impossible == [ ];
        message = ''
          programs.agent-run.shims: ${lib.concatStringsSep ", " impossible} cannot work, because the agent and the provider share no protocol.
          Take them out of the list, or add the protocol to the provider.
        '';
      }
    ];
  };
}
