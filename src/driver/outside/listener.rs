use procfs::net::{TcpState, tcp, tcp6, unix};
use procfs::process::{FDTarget, Process, all_processes};

use super::tree::descendants;
use crate::target::{Address, Place};

/// The process that listens at an address: `root` or a descendant of it, or any process if no root is given. The oldest,
/// when several share the socket.
pub(crate) fn find_listener(address: &Address, root: Option<u32>) -> Option<u32> {
    let inodes = match &address.place {
        Place::Tcp(_) => tcp_listeners(address.port()?),
        Place::Unix(path) => {
            let sockets = unix().ok()?;
            sockets
                .into_iter()
                .filter(|socket| socket.path.as_deref() == Some(path))
                .map(|socket| socket.inode)
                .collect()
        }
    };
    let holds = |process: &Process| {
        process.fd().is_ok_and(|descriptors| {
            descriptors.flatten().any(
                |descriptor| matches!(descriptor.target, FDTarget::Socket(inode) if inodes.contains(&inode)),
            )
        })
    };
    let candidates: Vec<Process> = match root {
        Some(root) => {
            let root = i32::try_from(root).ok()?;
            let all = [root].into_iter().chain(descendants(root));
            all.filter_map(|pid| Process::new(pid).ok()).collect()
        }
        None => all_processes().ok()?.filter_map(Result::ok).collect(),
    };
    let holders = candidates.into_iter().filter(holds);
    let oldest = holders.min_by_key(|process| process.stat().map_or(u64::MAX, |stat| stat.starttime));
    oldest.and_then(|process| u32::try_from(process.pid).ok())
}

fn tcp_listeners(port: u16) -> Vec<u64> {
    let entries = tcp().unwrap_or_default().into_iter().chain(tcp6().unwrap_or_default());
    entries
        .filter(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)
        .map(|entry| entry.inode)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_process_that_listens_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::http(listener.local_addr().unwrap());
        let own = std::process::id();
        assert_eq!(find_listener(&address, None), Some(own));
        assert_eq!(find_listener(&address, Some(own)), Some(own));
        drop(listener);
        assert_eq!(find_listener(&address, Some(own)), None);
    }
}
