# What one works with here: the compiler, the linters, and the programs that `.ci/run` calls.
{
  pkgs ? import (import ./nix/nixpkgs.nix) { },
}:
pkgs.mkShell {
  inputsFrom = [ (pkgs.callPackage ./. { }) ];
  packages = with pkgs; [
    clippy
    rust-analyzer
    rustfmt

    shellcheck
    nixfmt

    # the real agents, and the terminals and shells they are tested in
    nodejs
    python3
    go
    tmux
    bash-completion
    fish
    zsh
  ];
  RUST_SRC_PATH = pkgs.rustPlatform.rustLibSrc;
}
