//! Where a provider's list is, who may be sent the key, and what distinguishes one such list from another.

use shims::{proxy, short_hash_of_all};

use crate::config::{KeySource, Provider};

/// Hosts whose list needs no key. It is not sent there: a revoked key then does not break the list, and no
/// key command runs for it. Taken from the providers' own clients and documents, 2026-11.
const PUBLIC_LISTS: [&str; 7] = [
    "openrouter.ai",
    "ai-gateway.vercel.sh",
    "router.huggingface.co",
    "api.poe.com",
    "llm.chutes.ai",
    "api.venice.ai",
    "opencode.ai",
];

/// Path ends under which providers serve the Anthropic protocol beside a list that is higher up.
const SUFFIXES: [&str; 7] =
    ["/apps/anthropic", "/api/anthropic", "/anthropic", "/api/coding", "/coding", "/step_plan", "/claude"];

/// A provider as something that has a model list.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The provider's name in the config.
    pub name: &'a str,
    /// The provider.
    pub provider: &'a Provider,
}

/// A URL where the list may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The URL, query included.
    pub url: String,
    /// Whether it is asked the way Anthropic's SDK does.
    pub anthropic: bool,
    /// Whether the key may go there.
    pub keyed: bool,
}

impl<'a> Source<'a> {
    /// The provider called `name`.
    pub fn new(name: &'a str, provider: &'a Provider) -> Self {
        Self { name, provider }
    }

    /// Where to ask, in order: the next place only if the one before has no list at all.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.urls().into_iter().map(|(url, anthropic)| self.endpoint(url, anthropic)).collect()
    }

    /// The URLs of the places, each with whether it is asked the way Anthropic's SDK does.
    fn urls(&self) -> Vec<(String, bool)> {
        let urls = &self.provider.base_urls;
        let openai = urls.openai.as_ref().map(|url| url.0.trim_end_matches('/'));
        let anthropic = urls.anthropic.as_ref().map(|url| url.0.trim_end_matches('/'));
        if let Some(url) = &self.provider.models_url {
            return vec![(url.clone(), openai.is_none())];
        }
        let mut endpoints: Vec<(String, bool)> = Vec::with_capacity(6);
        let mut add = |url: String, anthropic| {
            if !endpoints.iter().any(|(other, _)| without_query(other) == without_query(&url)) {
                endpoints.push((url, anthropic));
            }
        };
        if let Some(base) = openai {
            add(format!("{base}/models"), false);
        }
        if let Some(base) = anthropic {
            // The config refuses such a base; one that got here all the same is not to be doubled.
            let version = if base.ends_with("/v1") { "" } else { "/v1" };
            add(format!("{base}{version}/models?limit=1000"), true);
        }
        for (base, anthropic) in [(anthropic, true), (openai, false)] {
            let stripped = base.and_then(|base| SUFFIXES.iter().find_map(|suffix| base.strip_suffix(suffix)));
            let Some(root) = stripped.filter(|root| !root.ends_with('/')) else { continue };
            add(format!("{root}/v1/models"), anthropic);
            add(format!("{root}/models"), anthropic);
        }
        endpoints
    }

    fn endpoint(&self, url: String, anthropic: bool) -> Endpoint {
        let (host, from) = (proxy::host(&url), origin(&url));
        let ours = self.provider.base_urls.all().any(|base| origin(base) == from);
        let public = PUBLIC_LISTS.iter().any(|public| host.eq_ignore_ascii_case(public));
        Endpoint { keyed: ours && !public, url, anthropic }
    }

    /// Whether loading the list would have to run the user's key command.
    pub fn runs_a_command(&self) -> bool {
        matches!(self.provider.key_source(), Some(KeySource::Command(_)))
            && self.endpoints().first().is_some_and(|endpoint| endpoint.keyed)
    }

    /// What tells this list from that of another account, URL or protocol: 16 hexadecimal digits.
    ///
    /// It stands for where the key is kept, and for the key itself only if the config holds it. Eight bytes
    /// of a hash that also covers name and URLs do not give a key away, and fit a file name.
    pub fn cache_key(&self) -> String {
        let (kind, words): (&str, Vec<&[u8]>) = match self.provider.key_source() {
            None => ("none", Vec::new()),
            Some(KeySource::Env(name)) => ("env", vec![name.as_bytes()]),
            Some(KeySource::File(path)) => ("file", vec![path.as_os_str().as_encoded_bytes()]),
            Some(KeySource::Command(argv)) => ("command", argv.iter().map(String::as_bytes).collect()),
            Some(KeySource::Literal(key)) => ("key", vec![key.0.as_bytes()]),
        };
        let urls = self.urls();
        let headers = format!("{:?}", self.provider.headers);
        let protocols = self.provider.protocols.iter().map(|protocol| protocol.name());
        let about = ["agent-run model list", self.name, kind, &headers].into_iter();
        let urls = urls.iter().map(|(url, _)| url.as_str());
        let texts = about.chain(protocols).chain(urls).map(str::as_bytes);
        format!("{:016x}", short_hash_of_all(texts.chain(words)))
    }

    /// Where the key is kept, for messages; never the key.
    pub fn key_name(&self) -> String {
        match self.provider.key_source() {
            None => "the key: the config names none".to_owned(),
            Some(KeySource::Literal(_)) => format!("providers.{}.key", self.name),
            Some(source) => source.to_string(),
        }
    }
}

