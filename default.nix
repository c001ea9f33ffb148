# The one derivation: `nix-build`, the flake, its overlay and both modules build this.
{
  pkgs ? import (import ./nix/nixpkgs.nix) { },
  lib ? pkgs.lib,
  rustPlatform ? pkgs.rustPlatform,
  installShellFiles ? pkgs.installShellFiles,
  versionCheckHook ? pkgs.versionCheckHook,
  symlinkJoin ? pkgs.symlinkJoin,
  runCommand ? pkgs.runCommand,
}:
let
  shims = import ./nix/shims.nix { inherit lib symlinkJoin; };
in
rustPlatform.buildRustPackage (finalAttrs: {
  pname = "agent-run";
  inherit ((lib.importTOML ./Cargo.toml).workspace.package) version;

  # All that cargo compiles, and no more: an edit of the README compiles nothing.
  src = lib.fileset.toSource {
    root = ./.;
    fileset = lib.fileset.unions [
      ./Cargo.lock
      ./Cargo.toml
      ./benches
      ./build.rs
      ./config.demo.yaml
      ./man
      ./shims
      ./src
      ./tests
    ];
  };
  cargoLock.lockFile = ./Cargo.lock;

  __structuredAttrs = true;
  strictDeps = true;

  # Not optimised a second time, and without the integration tests, which want a whole machine: terminals, the
  # agents, folders outside the sandbox.
  checkType = "debug";
  cargoTestFlags = [
    "--lib"
    "--bins"
  ];
  # Some tests talk to a provider on loopback.
  __darwinAllowLocalNetworking = true;

  # Never wrapped: the name it is called by decides what it does.
  nativeBuildInputs = [ installShellFiles ];
  # What `agent-run completion` and `agent-run help --man` print, which may not run where it is built.
  postInstall = ''
    installManPage man/*
    installShellCompletion --cmd agent-run \
      --bash src/completion/agent-run.bash \
      --fish src/completion/agent-run.fish \
      --zsh src/completion/agent-run.zsh
  '';

  doInstallCheck = true;
  nativeInstallCheckInputs = [ versionCheckHook ];

  passthru = {
    # agent-run.withShims [ "claude@deepseek" ]
    # agent-run.withShims { agents = [ "claude" "codex" ]; providers = [ "deepseek" ]; }
    # agent-run.withShims { settings = config.programs.agent-run.settings; }
    withShims = shims.withShims finalAttrs.finalPackage;
    shimNames = shims.names;
    impossibleShims = shims.impossible;
    shims = [ ];
    tests.shims = import ./nix/test-shims.nix { inherit lib runCommand; } finalAttrs.finalPackage;
  };

  meta = {
    description = "Launch a coding agent on a chosen provider, without touching the agent's own settings";
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "agent-run";
    platforms = lib.platforms.unix;
  };
})
