# The module system, as far as our modules use it: options, types, mkIf, and no definition of what is no option.
lib:
let
  inherit (builtins)
    all
    attrNames
    attrValues
    concatMap
    filter
    head
    isAttrs
    isFunction
    isList
    isPath
    isString
    mapAttrs
    ;

  last = values: builtins.elemAt values (builtins.length values - 1);
  type = name: check: {
    inherit name check;
    merge = last;
  };

  # A condition moves inward until it meets an option, so that it may depend on other options.
  push = def: if def ? _if then mapAttrs (_: lib.mkIf def._if) (push def.content) else def;
  discharge =
    def:
    if !(isAttrs def && def ? _if) then
      [ def ]
    else if def._if then
      discharge def.content
    else
      [ ];
  at = name: concatMap (def: if def ? ${name} then [ def.${name} ] else [ ]);

  # Options of several modules, side by side.
  join =
    a: b:
    a
    // mapAttrs (
      name: option:
      if !(a ? ${name}) then
        option
      else if option ? _option then
        throw "the option ${name} is declared twice"
      else
        join a.${name} option
    ) b;

  value =
    path: option: defs:
    let
      merged =
        if defs != [ ] then
          option.type.merge defs
        else
          option.default or (throw "the option ${path} is used and has no value");
    in
    if option.type.check merged then merged else throw "the option ${path} is no ${option.type.name}";

  evaluate =
    path: options: defs:
    let
      pushed = map push defs;
      unknown = filter (name: !(options ? ${name})) (concatMap attrNames pushed);
    in
    if unknown != [ ] then
      throw "there is no option ${path}${head unknown}"
    else
      mapAttrs (
        name: option:
        if option ? _option then
          value "${path}${name}" option (concatMap discharge (at name pushed))
        else
          evaluate "${path}${name}." option (at name pushed)
      ) options;
in
{
  mkOption = option: option // { _option = true; };
  mkEnableOption =
    description:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      inherit description;
    };
  mkIf = condition: content: {
    _if = condition;
    inherit content;
  };
  mkDefault = content: content;
  mkOrder = _: content: content;
  literalExpression = text: text;

  types = {
    anything = type "value" (_: true);
    bool = type "boolean" builtins.isBool;
    str = type "string" isString;
    path = type "path" (v: isPath v || isString v);
    package = type "package" (v: v.type or null == "derivation");
    lines = type "text" isString // {
      merge = builtins.concatStringsSep "\n";
    };
    nullOr = t: type "null or ${t.name}" (v: v == null || t.check v);
    either = a: b: type "${a.name} or ${b.name}" (v: a.check v || b.check v);
    listOf =
      t:
      type "list of ${t.name}" (v: isList v && all t.check v)
      // {
        merge = builtins.concatLists;
      };
    attrsOf =
      t:
      type "set of ${t.name}" (v: isAttrs v && all t.check (attrValues v))
      // {
        merge =
          defs:
          let
            given = name: concatMap discharge (at name defs);
            names = filter (name: given name != [ ]) (concatMap attrNames defs);
          in
          lib.genAttrs names (name: t.merge (given name));
      };
  };

  # Home Manager's own.
  hm.shell =
    let
      integration =
        shell:
        { config }:
        lib.mkOption {
          type = lib.types.bool;
          default = config.home.shell."enable${shell}Integration";
        };
    in
    {
      mkBashIntegrationOption = integration "Bash";
      mkFishIntegrationOption = integration "Fish";
      mkZshIntegrationOption = integration "Zsh";
    };

  # The configuration that these modules make.
  evalModules =
    { modules, specialArgs }:
    let
      load =
        module:
        let
          loaded = if isPath module then import module else module;
          key = toString module;
          body = if isFunction loaded then loaded (specialArgs // { inherit config lib; }) else loaded;
        in
        concatMap load (body.imports or [ ])
        ++ [ (body // (if isPath module then { inherit key; } else { })) ];
      # A file that is imported twice is one module.
      once = builtins.foldl' (
        seen: body:
        if body ? key && lib.any (other: other.key or null == body.key) seen then seen else seen ++ [ body ]
      ) [ ];
      bodies = once (concatMap load modules);
      options = builtins.foldl' join { } (at "options" bodies);
      config = evaluate "" options (
        map (
          body:
          body.config or (removeAttrs body [
            "imports"
            "key"
            "options"
          ])
        ) bodies
      );
    in
    {
      inherit config options;
    };
}
