# Home Manager: the package, its symlinks, the config file, and completion.
{ config, lib, ... }:
let
  cfg = config.programs.agent-run;
  share = "${cfg.finalPackage}/share";
in
{
  imports = [ ./options.nix ];

  options.programs.agent-run = {
    enableBashIntegration = lib.hm.shell.mkBashIntegrationOption { inherit config; };
    enableFishIntegration = lib.hm.shell.mkFishIntegrationOption { inherit config; };
    enableZshIntegration = lib.hm.shell.mkZshIntegrationOption { inherit config; };
  };

  config = lib.mkIf cfg.enable {
    home.packages = [ cfg.finalPackage ];

    xdg.configFile."agent-run/config.yaml" = lib.mkIf (cfg.configFile != null) {
      source = cfg.configFile;
    };

    # bash and fish look into the user's data folder on the first TAB, whoever set them up. Nothing is run or
    # read when a shell starts.
    xdg.dataFile."bash-completion/completions" = lib.mkIf cfg.enableBashIntegration {
      source = "${share}/bash-completion/completions";
      recursive = true;
    };
    xdg.dataFile."fish/vendor_completions.d" = lib.mkIf cfg.enableFishIntegration {
      source = "${share}/fish/vendor_completions.d";
      recursive = true;
    };

    # Before 570, where Home Manager calls compinit.
    programs.zsh.initContent = lib.mkIf cfg.enableZshIntegration (
      lib.mkOrder 550 "fpath+=(${share}/zsh/site-functions)"
    );
  };
}
