# What `nix/check` evaluates and builds: facts, and the packages it looks into.
let
  pkgs = import ./offline { };
  inherit (pkgs) lib;

  package = pkgs.callPackage ../. { };
  inherit (package) shimNames;

  flakeFile = import ../flake.nix;
  flake = flakeFile.outputs {
    self = flake;
    nixpkgs = (import ./offline/flake.nix).outputs { };
  };
  inherit ((lib.importJSON ../flake.lock).nodes.nixpkgs) original locked;

  settings.providers = {
    deepseek = {
      protocols = [ "anthropic" ];
      base_urls.anthropic = "https://api.deepseek.com/anthropic";
      key_env = "DEEPSEEK_API_KEY";
    };
    ollama = {
      protocols = [ "openai-responses" ];
      base_urls.openai = "http://localhost:11434/v1";
    };
  };
  fitting = [
    "claude@deepseek"
    "codex@ollama"
    "crush@deepseek"
  ];

  # What `.ci/run` installs on Debian, under the names of nixpkgs.
  ciTools =
    let
      list = builtins.match ".*\n  for tool in ([^;]*);.*" (builtins.readFile ../.ci/run);
      words = lib.filter builtins.isString (builtins.split " " (builtins.head list));
      named = {
        # Of the compiler.
        "g++" = [ ];
      };
    in
    lib.concatMap (word: named.${word} or [ pkgs.${word} ]) words
    ++ [
      pkgs.iproute2
      pkgs.util-linux
      pkgs.procps
      pkgs.bash-completion
    ];
  lines = file: lib.filter builtins.isString (builtins.split "\n" (builtins.readFile file));

  paths = map toString;
  is = wanted: got: { inherit wanted got; };
  evaluates = value: (builtins.tryEval (builtins.deepSeq value true)).success;
  # As Home Manager and NixOS do, whose own assertions look at all files before ours are shown.
  facts = {
    "the lock is the flake's input" =
      is flakeFile.inputs.nixpkgs.url "${original.type}:${original.owner}/${original.repo}/${original.ref}";
    "without flakes, the locked nixpkgs is fetched" = is {
      url = "https://github.com/NixOS/nixpkgs/archive/${locked.rev}.tar.gz";
      sha256 = locked.narHash;
    } (builtins.scopedImport { fetchTarball = args: args; } ./nixpkgs.nix);
    "the overlay gives the package" = is "${package}" "${(flake.overlays.default pkgs { }).agent-run}";
    "each system has packages, a shell, a formatter and checks" =
      let
        systems = [
          "aarch64-darwin"
          "aarch64-linux"
          "x86_64-linux"
        ];
      in
      is
        [
          systems
          systems
          systems
          systems
        ]
        (
          map (output: lib.attrNames flake.${output}) [
            "packages"
            "devShells"
            "formatter"
            "checks"
          ]
        );
    "the shell lacks no tool of .ci/run" =
      let
        inherit (import ../shell.nix { inherit pkgs; }) packages;
      in
      is [ ] (paths (lib.filter (tool: !(lib.elem tool packages)) ciTools));
    "direnv makes the shell again when a file of it changes" = is [
      "  watch_file flake.nix shell.nix default.nix nix/*.nix"
      "  use flake"
    ] (lib.filter (line: lib.hasPrefix "  " line) (lines ../.envrc));
    "git ignores what Nix and direnv leave" = is [ "/.direnv" "/result" ] (
      lib.intersectLists [ "/.direnv" "/result" ] (lines ../.gitignore)
    );
    "the licences are those of Cargo.toml" =
      is
        [
          "MIT OR Apache-2.0"
          [
            "mit"
            "asl20"
          ]
        ]
        [
          (lib.importTOML ../Cargo.toml).workspace.package.license
          package.meta.license
        ];
    "the description is that of Cargo.toml" =
      is (lib.importTOML ../Cargo.toml).package.description package.meta.description;
    "the tests that are run need no machine" = is [ "--lib" "--bins" ] package.recipe.cargoTestFlags;

    "symlinks from a list" = is [ "claude@a" "codex@b@c" ] (shimNames [
      "claude@a"
      "codex@b@c"
    ]);
    "symlinks from agents and providers" = is [ "claude@a" "claude@b" "codex@a" "codex@b" ] (shimNames {
      agents = [
        "claude"
        "codex"
      ];
      providers = [
        "a"
        "b"
      ];
    });
    "symlinks from the settings, by protocol" = is fitting (shimNames {
      inherit settings;
    });
    # A plain missing attribute would end this evaluation too, and name no provider.
    "a provider without protocols is refused by its name" = is false (
      evaluates (shimNames {
        settings.providers.bare = { };
      })
    );
    "a symlink that is named twice is one" = is [ "claude@a" ] (shimNames [
      "claude@a"
      "claude@a"
    ]);
    "symlinks for homes without a provider" = is [ "codex@work" "hermes@work" ] (shimNames {
      settings.isolated_homes = {
        codex.work = { };
        hermes.work = { };
      };
    });
    "and by the other spelling, of one agent" = is [ "codex@work" ] (shimNames {
      agents = [
        "claude"
        "codex"
      ];
      settings.isolated-homes.codex.work = { };
    });
    "symlinks of one agent, from the settings" = is [ "crush@deepseek" ] (shimNames {
      inherit settings;
      agents = [ "crush" ];
    });
    "nothing else is a symlink's name" = is [ ] (
      lib.filter (name: evaluates (shimNames [ name ])) [
        "claude"
        "claude@"
        "@deepseek"
        "emacs@deepseek"
        "claude@../x"
        "claude@a/b"
        "claude@-x"
        "claude@.x"
        "claude@ x"
        "claude@x\ny"
      ]
    );

  }
  // import ./check-modules.nix {
    inherit
      pkgs
      package
      flake
      settings
      fitting
      is
      evaluates
      ;
  };

  report =
    name:
    { wanted, got }:
    if got == wanted then
      "ok      ${name}\n"
    else
      "FAILED  ${name}: ${builtins.toJSON got} and not ${builtins.toJSON wanted}\n";
in
{
  facts = lib.concatStrings (lib.mapAttrsToList report facts);

  inherit package;
  withShims = package.withShims [
    "claude@deepseek"
    "codex@ollama"
  ];
  inherit (package.tests) shims;
  inherit (package.recipe) src;
}
