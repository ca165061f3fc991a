//! Sockets of this network namespace, and which two are connected to each other.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket as Netlink, SocketAddr};
use procfs::net::UnixState;
use procfs::process::Process;
use serde::Serialize;

/// One socket.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Socket {
    pub(crate) inode: u64,
    /// `unix` or `tcp`.
    pub(crate) kind: &'static str,
    pub(crate) state: String,
    /// Path or address of this end, if it has one.
    pub(crate) local: Option<String>,
    /// Path or address of the other end, if it has one.
    pub(crate) remote: Option<String>,
    /// Inode of the other end, if it is on this machine.
    pub(crate) peer: Option<u64>,
    /// Bytes that wait to be read; TCP only.
    pub(crate) unread: Option<u32>,
    /// Bytes that the other end has not acknowledged; TCP only.
    pub(crate) unsent: Option<u32>,
}

/// All sockets, sorted by inode, and one line for each table that could not be read.
pub(crate) fn sockets() -> (Vec<Socket>, Vec<String>) {
    let mut unknown = Vec::new();
    let mut all = Vec::new();
    match Process::myself() {
        Ok(own) => {
            all.extend(unix(&own, &mut unknown));
            all.extend(tcp(&own, &mut unknown));
        }
        Err(error) => unknown.push(format!("sockets: {error}")),
    }
    all.sort_unstable_by_key(|socket| socket.inode);
    (all, unknown)
}

fn unix(own: &Process, unknown: &mut Vec<String>) -> Vec<Socket> {
    let peers = peers().unwrap_or_else(|error| {
        unknown.push(format!("peers of unix sockets: {error}"));
        BTreeMap::new()
    });
    let listed = own.unix().unwrap_or_else(|error| {
        unknown.push(format!("unix sockets: {error}"));
        Vec::new()
    });
    let path = |inode: u64| {
        let of_it = listed.iter().find(|entry| entry.inode == inode)?;
        Some(of_it.path.as_ref()?.to_string_lossy().into_owned())
    };
    let socket = |entry: &procfs::net::UnixNetEntry| {
        let peer = peers.get(&entry.inode).copied();
        let state = match entry.state {
            // The kernel lists a listening socket as unconnected; other unconnected ones have no
            // path.
            UnixState::UNCONNECTED if entry.path.is_some() => "listening",
            UnixState::UNCONNECTED => "unconnected",
            UnixState::CONNECTING => "connecting",
            UnixState::CONNECTED => "connected",
            UnixState::DISCONNECTING => "disconnecting",
        };
        Socket {
            inode: entry.inode,
            kind: "unix",
            state: state.to_owned(),
            local: path(entry.inode),
            remote: peer.and_then(path),
            peer,
            unread: None,
            unsent: None,
        }
    };
    listed.iter().map(socket).collect()
}

fn tcp(own: &Process, unknown: &mut Vec<String>) -> Vec<Socket> {
    let mut listed = Vec::new();
    for table in [own.tcp(), own.tcp6()] {
        match table {
            Ok(table) => listed.extend(table),
            Err(error) => unknown.push(format!("tcp sockets: {error}")),
        }
    }
    // Both ends of a connection on this machine are in the tables, with the addresses swapped.
    let ends: BTreeMap<_, _> = listed
        .iter()
        .map(|entry| ((entry.local_address, entry.remote_address), entry.inode))
        .collect();
    let socket = |entry: &procfs::net::TcpNetEntry| Socket {
        inode: entry.inode,
        kind: "tcp",
        state: format!("{:?}", entry.state),
        local: Some(entry.local_address.to_string()),
        remote: Some(entry.remote_address.to_string()),
        peer: ends.get(&(entry.remote_address, entry.local_address)).copied(),
        unread: Some(entry.rx_queue),
        unsent: Some(entry.tx_queue),
    };
    listed.iter().map(socket).collect()
}

/// The inode of the other end of each connected unix socket (sock_diag(7)); `/proc/net/unix` lacks
/// it.
fn peers() -> io::Result<BTreeMap<u64, u64>> {
    let socket = Netlink::new(NETLINK_SOCK_DIAG)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = UnixRequest {
        state_flags: StateFlags::all(),
        // Together with `NLM_F_DUMP`, inode 0 and a cookie of ones mean all sockets.
        inode: 0,
        show_flags: ShowFlags::PEER,
        cookie: [0xff; 8],
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::UnixRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut peers = BTreeMap::new();
    loop {
        let (received, _) = socket.recv_from_full()?;
        let mut rest = received.as_slice();
        while !rest.is_empty() {
            let reply = NetlinkMessage::<SockDiagMessage>::deserialize(rest);
            let reply = reply.map_err(io::Error::other)?;
            if let NetlinkPayload::InnerMessage(SockDiagMessage::UnixResponse(found)) =
                &reply.payload
            {
                let peer = found.peer().map(u64::from);
                peers.extend(peer.map(|peer| (found.header.inode.into(), peer)));
            } else if let NetlinkPayload::Error(error) = &reply.payload {
                return Err(error.to_io());
            } else if let NetlinkPayload::Done(_) = reply.payload {
                return Ok(peers);
            }
            // Each message begins at a multiple of 4 bytes (netlink(7)); its header alone has 16.
            let length = (reply.header.length as usize).next_multiple_of(4).max(16);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn inode(of: &impl std::os::fd::AsRawFd) -> u64 {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", of.as_raw_fd()));
        let text = link.expect("it is open").to_string_lossy().into_owned();
        text.trim_start_matches("socket:[").trim_end_matches(']').parse().expect("a socket")
    }

    // Over a unix socket and over TCP, each end must name the other; the client's end, which has no
    // path, must name the path of the server.
    #[test]
    fn both_ends_of_a_connection_are_listed() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a listener");
        let client = UnixStream::connect(&path).expect("a connection");
        let (server, _) = listener.accept().expect("a connection");
        let over_tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = over_tcp.local_addr().expect("an address");
        let tcp_client = std::net::TcpStream::connect(address).expect("a connection");
        let (tcp_server, _) = over_tcp.accept().expect("a connection");
        let (all, unknown) = sockets();
        assert_eq!(unknown, Vec::<String>::new());
        let find = |inode| all.iter().find(|socket| socket.inode == inode).expect("it is listed");
        let path = path.to_string_lossy().into_owned();
        assert_eq!(find(inode(&client)).peer, Some(inode(&server)));
        assert_eq!(find(inode(&client)).remote, Some(path.clone()));
        assert_eq!(find(inode(&server)).peer, Some(inode(&client)));
        assert_eq!(find(inode(&listener)).state, "listening");
        assert_eq!(find(inode(&tcp_client)).peer, Some(inode(&tcp_server)));
        assert_eq!(find(inode(&tcp_server)).local, Some(address.to_string()));
    }
}
