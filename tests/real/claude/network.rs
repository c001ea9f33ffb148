//! On a network that is all sink: every address is this machine, and every knock is heard.

use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::stage;
use crate::support::run;
use crate::support::tmux::Tmux;

/// Set in the copy of this test that runs in the network namespace.
const INSIDE: &str = "AGENT_RUN_TEST_NETNS";

#[cfg(target_os = "linux")]
#[test]
fn case_18_nothing_leaves_but_to_the_provider() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    if stage().is_none() || !Tmux::is_there() {
        return;
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let mut copy = Command::new("unshare");
    copy.arg("-rn").arg(std::env::current_exe().unwrap()).args(["--exact", &name, "--nocapture"]);
    let ran = run(copy.env(INSIDE, "1"));
    if ran.stderr.contains("unshare failed") && std::env::var_os("CI").is_none() {
        return; // this machine gives no network namespaces to its users
    }
    assert!(ran.exits(0).stdout.contains("1 passed"));
}

fn inside() {
    for words in ["link set lo up", "route add local default dev lo", "-6 route add local default dev lo"] {
        run(Command::new("ip").args(words.split(' '))).exits(0);
    }
    let (knock, knocks) = channel();
    listen(&knock);
    assert_the_sink_hears(&knocks);
    let stage = stage().unwrap();
    let tmux = Tmux::start(&stage.sandbox, "claude@m");
    tmux.wait_for("Yes, I trust this folder");
    tmux.key("Enter");
    tmux.wait_for("? for shortcuts");
    tmux.text("say hello to everyone");
    tmux.key("Enter");
    tmux.wait_for("PONG-FROM-MOCK");
    std::thread::sleep(Duration::from_secs(15)); // late traffic: updates, telemetry, marketplaces
    assert_eq!(knocks.try_iter().collect::<Vec<_>>(), [""; 0]);
    stage.only_the_chosen_heard();
}

/// Hears DNS queries and connections to the web, whatever address they are for.
fn listen(knock: &Sender<String>) {
    for port in [80, 443] {
        let (listener, knock) = (TcpListener::bind(("::", port)).unwrap(), knock.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                _ = knock.send(format!("TCP to {:?}", stream.local_addr()));
            }
        });
    }
    let (socket, knock) = (UdpSocket::bind("[::]:53").unwrap(), knock.clone());
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok(length) = socket.recv(&mut packet) {
            _ = knock.send(format!("DNS for {}", String::from_utf8_lossy(&packet[..length])));
        }
    });
}

/// A sink that heard nothing because it cannot hear would prove nothing.
fn assert_the_sink_hears(knocks: &Receiver<String>) {
    let query = UdpSocket::bind("0.0.0.0:0").unwrap();
    query.send_to(b"api.anthropic.com", "192.0.2.53:53").unwrap();
    drop(std::net::TcpStream::connect("192.0.2.1:443").unwrap());
    for _ in 0..2 {
        knocks.recv_timeout(Duration::from_secs(10)).expect("the sink hears");
    }
}
