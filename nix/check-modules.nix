# What the modules for Home Manager, NixOS and nix-darwin make of the settings, and what they refuse.
{
  pkgs,
  package,
  flake,
  settings,
  fitting,
  is,
  evaluates,
}:
let
  inherit (pkgs) lib;

  literalKey.providers.deepseek = settings.providers.deepseek // {
    key = "sk-planted";
  };
  # Each would have the key in the store.
  keysInStore =
    builtins.mapAttrs
      (_: key: {
        providers.deepseek = removeAttrs settings.providers.deepseek [ "key_env" ] // key;
      })
      {
        "a path literal" = {
          key_file = ./check.nix;
        };
        "a text below the store" = {
          key_file = "${./check.nix}";
        };
        "a path literal that is printed" = {
          key_command = [
            "cat"
            ./check.nix
          ];
        };
      };
  keysElsewhere.providers = {
    a = removeAttrs settings.providers.deepseek [ "key_env" ] // {
      key_file = "~/.secrets/deepseek";
    };
    b = removeAttrs settings.providers.deepseek [ "key_env" ] // {
      key_command = [
        "${package}/bin/secret"
        "show"
        "deepseek"
      ];
    };
  };

  option =
    type: default:
    lib.mkOption {
      inherit default;
      type = lib.types.${type} or (lib.types.${"${type}Of"} lib.types.anything);
    };
  evaluated =
    modules: said:
    (lib.evalModules {
      modules = modules ++ [
        { options.assertions = option "list" [ ]; }
        { programs.agent-run = said; }
      ];
      specialArgs = { inherit pkgs; };
    }).config;
  home = homeWith [ ];
  homeWith =
    more:
    evaluated (
      more
      ++ [
        flake.homeModules.default
        {
          options = {
            home.packages = option "list" [ ];
            home.shell = lib.genAttrs [
              "enableBashIntegration"
              "enableFishIntegration"
              "enableZshIntegration"
            ] (_: option "bool" true);
            xdg.configFile = option "attrs" { };
            xdg.dataFile = option "attrs" { };
            programs.zsh.initContent = option "lines" "";
          };
        }
      ]
    );
  nixosOptions.options.environment = {
    systemPackages = option "list" [ ];
    variables = option "attrs" { };
    etc = option "attrs" { };
  };
  nixos = nixosWith [ ];
  nixosWith =
    more:
    evaluated (
      more
      ++ [
        flake.nixosModules.default
        nixosOptions
      ]
    );
  on = {
    enable = true;
    inherit settings;
  };
  refusals = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  yamlOf = file: lib.importJSON file.source;
  paths = map toString;

  looksAtFiles =
    files:
    { config, ... }:
    {
      assertions = [
        {
          assertion = lib.length (lib.attrNames (files config)) < 1000;
          message = "too many files";
        }
      ];
    };
  homeForced = homeWith [ (looksAtFiles (config: config.xdg.configFile)) ];
  nixosForced = nixosWith [ (looksAtFiles (config: config.environment.etc)) ];
  homeTwice = homeWith [ flake.homeModules.default ];
  nixosTwice = nixosWith [ flake.nixosModules.default ];
  darwin = evaluated [
    flake.darwinModules.default
    nixosOptions
  ];

