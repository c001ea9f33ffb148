# Takes nixpkgs' place where there is no network: `--override-input nixpkgs path:nix/offline`.
{
  outputs = _: rec {
    lib = import ./lib.nix;
    legacyPackages = lib.genAttrs [
      "x86_64-linux"
      "aarch64-linux"
      "aarch64-darwin"
    ] (system: import ./. { inherit system; });
  };
}
