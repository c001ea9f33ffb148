//! The protocols that agents and providers speak.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A wire protocol between an agent and a provider.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Anthropic's Messages API: `POST {base}/v1/messages`.
    Anthropic,
    /// `OpenAI`'s Responses API: `POST {base}/responses`.
    OpenaiResponses,
    /// `OpenAI`'s Chat Completions API: `POST {base}/chat/completions`.
    OpenaiChatCompletions,
}

impl Protocol {
    /// All protocols, in the order in which lists show them.
    pub const ALL: [Self; 3] = [Self::Anthropic, Self::OpenaiResponses, Self::OpenaiChatCompletions];

    /// The name used in config files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiChatCompletions => "openai-chat-completions",
        }
    }

    /// The key under `base_urls` whose URL serves this protocol.
    pub const fn family(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenaiResponses | Self::OpenaiChatCompletions => "openai",
        }
    }

    /// The protocol called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
