use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::Machine;
use crate::support::real::program;
use crate::support::{Sandbox, run};

/// `openssl s_server` with a certificate of an authority of its own; it ends with this.
struct Server(Child);

impl Server {
    const PORT: &str = "8443";

    fn start(sandbox: &Sandbox) -> Self {
        let folder = sandbox.path("tls");
        // With -HTTP the file is the whole answer.
        let list = r#"{"data": [{"id": "mock-model"}]}"#;
        let answer =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{list}", list.len());
        sandbox.write(&folder.join("v1/models"), answer);
        sandbox.write(&folder.join("cnf"), "[req]\ndistinguished_name=dn\n[dn]\n");
        sandbox.write(&folder.join("names"), "subjectAltName=DNS:localhost\n");
        let openssl = |words: &str| {
            let mut command = sandbox.command("openssl");
            command.current_dir(&folder).args(words.split(' ')).env("OPENSSL_CONF", folder.join("cnf"));
            command
        };
        for words in [
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=our-own-authority \
             -addext basicConstraints=critical,CA:TRUE",
            "req -newkey rsa:2048 -nodes -keyout key -out csr -subj /CN=localhost",
            "x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -out cert -days 2 -extfile names",
        ] {
            run(&mut openssl(words)).exits(0);
        }
        let mut server =
            openssl(&format!("s_server -accept {} -cert cert -key key -HTTP -quiet", Self::PORT));
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(format!("127.0.0.1:{}", Self::PORT)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the server never came");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn certificates_are_found_where_the_system_has_them_and_checked() {
    if program("openssl").is_none() {
        return;
    }
    let Some(machine) = Machine::inside() else { return };
    let server = Server::start(&machine.sandbox);
    let url = format!("https://localhost:{}", Server::PORT);
    let list = |file: Option<&str>| {
        machine.provider(&url);
        let mut command = machine.sandbox.command("agent-run");
        command.args(["models", "list", "mock", "--refresh"]);
        run(command.envs(file.map(|file| ("SSL_CERT_FILE", machine.sandbox.path(file)))))
    };
    // No store at all: then Mozilla's, which does not know this one.
    list(None).exits(1).complains(&["certificate", "help: ", "NODE_EXTRA_CA_CERTS"]);
    assert!(list(Some("tls/ca.pem")).clean().stdout.starts_with("mock-model\t"));
    let authority = fs::read_to_string(machine.sandbox.path("tls/ca.pem")).unwrap();
    machine.etc("ssl/certs/ca-certificates.crt", &authority);
    assert!(list(None).clean().stdout.starts_with("mock-model\t"));
    // The right authority, another name.
    let refused = machine.list(&format!("https://only-in-hosts:{}", Server::PORT)).exits(1);
    refused.complains(&["certificate", "only-in-hosts"]);
    drop(server);
}
