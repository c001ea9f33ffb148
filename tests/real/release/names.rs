use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::{Machine, port};
use crate::support::mock_provider::MockProvider;
use crate::support::run;

/// What the server of names says of one.
#[derive(Clone, Copy)]
enum Answer {
    V4,
    V6,
    Nothing,
    Failure,
    Garbage,
    Silence,
}

/// A server of names on port 53; its thread ends with the test's process.
fn serve_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(reply) = reply(&query[..length]) {
                _ = socket.send_to(&reply, from);
            }
        }
    });
}

fn answer(name: &str) -> Answer {
    match name {
        "api.model.example" | "short.corp.example" => Answer::V4,
        "six.model.example" => Answer::V6,
        "broken.model.example" => Answer::Failure,
        "garbage.model.example" => Answer::Garbage,
        "silent.model.example" => Answer::Silence,
        _ => Answer::Nothing,
    }
}

/// The reply to one question, as RFC 1035 has it.
fn reply(query: &[u8]) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let (wants_v6, question) = (query[at + 2] == 28, &query[12..at + 5]);
    let said = answer(&labels.join("."));
    let (code, address): (u8, Option<&[u8]>) = match said {
        Answer::V4 if !wants_v6 => (0, Some(&[127, 0, 0, 1])),
        Answer::V6 if wants_v6 => (0, Some(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        Answer::V4 | Answer::V6 => (0, None),
        Answer::Nothing => (3, None),
        Answer::Failure => (2, None),
        Answer::Garbage => return Some([&query[..2], &[0xff; 40]].concat()),
        Answer::Silence => return None,
    };
    let mut reply = query[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    reply.extend(question);
    if let Some(address) = address {
        reply.extend([0xc0, 12, 0, query[at + 2], 0, 1, 0, 0, 0, 60, 0, u8::try_from(address.len()).ok()?]);
        reply.extend(address);
    }
    Some(reply)
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn localhost_is_found_by_name_on_either_family() {
    let Some(machine) = Machine::inside() else { return };
    for (family, listen) in [("four", "127.0.0.1:0"), ("six", "[::1]:0")] {
        let mock_provider = MockProvider::listening(&machine.sandbox, family, listen);
        machine.list(&format!("http://localhost:{}", port(&mock_provider))).clean();
        assert_eq!(mock_provider.requests().len(), 1, "{listen}");
    }
    let mock_provider = MockProvider::start(&machine.sandbox, "mock-provider");
    machine.list(&format!("http://only-in-hosts:{}", port(&mock_provider))).clean();
    assert_eq!(mock_provider.requests().len(), 1);
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn a_real_server_of_names_is_asked() {
    let Some(machine) = Machine::inside() else { return };
    serve_names();
    let four = MockProvider::start(&machine.sandbox, "four");
    let six = MockProvider::listening(&machine.sandbox, "six", "[::1]:0");
    for host in ["api.model.example", "API.Model.Example", "api.model.example.", "short"] {
        machine.list(&format!("http://{host}:{}", port(&four))).clean();
    }
    assert_eq!(four.requests().len(), 4);
    machine.list(&format!("http://six.model.example:{}", port(&six))).clean();
    for (host, said) in [
        ("gone.model.example", "no such host"),
        ("broken.model.example", "help: "),
        ("garbage.model.example", "help: "),
        ("silent.model.example", "help: "),
    ] {
        let start = Instant::now();
        let ran = machine
            .list(&format!("http://{host}:{}", port(&four)))
            .exits(1)
            .complains(&[said, host, "help: "]);
        assert_eq!(ran.stderr.matches(host).count(), 1, "one error: {}", ran.stderr);
        assert!(start.elapsed() < Duration::from_secs(20), "{host}: {:?}", start.elapsed());
    }
    assert_eq!((four.requests().len(), six.requests().len()), (4, 1));
}

/// Modules that `nsswitch.conf` names and this machine does not have: names are found all the same. One that is
/// there is loaded, by a static program too.
#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn other_ways_to_find_names_stand_in_nobodys_way() {
    let Some(machine) = Machine::inside() else { return };
    serve_names();
    let mock_provider = MockProvider::start(&machine.sandbox, "mock-provider");
    let switches = [
        "files myhostname mdns4_minimal [NOTFOUND=return] dns resolve",
        "files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns",
        "mymachines resolve [!UNAVAIL=return] files myhostname dns",
        "files sss wins dns",
        "no-such-module dns files",
    ];
    for switch in switches {
        machine.etc("nsswitch.conf", &format!("passwd: files systemd\nhosts: {switch}\n"));
        for host in ["localhost", "only-in-hosts", "api.model.example", "short"] {
            machine.list(&format!("http://{host}:{}", port(&mock_provider))).clean();
        }
        let gone = "http://gone.model.example:1";
        machine.list(gone).exits(1).complains(&[&format!("{gone}: "), "help: "]);
    }
    // Without such files at all, as in an empty container.
    for file in ["nsswitch.conf", "resolv.conf"] {
        std::fs::remove_file(machine.sandbox.path("etc").join(file)).unwrap();
        machine.list(&format!("http://api.model.example:{}", port(&mock_provider))).clean();
        machine.list(&format!("http://localhost:{}", port(&mock_provider))).clean();
    }
    let limits = run(machine.sandbox.command("agent-run").args(["models", "list", "mock", "--refresh"]));
    assert_eq!(limits.code, 0, "{limits:?}");
}
