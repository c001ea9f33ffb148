//! Names: every one has an address, so that whoever asks goes on and shows what for.

use std::net::{Ipv6Addr, UdpSocket};

/// Answers queries until the process ends; `heard` gets each name.
pub fn serve(socket: &UdpSocket, heard: impl Fn(String)) {
    let mut packet = [0; 1500];
    while let Ok((size, from)) = socket.recv_from(&mut packet) {
        let Some((name, kind, end)) = question(&packet[..size]) else {
            heard(format!("malformed query {:?}", &packet[..size]));
            continue;
        };
        heard(name);
        _ = socket.send_to(&answer(&packet[..end], kind), from);
    }
}

/// The name asked for, the type of its record, and where the question ends.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let size = usize::from(*query.get(at)?);
        at += 1;
        if size == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + size)?).into_owned());
        at += size;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    (query.len() >= at + 4).then(|| (labels.join("."), kind, at + 4))
}

fn answer(asked: &[u8], kind: u16) -> Vec<u8> {
    let address = match kind {
        1 => vec![198, 51, 100, 1],
        28 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).octets().to_vec(),
        _ => Vec::new(),
    };
    let count = u8::from(!address.is_empty());
    let mut answer = asked.to_vec();
    // A response to one question, with at most one answer, and nothing else.
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
    if count > 0 {
        let size = u8::try_from(address.len()).unwrap_or_default();
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60, 0, size]);
        answer.extend(address);
    }
    answer
}
