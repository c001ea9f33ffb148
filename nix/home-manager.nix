# Home Manager: the package, its symlinks, the config file, and completion.
{ config, lib, ... }:
let
  cfg = config.programs.agent-run;
  share = "${cfg.finalPackage}/share";

  # One entry a file: a user may have a folder of completions that is linked file by file too.
  linked =
    files:
    lib.genAttrs files (file: {
      source = "${share}/${file}";
    });
  names = [ "agent-run" ] ++ cfg.finalPackage.shims;
  ofBash = [
    "bash-completion/completions/agent-run.bash"
  ]
  ++ map (name: "bash-completion/completions/${name}") cfg.finalPackage.shims;
  ofFish = map (name: "fish/vendor_completions.d/${name}.fish") names;
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

    xdg.configFile."agent-run/config.yaml" = lib.mkIf (cfg.settings != { }) {
      source = cfg.configFile;
    };

    # bash and fish look into the user's data folder on the first TAB, whoever set them up. Nothing is run or
    # read when a shell starts.
    xdg.dataFile = linked (
      lib.optionals cfg.enableBashIntegration ofBash ++ lib.optionals cfg.enableFishIntegration ofFish
    );

    # Before 570, where Home Manager calls compinit.
    programs.zsh.initContent = lib.mkIf cfg.enableZshIntegration (
      lib.mkOrder 550 "fpath+=(${share}/zsh/site-functions)"
    );
  };
}
