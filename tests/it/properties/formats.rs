//! What must hold of made-up but well-formed things: merges, environments, configs, ids.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use agent_run::internals::{Environment, command};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};
use shims::Value;

use super::made_up::{
    CLAUDE, CODEX, CRUSH, FOREIGN_KEYS, HERMES, PATTERNS, ROWS, config_text, divided, launches, noise,
    object, pairs, without_null,
};
use super::oracles::machine::Machine;
use super::oracles::{claude_json, codex_toml, config, crush_json, filters, hermes_yaml, model_list};

const KEY: &str = "sk-the-key-of-the-provider";

/// `PROPTEST_CASES` asks for more; nothing is written beside the source.
fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn merging_claudes_state_twice_is_merging_it_once(state in object(CLAUDE), settings in object(CLAUDE)) {
        prop_assert!(claude_json(&divided(&state, &settings)));
    }

    #[test]
    fn merging_codexs_config_twice_is_merging_it_once(own in object(CODEX), left in object(CODEX)) {
        let toml = |json: &Json| toml::to_string(&without_null(json)).expect("TOML");
        prop_assert!(codex_toml(&divided(&toml(&own), &toml(&left))));
    }

    #[test]
    fn merging_crushs_settings_twice_is_merging_them_once(
        mut own in object(CRUSH),
        mut choices in object(CRUSH),
        sound in any::<bool>(),
    ) {
        for settings in [&mut own, &mut choices] {
            // What has another kind in the two files, and `options` that are none, Crush refuses itself.
            if sound {
                settings["options"] = json!({"debug": true, "disable_notifications": true});
            }
        }
        let one = own.to_string();
        prop_assert!(crush_json(one.as_bytes()) || !sound, "{one}");
        crush_json(&divided(&own, &choices));
    }

    #[test]
    fn merging_hermess_settings_twice_is_merging_them_once(own in object(HERMES)) {
        let yaml = serde_yaml::to_string(&own).expect("YAML");
        // It leaves `<<` and `=` without quotes, and as values PyYAML refuses those.
        let is_refused = yaml.lines().any(|line| [" <<", " ="].iter().any(|end| line.ends_with(end)));
        prop_assert!(hermes_yaml(yaml.as_bytes()) || is_refused, "{yaml}");
        prop_assert!(hermes_yaml(own.to_string().as_bytes()), "JSON is YAML too: {own}");
    }

    #[test]
    fn a_sound_config_is_read_as_libyaml_reads_it_and_takes_one_more_provider(text in config_text()) {
        prop_assert!(config(text.as_bytes()), "{text}");
    }

    #[test]
    fn any_rows_become_sane_records(rows in prop::collection::vec(object(ROWS), 0..12)) {
        model_list(json!({ "data": rows }).to_string().as_bytes());
    }

    #[test]
    fn filters_keep_a_part_of_the_ids_each_once(
        ids in prop::collection::vec("(a|b|zz)/[a-z]{0,3}-?[0-9]{0,3}(\\.[0-9]{1,2})?", 0..20),
        rules in prop::collection::vec((select(PATTERNS), any::<bool>(), prop::option::of(0_usize..5)), 0..4),
    ) {
        let rule = |(filter, desc, top): &(&str, bool, Option<usize>)| {
            json!({ "filter": filter, "desc": desc, "top": top, "order_key": ["$1", "\\2"] })
        };
        let rules: Json = rules.iter().map(rule).collect();
        prop_assert!(filters(&divided(&rules, &ids.join("\n"))));
    }

    #[test]
    fn unset_then_set_leaves_no_foreign_variable_of_the_family(
        (agent, protocol) in pairs(),
        launch in launches(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), "[A-Z0-9_]{0,12}"), 0..24),
        noise in noise(),
    ) {
        let agent = shims::by_name(agent).expect("an agent");
        let mut launch = launch;
        launch.protocol.value = protocol;
        let mut machine = Machine::default();
        let names: Vec<_> = agent.info().managed_env_vars.iter().copied().chain(FOREIGN_KEYS).collect();
        for (index, filling) in picks {
            let name = index.get(&names).replacen('*', &filling, 1);
            // A folder of another's must not be looked for in the machine's root.
            machine.env.insert(name.into(), "/h/foreign".into());
        }
        machine.env.extend(noise.clone());
        let Ok(plan) = machine.plan(agent.name(), &launch) else {
            return Err(TestCaseError::reject("refused"));
        };

        let inherited = Environment::made_of(machine.env.clone());
        let command = command(&plan, Some(KEY), &inherited).expect("filled in");
        let child: BTreeMap<&OsStr, &OsStr> =
            command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        for (name, value) in &child {
            let text = name.to_str().unwrap_or_default();
            let is_family = agent.info().managed_env_vars.iter().any(|pattern| shims::inputs::matches(pattern, text));
            if !is_family && !FOREIGN_KEYS.contains(&text) {
                continue;
            }
            let planned = plan.env.get(*name).and_then(Option::as_ref);
            prop_assert!(planned.is_some(), "{text} of the family is inherited");
            let expected = planned.map(filled);
            prop_assert_eq!(expected.as_deref(), Some(*value), "{}", text);
            prop_assert!(!value.to_string_lossy().contains("foreign"), "{text} is another's");
        }
        for (name, value) in &noise {
            prop_assert_eq!(child.get(name.as_os_str()), Some(&value.as_os_str()), "{:?} was changed", name);
        }
        let odd = child.keys().find(|name| !machine.env.contains_key(**name) && !plan.env.contains_key(**name));
        prop_assert!(odd.is_none(), "{odd:?} comes from nowhere");
        prop_assert!(plan.env.keys().all(|name| plan.env[name].is_some() || !child.contains_key(name.as_os_str())));
    }
}

fn filled(value: &Value) -> OsString {
    let mut text = OsString::new();
    for part in value.parts() {
        match part {
            shims::Part::Text(plain) => text.push(plain),
            shims::Part::Key => text.push(KEY),
            shims::Part::Env(name) => panic!("{name} is in no launch here"),
        }
    }
    text
}
