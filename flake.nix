{
  description = "Launch a coding agent on a chosen provider, without touching the agent's own settings";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # Intel Macs left nixpkgs with 26.11; there, apply the overlay to an older one.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      eachSystem =
        outputs: nixpkgs.lib.genAttrs systems (system: outputs nixpkgs.legacyPackages.${system});
    in
    {
      packages = eachSystem (pkgs: rec {
        agent-run = pkgs.callPackage ./. { };
        default = agent-run;
      });

      overlays.default = final: _: { agent-run = final.callPackage ./. { }; };

      # By their paths, so that a module that two others import is one module.
      homeModules.default.imports = [ ./nix/home-manager.nix ];
      nixosModules.default.imports = [ ./nix/nixos.nix ];
      darwinModules.default.imports = [ ./nix/nixos.nix ];

      devShells = eachSystem (pkgs: {
        default = import ./shell.nix { inherit pkgs; };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);

      checks = eachSystem (
        pkgs:
        let
          inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) agent-run;
        in
        {
          inherit agent-run;
          inherit (agent-run.tests) shims;
        }
      );
    };
}
