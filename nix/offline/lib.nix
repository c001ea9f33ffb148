# As much of nixpkgs' lib as our files use.
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    isList
    ;

  lib = {
    inherit (builtins)
      any
      attrNames
      concatStringsSep
      concatMap
      elem
      filter
      isList
      length
      ;
    mapAttrsToList = value: set: map (name: value name set.${name}) (attrNames set);
    intersectLists = a: filter (value: lib.elem value a);
    unique = builtins.foldl' (seen: value: if lib.elem value seen then seen else seen ++ [ value ]) [ ];
    optionals = condition: values: if condition then values else [ ];
    concatStrings = builtins.concatStringsSep "";
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    genAttrs =
      names: value:
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = value name;
        }) names
      );
    filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    optionalString = condition: text: if condition then text else "";
    cartesianProduct =
      { agent, provider }: concatMap (agent: map (provider: { inherit agent provider; }) provider) agent;
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
    escapeShellArgs = texts: builtins.concatStringsSep " " (map lib.escapeShellArg texts);
    # A name that nixpkgs lacks is an error here too.
    licenses = lib.genAttrs [ "mit" "asl20" ] (name: name);
    platforms.unix = [ "unix" ];

    # A set of files is a list of paths.
    fileset = {
      unions = concatMap (
        files:
        if isList files then
          files
        else if builtins.pathExists files then
          [ files ]
        else
          throw "the source names ${toString files}, which does not exist"
      );
      maybeMissing = path: if builtins.pathExists path then [ path ] else [ ];
      toSource =
        { root, fileset }:
        let
          below = dir: path: lib.hasPrefix "${toString dir}/" "${path}/";
        in
        builtins.path {
          name = "source";
          path = root;
          filter = path: _: lib.any (file: below file path || below path (toString file)) fileset;
        };
    };
  }
  // import ./modules.nix lib;
in
lib