in
{
  "Home Manager: nothing unless enabled" =
    let
      off = home { inherit settings; };
    in
    is
      [
        [ ]
        { }
        { }
        ""
      ]
      [ off.home.packages off.xdg.configFile off.xdg.dataFile off.programs.zsh.initContent ];
  "Home Manager: the package with a symlink for each pair that can work" = is (paths [
    (package.withShims fitting)
  ]) (paths (home on).home.packages);
  "Home Manager: the package with the symlinks of a list" = is (paths [
    (package.withShims [ "codex@ollama" ])
  ]) (paths (home (on // { shims = [ "codex@ollama" ]; })).home.packages);
  "Home Manager: the package with the symlinks of an agent" = is (paths [
    (package.withShims [ "codex@ollama" ])
  ]) (paths (home (on // { shims.agents = [ "codex" ]; })).home.packages);
  "Home Manager: the config file is the settings" = is settings (
    yamlOf (home on).xdg.configFile."agent-run/config.yaml"
  );
  "Home Manager: no config file without settings" = is { } (home { enable = true; }).xdg.configFile;
  "Home Manager: settings without a key are fine" = is [ ] (refusals (home on));
  "Home Manager: a literal key is refused" = is 1 (
    lib.length (refusals (home (on // { settings = literalKey; })))
  );
  "Home Manager: a key in the store is refused" = is (builtins.mapAttrs (_: _: 1) keysInStore) (
    builtins.mapAttrs (
      _: settings: lib.length (refusals (home (on // { inherit settings; })))
    ) keysInStore
  );
  "Home Manager: the refusal names the provider" =
    let
      refusal = lib.concatStrings (refusals (home (on // { settings = keysInStore."a path literal"; })));
    in
    is false (builtins.replaceStrings [ "the key file of deepseek" ] [ "" ] refusal == refusal);
  "Home Manager: a key elsewhere is fine" = is [ ] (
    refusals (home (on // { settings = keysElsewhere; }))
  );
  "Home Manager: no file is made of a key in the store" = is false (
    evaluates (home (on // { settings = keysInStore."a path literal"; })).xdg.configFile
  );
  "Home Manager: no file is made of a literal key" = is false (
    evaluates (home (on // { settings = literalKey; })).xdg.configFile
  );
  "Home Manager: completion for bash and fish, by an entry a file" = is (lib.genAttrs
    (
      [ "bash-completion/completions/agent-run.bash" ]
      ++ map (name: "bash-completion/completions/${name}") fitting
      ++ map (name: "fish/vendor_completions.d/${name}.fish") ([ "agent-run" ] ++ fitting)
    )
    (file: {
      source = "${package.withShims fitting}/share/${file}";
    })
  ) (home on).xdg.dataFile;
  "Home Manager: its own assertions do not hide the refusal" = is 1 (
    lib.length (refusals (homeForced (on // { settings = literalKey; })))
  );
  "Home Manager: a key file behind a variable of the shell is refused" = is 1 (
    lib.length (
      refusals (
        home (
          on
          // {
            settings.providers.deepseek = removeAttrs settings.providers.deepseek [ "key_env" ] // {
              key_file = "\${XDG_RUNTIME_DIR}/agenix/deepseek";
            };
          }
        )
      )
    )
  );
  "Home Manager: a symlink that cannot work is refused, one of an unknown provider is not" = is 1 (
    lib.length (
      refusals (
        home (
          on
          // {
            shims = [
              "claude@ollama"
              "claude@elsewhere"
            ];
          }
        )
      )
    )
  );
  "Home Manager: a package with symlinks of its own keeps them" =
    is
      (paths [
        (package.withShims [
          "claude@elsewhere"
          "codex@ollama"
        ])
      ])
      (
        paths
          (home (
            on
            // {
              package = package.withShims [ "claude@elsewhere" ];
              shims = [ "codex@ollama" ];
            }
          )).home.packages
      );
  "each module may be imported twice" =
    is
      [
        1
        1
      ]
      [
        (lib.length (homeTwice on).home.packages)
        (lib.length (nixosTwice on).environment.systemPackages)
      ];
  "Home Manager: zsh's folder is added before compinit is called" = is 550 (
    (import ./home-manager.nix {
      config = {
        programs.agent-run = {
          enable = true;
          enableZshIntegration = true;
          finalPackage = "package";
        };
      };
      lib = lib // {
        mkOrder = priority: _: priority;
        mkIf = _: content: content;
      };
    }).config.programs.zsh.initContent
  );
  "Home Manager: completion for zsh, by fpath" =
    is "fpath+=(${package.withShims fitting}/share/zsh/site-functions)" (home on)
    .programs.zsh.initContent;
  "Home Manager: each shell's integration can be switched off" =
    let
      off = home (
        on
        // {
          enableBashIntegration = false;
          enableFishIntegration = false;
          enableZshIntegration = false;
        }
      );
    in
    is
      [
        { }
        ""
      ]
      [ off.xdg.dataFile off.programs.zsh.initContent ];

  "NixOS: nothing unless enabled" =
    let
      off = nixos { inherit settings; };
    in
    is
      [
        [ ]
        { }
        { }
      ]
      [ off.environment.systemPackages off.environment.etc off.environment.variables ];
  "NixOS: the package with a symlink for each pair that can work" = is (paths [
    (package.withShims fitting)
  ]) (paths (nixos on).environment.systemPackages);
  "NixOS: the config file is the settings, where the program looks after the user's own" =
    is settings
      (yamlOf (nixos on).environment.etc."xdg/agent-run/config.yaml");
  "NixOS: no variable silences a user's own config" = is { } (nixos on).environment.variables;
  "NixOS: its own assertions do not hide the refusal" = is 1 (
    lib.length (refusals (nixosForced (on // { settings = literalKey; })))
  );
  "nix-darwin: as NixOS" = is (paths [
    (package.withShims fitting)
  ]) (paths (darwin on).environment.systemPackages);
  "NixOS: no config file without settings" =
    let
      bare = nixos { enable = true; };
    in
    is
      [
        { }
        { }
      ]
      [ bare.environment.etc bare.environment.variables ];
  "NixOS: a key in the store is refused" = is (builtins.mapAttrs (_: _: 1) keysInStore) (
    builtins.mapAttrs (
      _: settings: lib.length (refusals (nixos (on // { inherit settings; })))
    ) keysInStore
  );
  "NixOS: the refusal names the provider" =
    let
      refusal = lib.concatStrings (refusals (nixos (on // { settings = keysInStore."a path literal"; })));
    in
    is false (builtins.replaceStrings [ "the key file of deepseek" ] [ "" ] refusal == refusal);
  "NixOS: a key elsewhere is fine" = is [ ] (refusals (nixos (on // { settings = keysElsewhere; })));
  "NixOS: a literal key is refused" = is 1 (
    lib.length (refusals (nixos (on // { settings = literalKey; })))
  );
}
