# What one works with here: the compiler, the linters, and the programs that `.ci/run` calls.
{
  pkgs ? import (import ./nix/nixpkgs.nix) { },
}:
let
  inherit (pkgs) lib stdenv;
in
pkgs.mkShell {
  inputsFrom = [ (pkgs.callPackage ./. { }) ];
  packages =
    with pkgs;
    [
      clippy
      rust-analyzer
      rustfmt

      shellcheck
      mandoc
      nixfmt

      # the real agents, and the terminals and shells they are tested in
      nodejs
      python3
      go
      tmux
      bash-completion
      fish
      zsh
      openssl
      procps
    ]
    # what makes system calls fail, and networks and disks of a test's own
    ++ lib.optionals stdenv.hostPlatform.isLinux [
      iproute2
      strace
      util-linux
    ];
  RUST_SRC_PATH = pkgs.rustPlatform.rustLibSrc;
}
