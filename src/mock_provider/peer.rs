//! Whose program is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

/// Whether the other end belongs to another user of this machine. Where no list of the system's says whose it is, the
/// answer is no; only Linux has such lists.
pub fn is_another_users(peer: SocketAddr, own: SocketAddr) -> bool {
    let me = crate::fs::me().as_raw();
    ["tcp", "tcp6"].iter().any(|list| {
        let list = std::fs::read_to_string(format!("/proc/net/{list}")).unwrap_or_default();
        owner(&list, peer, own).is_some_and(|user| user != me)
    })
}

/// The user of the socket at `local` that is connected to `remote`, as a list of Linux has it.
fn owner(list: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let [local, remote] = [local, remote].map(ends);
    list.lines().find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let is_end =
            |column: Option<&str>, ends: &[String]| column.is_some_and(|it| ends.iter().any(|end| end == it));
        let is_it = is_end(columns.next(), &local) && is_end(columns.next(), &remote);
        // State, queues, timer and retries stand between.
        if is_it { columns.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the lists write it, in both families: words of four bytes in the order of the machine, in hex.
fn ends(addr: SocketAddr) -> Vec<String> {
    let hex = |bytes: &[u8]| -> String {
        let words = bytes.as_chunks::<4>().0;
        words.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect::<Vec<_>>().concat()
    };
    let port = addr.port();
    let forms = match addr.ip() {
        IpAddr::V4(ip) => vec![hex(&ip.octets()), hex(&ip.to_ipv6_mapped().octets())],
        IpAddr::V6(ip) => vec![hex(&ip.octets())],
    };
    forms.into_iter().map(|form| format!("{form}:{port:04X}")).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_owner_of_a_socket_is_read_from_the_lists() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 1 1\n   \
                    1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1\n";
        let addr = |port| SocketAddr::from(([127, 0, 0, 1], port));
        if cfg!(target_endian = "little") {
            assert_eq!(owner(list, addr(50_000), addr(8080)), Some(1001));
            assert_eq!(owner(list, addr(50_001), addr(8080)), None);
        }
    }

    #[test]
    fn a_connection_of_this_user_is_none_of_another_users() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("an address");
        let _client = TcpStream::connect(own).expect("connected");
        let (_stream, peer) = listener.accept().expect("accepted");
        assert!(!is_another_users(peer, own));
        if cfg!(target_os = "linux") {
            let list = std::fs::read_to_string("/proc/net/tcp").expect("a list");
            assert_eq!(owner(&list, peer, own), Some(crate::fs::me().as_raw()));
        }
    }
}
