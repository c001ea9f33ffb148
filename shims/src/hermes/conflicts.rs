//! What the user's own home says against a launch.

use super::home::HermesHomes;
use super::{choices, settings, variables};
use crate::{ConflictingSetting, Inputs};

/// The settings, and the variables of the family in the dotenv files, that the plan overrules.
pub fn of(homes: &HermesHomes, inputs: &Inputs) -> Vec<ConflictingSetting> {
    let config = homes.base.join("config.yaml");
    // A file that does not parse is the plan's to refuse.
    let theirs = settings::read(&config, inputs).unwrap_or_default();
    let keys = settings::routing_keys(&theirs).into_iter();
    let replaced = "replaced in the launch's own config.yaml";
    let keys = keys.map(|key| ConflictingSetting::new(&config, key, replaced));
    // One with NUL bytes is not given to Hermes.
    let dotenvs = homes.dotenvs(inputs).filter(|(_, bytes)| !bytes.contains(&0));
    let variables = dotenvs.flat_map(|(path, bytes)| {
        let names = variables::words(bytes).into_iter().filter(|name| variables::is_family(name));
        names.map(move |key| {
            ConflictingSetting::new(&path, key, "the launch's own settings are loaded after it")
        })
    });
    keys.chain(choices::kept(homes, &theirs)).chain(variables).collect()
}

#[cfg(test)]
mod tests {
    use super::super::argv::HermesArgs;
    use super::super::tests::{inputs, launch};
    use super::*;
    use crate::Fact;

    #[test]
    fn what_routes_is_said_by_its_key() {
        let mut inputs = inputs();
        for (name, text) in [
            (
                "config.yaml",
                "model: {default: x}\nfallback_model: y\napprovals: {mode: off}\nmoa: {}\ndelegation: {model: z}\n",
            ),
            (".env", "OPENAI_BASE_URL=http://x\nAUXILIARY_VISION_MODEL=m\nEDITOR=vi\n"),
        ] {
            inputs.facts.insert(format!("/home/u/.hermes/{name}").into(), Fact::File(text.into()));
        }
        let launch = launch(&[]);
        let homes = HermesHomes::find(&launch, &HermesArgs::of(&launch), &inputs);
        let conflicts = of(&homes, &inputs);
        let keys: Vec<_> = conflicts.iter().map(|conflict| conflict.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "model",
                "fallback_model",
                "delegation.model",
                "moa",
                "AUXILIARY_VISION_MODEL",
                "OPENAI_BASE_URL"
            ]
        );
    }
}
