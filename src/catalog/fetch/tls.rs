//! TLS for ureq, which accepts more than ureq's own: a server's certificate that is itself among the trusted ones is
//! good, even if it is marked as an authority's.
//!
//! `openssl req -x509` marks every certificate so, and webpki (0.103) refuses an authority as a server. curl, Hermes
//! (0.19.0) and Crush (0.90.1) accept such a certificate; Claude Code (2.1.332) and Codex (0.171.0) do not.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::env::Environment;
use crate::fs::nonblocking;

/// The largest file with certificates.
const MAX_FILE: u64 = 8 * 1024 * 1024;

/// Speaks TLS where the URL says so.
#[derive(Debug)]
pub struct TlsConnector(Arc<ClientConfig>);

impl TlsConnector {
    /// A connector that trusts these certificates alone.
    pub fn new(trusted: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(trusted).map_err(|error| format!("no trusted certificate: {error}"))?;
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        let config =
            config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        below: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(below) = below else { return Ok(None) };
        if !details.needs_tls() || below.is_tls() {
            return Ok(Some(Either::A(below)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_| Error::HostNotFound)?;
        let mut conn = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut sock =
            TransportAdapter::new(Box::new(below) as Box<dyn Transport>, details.current_time.clone());
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(conn, sock) })))
    }
}

/// A connection within TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let count = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// webpki's judgement, but for a trusted certificate that is a server's own.
#[derive(Debug)]
struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(trusted: Vec<CertificateDer<'static>>) -> Result<Self, VerifierBuilderError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trusted.iter().cloned());
        let provider = Arc::new(ring::default_provider());
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { webpki, trusted })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.webpki.verify_server_cert(server, between, name, ocsp, now) {
            // webpki says so of a certificate whose time it has found good.
            Err(error)
                if format!("{error:?}").contains("CaUsedAsEndEntity") && self.trusted.contains(server) =>
            {
                verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, server, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, server, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// The certificates that are trusted: the system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. None where
/// there are none: then Mozilla's, as built in.
pub fn roots(env: &Environment) -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.errors.iter().for_each(|error| log::debug!("certificates: {error}"));
    with_extra(found.certs, env)
}

/// The system's certificates and those of `NODE_EXTRA_CA_CERTS`, which many set for their agents already; or none
/// where the system has none, since the TLS library does not give out Mozilla's.
fn with_extra(system: Vec<CertificateDer<'static>>, env: &Environment) -> Vec<CertificateDer<'static>> {
    let has_none = system.is_empty() && env.var("SSL_CERT_FILE").is_none();
    let mut certs = system;
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
        match env.var(name).map(|file| certificates(file.as_ref())) {
            Some(Ok(more)) if name == "NODE_EXTRA_CA_CERTS" || certs.is_empty() => certs.extend(more),
            Some(Ok(_)) | None => {}
            // Without the name of the file the server would be refused for a reason that nobody finds.
            Some(Err(why)) => log::warn!("{name} is not used: {why}"),
        }
    }
    if !has_none {
        return certs;
    }
    if !certs.is_empty() {
        log::warn!(
            "NODE_EXTRA_CA_CERTS is not used, because this system has no certificates of its own; set \
             SSL_CERT_FILE to a file with all trusted certificates"
        );
    }
    Vec::new()
}

/// The certificates in a file, as text (PEM) or as bytes (DER).
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let read = nonblocking::open(path).and_then(|mut file| {
        file.metadata().and_then(|metadata| nonblocking::stream(&mut file, &metadata, MAX_FILE))
    });
    let bytes = read.map_err(|error| format!("{shown}: {error}"))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok).collect();
    match bytes.first() {
        _ if !found.is_empty() => Ok(found),
        // A sequence of ASN.1.
        Some(0x30) => Ok(vec![CertificateDer::from(bytes)]),
        _ => Err(format!("{shown} holds no certificate")),
    }
}

/// Whether the server's certificate is what an error is about.
pub fn is_of_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

