# NixOS: the package, its symlinks, their completions, and one config file for all users.
{ config, lib, ... }:
let
  cfg = config.programs.agent-run;
in
{
  imports = [ ./options.nix ];

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.finalPackage ];

    # A user who sets the variable, or calls with `--config`, has a config of their own.
    environment.variables.AGENT_RUN_CONFIG = lib.mkIf (cfg.configFile != null) (
      lib.mkDefault "/etc/agent-run/config.yaml"
    );
    environment.etc."agent-run/config.yaml" = lib.mkIf (cfg.configFile != null) {
      source = cfg.configFile;
    };
  };
}
