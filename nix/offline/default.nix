# As much of nixpkgs as our files use. Builds are real ones, except that the compiler's work is the program named
# by $AGENT_RUN_BINARY. Needs --impure.
{
  system ? builtins.currentSystem,
}:
let
  lib = import ./lib.nix;

  # A build of bash commands that, as stdenv's, fails on a link to nothing.
  build =
    name: attrs: script:
    derivation {
      inherit name system;
      builder = "/bin/sh";
      args = [
        "-c"
        ''exec bash -euo pipefail -c "$script"''
      ];
      script = script + checkLinks;
      PATH = builtins.getEnv "PATH";
    }
    // attrs;
  checkLinks = ''
    broken=$(find "$out" -xtype l)
    if [ -n "$broken" ]; then echo "links to nothing: $broken" >&2; exit 1; fi
  '';

  # What the real hooks promise: see pkgs/build-support/install-shell-files and pkgs/by-name/ve/versionCheckHook.
  hooks = {
    installShellFiles = ''
      installShellCompletion() {
        local cmd=
        while [ $# -gt 0 ]; do
          case $1 in
            --cmd) cmd=$2 ;;
            --bash) install_completion "$2" "bash-completion/completions/$cmd.bash" ;;
            --fish) install_completion "$2" "fish/vendor_completions.d/$cmd.fish" ;;
            --zsh) install_completion "$2" "zsh/site-functions/_$cmd" ;;
            *) echo "installShellCompletion: $1" >&2; return 1 ;;
          esac
          shift 2
        done
      }
      installManPage() {
        local page
        for page; do
          case $page in
            *.[1-9]) install -Dm 444 "$page" "$out/share/man/man''${page##*.}/''${page##*/}" ;;
            *) echo "installManPage: $page" >&2; return 1 ;;
          esac
        done
      }
      install_completion() {
        mkdir -p "$out/share/''${2%/*}"
        cat "$1" >"$out/share/$2"
        if [ ! -s "$out/share/$2" ]; then echo "$2 is empty" >&2; return 1; fi
      }
    '';
    versionCheckHook = ''
      (cd / && env -i "$out/bin/$mainProgram" --version) | grep -F "$version"
    '';
  };

  pkgs =
    hooks
    // {
      inherit lib pkgs;
      stdenv.hostPlatform = {
        inherit system;
        isLinux = builtins.match ".*-linux" system != null;
      };

      callPackage =
        file: args:
        let
          function = import file;
        in
        function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // args);

      rustPlatform = {
        rustLibSrc = "rust-lib-src";
        buildRustPackage =
          recipe:
          let
            given = recipe (attrs // { finalPackage = package; });
            # A misspelt attribute is only a variable of the build, and has no effect.
            unknown = lib.filter (name: !(lib.elem name known)) (lib.attrNames given);
            known = [
              "__darwinAllowLocalNetworking"
              "__structuredAttrs"
              "cargoLock"
              "cargoTestFlags"
              "checkType"
              "doInstallCheck"
              "meta"
              "nativeBuildInputs"
              "nativeInstallCheckInputs"
              "passthru"
              "pname"
              "postInstall"
              "src"
              "strictDeps"
              "version"
            ];
            attrs =
              if unknown == [ ] then given else throw "buildRustPackage knows no ${lib.concatStrings unknown}";
            package =
              build "${attrs.pname}-${attrs.version}"
                (
                  attrs.passthru
                  // {
                    inherit (attrs) meta passthru version;
                    recipe = attrs;
                  }
                )
                (
                  ''
                    cd ${attrs.src}
                    cmp Cargo.lock ${attrs.cargoLock.lockFile}
                    version=${attrs.version} mainProgram=${attrs.meta.mainProgram}
                    install -D ${
                      builtins.path {
                        path = builtins.getEnv "AGENT_RUN_BINARY";
                        name = "agent-run";
                      }
                    } "$out/bin/agent-run"
                  ''
                  + lib.concatStrings (
                    attrs.nativeBuildInputs ++ [ attrs.postInstall ] ++ attrs.nativeInstallCheckInputs
                  )
                );
          in
          package;
      };

      symlinkJoin =
        {
          name,
          paths,
          postBuild,
          meta,
          passthru,
        }:
        build name (passthru // { inherit meta passthru; }) (
          "mkdir -p $out\n"
          + lib.concatStrings (map (path: "cp -rs ${path}/. $out\nchmod -R u+w $out\n") paths)
          + postBuild
        );

      runCommand =
        name: _: script:
        build name { } ("TMPDIR=$PWD\n" + script);

      mkShell = { inputsFrom, packages, ... }: build "shell" { inherit packages; } "touch $out";

      formats.yaml = _: {
        type = lib.types.anything;
        generate = name: value: builtins.toFile name (builtins.toJSON value);
      };
    }
    // lib.genAttrs [
      "bash-completion"
      "clippy"
      "fish"
      "go"
      "iproute2"
      "mandoc"
      "nixfmt"
      "nixfmt-tree"
      "nodejs"
      "openssl"
      "procps"
      "python3"
      "rust-analyzer"
      "rustfmt"
      "shellcheck"
      "strace"
      "tmux"
      "util-linux"
      "zsh"
    ] (name: build name { } "touch $out");
in
pkgs