/// What is wrong with a certificate, where rustls (0.23) says it by a name of its own.
pub fn certificate_words(error: String) -> String {
    let known = [
        (
            "CaUsedAsEndEntity",
            "the server's certificate is an authority's own; trust that very certificate, or have it sign another",
        ),
        (
            "UnknownIssuer",
            "no certificate authority trusted on this machine has signed the server's certificate",
        ),
        ("BadSignature", "the server's certificate has a trusted name, but another key"),
        ("UnsupportedCertVersion", "the server's certificate is of version 1, which names no server"),
        ("NotValidForName", "the server's certificate is for another name"),
        ("NotValidYet", "the server's certificate is not valid yet"),
        ("Expired", "the server's certificate has expired"),
    ];
    match known.into_iter().find(|(name, _)| error.contains(name)) {
        Some((name, words)) => format!("{words} (certificate: {name})"),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Of `own.example`, marked as an authority's, good from 2026-11-27 to 2126-11-03.
    const OWN: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBejCCASCgAwIBAgIULwa1Hy6FKpXaX+x0jO15UqaTwA8wCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLb3duLmV4YW1wbGUwIBcNMjYxMTI3MjAxNTE4WhgPMjEyNjEx
MDMyMDE1MThaMBYxFDASBgNVBAMMC293bi5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEmvhWBTA7qj8AqvBwJtI9BtidfXyUukKd5nAZWLLgNXW8iIFi
oFDlPZEHpGcm5l3vYirYQRpkyESzhD7paRjOqqNKMEgwFgYDVR0RBA8wDYILb3du
LmV4YW1wbGUwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUt1VdxvxncRLdwqT+
slx2dX8i1nIwCgYIKoZIzj0EAwIDSAAwRQIhALGk2yEohoDbdZGoRP4r9QFxrss6
/JDf50DZvS3AyHTNAiBvLSu0CDNN2RofC22m4iIxZgt9cO8w/kZGQqwir7YijA==
-----END CERTIFICATE-----
";

    const OTHER: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBejCCASCgAwIBAgIUNt0Bg0EqghBkmTlQqfGx3EWDF6swCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLb3duLmV4YW1wbGUwIBcNMjYxMTI3MjAxNjQwWhgPMjEyNjEx
MDMyMDE2NDBaMBYxFDASBgNVBAMMC293bi5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEuCe8yDGugOBvXA8vShcfPMeQ86M8Njckjp2hBQG01KFKJ7Mp
9e7ZeYmwI1GIXAszAGO97EoIx8IOreOUmXIdEqNKMEgwFgYDVR0RBA8wDYILb3du
LmV4YW1wbGUwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUABYkTTykCC7nzxOY
9irUL+J2PeIwCgYIKoZIzj0EAwIDSAAwRQIgL1Gzc/bki0y9b2HZc8YD86xKsGOx
0KTI6Xk5uqgU1sgCIQCfkD+chJrfP/0r49I30RECz3zVGUm1h2hxgo/lM9dgzg==
-----END CERTIFICATE-----
";

    fn judged(trusted: &[u8], name: &str, seconds: u64) -> Result<(), String> {
        let own = CertificateDer::from_pem_slice(OWN).expect("a certificate");
        let trusted = CertificateDer::from_pem_slice(trusted).expect("a certificate");
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let verifier = Verifier::new(vec![trusted]).expect("a trusted certificate");
        let judged = verifier.verify_server_cert(&own, &[], &name, &[], now);
        judged.map(drop).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn extra_certificates_are_trusted_beside_the_systems() {
        let folder = tempfile::tempdir().expect("a folder");
        let extra = folder.path().join("extra.der");
        // A sequence, as every certificate begins; the TLS library looks closer.
        let der = [&[0x30, 0x82, 0x01, 0x00][..], &[0; 256]].concat();
        std::fs::write(&extra, &der).expect("written");
        let env = Environment::made_of([("NODE_EXTRA_CA_CERTS".into(), extra.into())].into());
        assert_eq!(with_extra(vec![CertificateDer::from(der); 3], &env).len(), 4);
        assert!(with_extra(Vec::new(), &env).is_empty());
    }

    #[test]
    fn a_servers_own_certificate_is_good_if_it_is_trusted_and_names_the_server_in_its_time() {
        let (then, before, after) = (2_000_000_000, 1_000_000_000, 5_000_000_000);
        assert_eq!(judged(OWN, "own.example", then), Ok(()));
        let refused = |trusted, name, at| judged(trusted, name, at).expect_err("refused");
        assert!(refused(OWN, "other.example", then).contains("NotValidForName"));
        assert!(refused(OWN, "own.example", before).contains("NotValidYet"));
        assert!(refused(OWN, "own.example", after).contains("Expired"));
        // Of the same name, with another key.
        assert!(refused(OTHER, "own.example", then).contains("CaUsedAsEndEntity"));
    }
}
