# NixOS and nix-darwin: the package, its symlinks, their completions, and one config file for all users.
{ config, lib, ... }:
let
  cfg = config.programs.agent-run;
in
{
  imports = [ ./options.nix ];

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.finalPackage ];

    # Where the program looks after the user's own: a variable would silence a config that Home Manager writes.
    # The condition is not `configFile`, which is an error where a key is refused below: its words would be lost.
    environment.etc."xdg/agent-run/config.yaml" = lib.mkIf (cfg.settings != { }) {
      source = cfg.configFile;
    };
  };
}
