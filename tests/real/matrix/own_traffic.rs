//! What agents say to hosts of their own, within TLS: experiments, updates, plugins. None of it holds the key.
//!
//! The sink ends TLS here, with certificates of an authority that the agents are made to trust.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::claude::CLAUDE;
use super::codex::CODEX;
use super::crush::CRUSH;
use super::hermes::HERMES;
use super::{KEY, Machine, STRAY, Subject, needles};
use crate::support::net::{self, SEALED, Seen, Sink, Way};
use crate::support::{Sandbox, real};

/// How an agent, and what it starts, is shown a company's authority. A launch leaves them alone.
const TRUST: [&str; 6] = [
    "CODEX_CA_CERTIFICATE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
];

/// A machine whose sink ends TLS, for an agent that trusts it.
#[track_caller]
fn machine(subject: &'static Subject) -> Option<Machine> {
    if real::sandbox(subject.agent).is_none() || !real::tools(&["openssl", "gzip"]) || !net::is_inside() {
        return None;
    }
    let mut machine = Machine::set(subject);
    let certificate = machine.sink.end_tls(&machine.sandbox);
    for name in TRUST {
        machine.var(name, certificate.display().to_string());
    }
    Some(machine)
}

/// What holds the key, a part of it or a stray one, or cannot be read.
fn unsound(seen: &[Seen]) -> Vec<&Seen> {
    let is_unsound = |seen: &&Seen| {
        needles::found(seen.sent.as_bytes()).is_some()
            || [STRAY, SEALED].iter().any(|text| seen.sent.contains(text))
    };
    seen.iter().filter(is_unsound).collect()
}

/// The requests within TLS, by host. Asserts that there were some and that all are sound.
#[track_caller]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn within_tls(machine: &Machine) -> BTreeMap<String, usize> {
    let seen = machine.sink.seen();
    assert!(unsound(&seen).is_empty(), "{:#?}", unsound(&seen));
    let mut hosts = BTreeMap::new();
    for request in seen.iter().filter(|seen| seen.way == Way::Https) {
        *hosts.entry(request.host.clone()).or_default() += 1;
        println!("within TLS\t{}\t{}", request.host, request.sent.lines().next().unwrap_or_default());
    }
    assert!(!hosts.is_empty(), "TLS was ended for nobody, which proves nothing: {seen:#?}");
    hosts
}

#[test]
fn what_codex_says_to_its_own_hosts_holds_no_key() {
    let Some(mut machine) = machine(&CODEX) else { return };
    machine.asks(CODEX.words);
    let hosts = within_tls(&machine);
    println!("{hosts:?}");
    machine.judge();
}

#[test]
fn what_hermes_says_to_its_own_hosts_holds_no_key() {
    let Some(mut machine) = machine(&HERMES) else { return };
    machine.asks(HERMES.words);
    let hosts = within_tls(&machine);
    println!("{hosts:?}");
    machine.judge();
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn what_crush_says_to_its_own_hosts_holds_no_key() {
    let Some(mut machine) = machine(&CRUSH) else { return };
    // Metrics are off in the other tests.
    machine.var("CRUSH_DISABLE_METRICS", "0");
    machine.asks(CRUSH.words);
    let hosts = within_tls(&machine);
    println!("{hosts:?}");
    machine.judge();
}

#[test]
fn claude_says_nothing_to_any_host_though_it_would_be_heard_within_tls() {
    let Some(mut machine) = machine(&CLAUDE) else { return };
    machine.asks(CLAUDE.words);
    assert!(machine.sink.seen().is_empty(), "{:#?}", machine.sink.seen());
    machine.judge();
}

/// Says this to a host within TLS, as an agent would, and waits for the answer.
fn say(certificate: &Path, host: &str, request: &[u8]) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut connection =
        ClientConnection::new(Arc::new(config), host.to_owned().try_into().unwrap()).unwrap();
    let mut socket = TcpStream::connect((host, 443)).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// What the cases above look for, said on purpose.
#[test]
fn a_key_within_tls_would_be_found() {
    if !real::tools(&["openssl", "gzip"]) || !net::is_inside() {
        return;
    }
    let sandbox = Sandbox::new();
    let sink = Sink::open(&sandbox);
    let certificate = sink.end_tls(&sandbox);
    let packed = |text: &str| {
        let file = sandbox.path("text");
        sandbox.write(&file, text);
        let gzip = std::process::Command::new("gzip").arg("-c").arg(file).output().unwrap();
        assert!(gzip.status.success());
        gzip.stdout
    };
    let (first, rest) = KEY.split_at(12);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", first.len(), rest.len());
    let cases: [(&str, String, Vec<u8>, bool); 6] = [
        ("a header", format!("authorization: Bearer {KEY}\r\n"), vec![], true),
        ("a body", String::new(), format!("{{\"key\": \"{KEY}\"}}").into(), true),
        ("chunks", "transfer-encoding: chunked\r\n".into(), chunks.into(), true),
        ("a packed body", "content-encoding: gzip\r\n".into(), packed(KEY), true),
        ("a body that cannot be read", "content-encoding: br\r\n".into(), b"x".into(), true),
        ("nothing", String::new(), b"{}".into(), false),
    ];
    for (what, header, body, is_found) in cases {
        let size = format!("content-length: {}\r\n", body.len());
        let size = if header.contains("chunked") { "" } else { &size };
        let head = format!("POST /x HTTP/1.1\r\nhost: own.example\r\n{header}{size}\r\n");
        let answer = say(&certificate, "own.example", &[head.as_bytes(), &body].concat());
        assert!(answer.starts_with("HTTP/1.1 404") && answer.ends_with("{}"), "{what}: {answer}");
        let seen = sink.seen();
        assert!(seen.iter().any(|seen| seen.way == Way::Https && seen.host == "own.example"), "{seen:#?}");
        assert_eq!(!unsound(&seen).is_empty(), is_found, "{what}: {seen:#?}");
        sink.clear();
    }
}
