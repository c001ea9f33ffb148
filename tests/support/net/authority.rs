//! Certificates for whatever name is asked for, of an authority that whoever is to be heard trusts.
//!
//! Only with it does the sink hear what is said within TLS. No certificate or key outlives its sandbox.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::super::{Sandbox, run};

/// What strict clients want of an authority and of a host; Python's is one.
const EXTENSIONS: &str = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n\
     keyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n[leaf]\nbasicConstraints=critical,CA:FALSE\n\
     keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\n\
     authorityKeyIdentifier=keyid\n";

/// An authority in a folder of a sandbox's.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Authority {
    /// A new one. It needs `openssl`.
    pub fn new(sandbox: &Sandbox) -> Self {
        let authority = Self { folder: sandbox.path("authority"), leaves: Mutex::default() };
        sandbox.write(&authority.folder.join("cnf"), EXTENSIONS);
        for name in ["ca", "leaf"] {
            authority
                .openssl(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
        }
        authority
            .openssl("req -x509 -key ca.key -subj /CN=our-own-authority -days 2 -extensions ca -out ca.pem");
        authority.openssl("req -new -key leaf.key -subj /CN=leaf -out csr");
        authority
    }

    /// The certificate to trust, as PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// TLS as a server of any name speaks it; of HTTP it knows version 1.1 alone.
    pub fn server(self: &Arc<Self>) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = config.with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    fn leaf(&self, name: &str, number: usize) -> CertifiedKey {
        let names = format!("{EXTENSIONS}subjectAltName=DNS:{name}\n");
        std::fs::write(self.folder.join("names"), names).unwrap();
        self.openssl(&format!(
            "x509 -req -in csr -CA ca.pem -CAkey ca.key -set_serial {} -days 2 -extfile names -extensions leaf \
             -out leaf.pem",
            number + 1
        ));
        let certificate = CertificateDer::from_pem_file(self.folder.join("leaf.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.folder.join("leaf.key")).unwrap();
        CertifiedKey::new(vec![certificate], ring::sign::any_supported_type(&key).unwrap())
    }

    fn openssl(&self, words: &str) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.folder).env("OPENSSL_CONF", "cnf");
        run(command.args(words.split(' '))).exits(0);
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?;
        let mut leaves = self.leaves.lock().unwrap();
        let number = leaves.len();
        let leaf = leaves.entry(name.to_owned()).or_insert_with(|| Arc::new(self.leaf(name, number)));
        Some(Arc::clone(leaf))
    }
}
