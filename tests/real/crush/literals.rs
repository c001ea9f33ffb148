//! Text from the config that Crush would expand as a shell does.

use std::fs;

use super::{PONG, Stage, header, turns};
use crate::support::run;

const SPECIAL: &str = r#"$HOME ${HOME} $(touch ran) `touch ran` \\ \$ " ' # %s {a,b} ~ * ?"#;

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn headers_paths_models_and_names_arrive_as_they_were_written() {
    let Some(stage) = Stage::new() else { return };
    let model = "m$HOME`touch ran`\\\"'${HOME}$(touch ran)";
    let yaml = |text: &str| format!("'{}'", text.replace('\'', "''"));
    // The mock answers at any path that ends so.
    let url = stage.mock.url("/$HOME/$(touch)/v1");
    stage.sandbox.config(&format!(
        "providers:\n  od$d:\n    protocols: [openai-chat-completions]\n    base_urls: {{openai: {}}}\n    key_env: \
         MOCK_KEY\n    key_check: off\n    default_model: {}\n    model_api_filters: []\n    models: [{{id: {}}}]\n    headers: \
         {{X-Odd: {}}}\n",
        yaml(&url),
        yaml(model),
        yaml(model),
        yaml(&SPECIAL.replace("${", "$${")),
    ));
    let key = "sk-$HOME`touch ran`$(touch ran)\\\\'\"";
    let odd = stage.sandbox.path("o d$d `x` '");
    fs::create_dir_all(&odd).unwrap();
    let mut command = stage.sandbox.command("agent-run");
    command.args(["launch", "od$d", "crush", "run", "-q", "say pong"]).env("MOCK_KEY", key).current_dir(&odd);
    let ran = run(&mut command).exits(0);
    assert_eq!(ran.stdout, PONG, "{}", ran.stderr);
    let turn = turns(&stage.mock).pop().unwrap();
    assert_eq!(header(&turn, "x-odd"), Some(SPECIAL));
    assert_eq!(turn["model"], model);
    assert_eq!(header(&turn, "authorization"), Some(format!("Bearer {key}").as_str()));
    // Go writes parentheses in a path so.
    let path = turn["path"].as_str().unwrap().replace("%28", "(").replace("%29", ")");
    assert!(path.starts_with("/$HOME/$(touch)/") && path.ends_with("/v1/chat/completions"), "{path}");
    for folder in [odd, stage.sandbox.path("work")] {
        assert!(!folder.join("ran").exists());
    }
}