/// Scheme, host and port, in lower case and without the scheme's own port.
pub fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let (scheme, mut address) = (scheme.to_ascii_lowercase(), address.to_ascii_lowercase());
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    if let Some(host) = address.strip_suffix(own_port) {
        address = host.to_owned();
    }
    format!("{scheme}://{address}")
}

/// The URL as it may be shown and stored: a query can hold a secret.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::provider;

    fn urls(yaml: &str) -> Vec<String> {
        let provider = provider(yaml);
        Source::new("p", &provider).endpoints().into_iter().map(|endpoint| endpoint.url).collect()
    }

    #[test]
    fn places_are_tried_from_the_likeliest_on() {
        assert_eq!(
            urls(
                "protocols: [anthropic]\nbase_urls: {openai: 'https://a.b/v1', anthropic: 'https://a.b/anthropic'}"
            ),
            ["https://a.b/v1/models", "https://a.b/anthropic/v1/models?limit=1000", "https://a.b/models",]
        );
        assert_eq!(
            urls("protocols: [anthropic]\nbase_urls: {anthropic: 'https://a.b/api/anthropic'}"),
            ["https://a.b/api/anthropic/v1/models?limit=1000", "https://a.b/v1/models", "https://a.b/models"]
        );
        assert_eq!(
            urls("protocols: [openai-responses]\nbase_urls: {openai: 'https://a.b/paas/v4'}"),
            ["https://a.b/paas/v4/models"]
        );
        assert_eq!(
            urls(
                "protocols: [anthropic]\nbase_urls: {anthropic: 'https://a.b'}\nmodels_url: 'https://c.d/x?y=1'"
            ),
            ["https://c.d/x?y=1"]
        );
    }

    #[test]
    fn the_key_goes_to_the_providers_own_origin_and_not_to_public_lists() {
        let keyed = |yaml| {
            let provider = provider(yaml);
            Source::new("p", &provider).endpoints()[0].keyed
        };
        assert!(keyed("protocols: [openai-responses]\nbase_urls: {openai: 'https://a.b/v1'}"));
        assert!(keyed(
            "protocols: [openai-responses]\nbase_urls: {openai: 'https://A.b/v1'}\nmodels_url: 'https://a.b:443/m'"
        ));
        assert!(!keyed(
            "protocols: [openai-responses]\nbase_urls: {openai: 'https://a.b/v1'}\nmodels_url: 'https://evil.a.b/m'"
        ));
        assert!(!keyed("protocols: [openai-responses]\nbase_urls: {openai: 'https://openrouter.ai/api/v1'}"));
    }

    #[test]
    fn a_list_is_another_if_anything_that_decides_it_is() {
        let base = "protocols: [openai-responses]\nbase_urls: {openai: 'https://a.b'}\nkey_env: A";
        let cache_key = |name, yaml: &str| {
            let provider = provider(yaml);
            Source::new(name, &provider).cache_key()
        };
        let same = cache_key("p", base);
        assert_eq!(same, cache_key("p", &format!("{base}\ndefault_model: m\nmodel_api_filters: []")));
        assert_eq!(same.len(), 16);
        for other in [
            cache_key("q", base),
            cache_key("p", &base.replace("a.b", "c.d")),
            cache_key("p", &base.replace("key_env: A", "key_env: B")),
            cache_key("p", &base.replace("key_env: A", "key: A")),
            cache_key("p", &base.replace("responses", "chat-completions")),
            cache_key("p", &format!("{base}\nheaders: {{x-org: one}}")),
        ] {
            assert_ne!(same, other);
        }
    }
}
