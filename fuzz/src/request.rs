//! Bytes that a client sends to the listener, over a real connection.
//!
//! Nothing panics, and the listener answers the next one. Thread and connection are the agent's own.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use wherefore_agent::attribute::Directory;
use wherefore_agent::output::board::Board;
use wherefore_agent::output::latest::{Latest, Queues};
use wherefore_agent::output::web::{Listener, Settings};
use wherefore_agent::traffic::interval::Totals;

use crate::{scratch, seeds};

static LISTENER: LazyLock<SocketAddr> = LazyLock::new(start);
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
pub fn run(data: &[u8]) {
    let mut stream = TcpStream::connect(*LISTENER).expect("the listener takes connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // It may have hung up already.
    let _ = stream.write_all(data);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let is_late = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!is_late, "no answer, and no end");
    let status = answer.split(|byte| *byte == b' ').nth(1).unwrap_or(b"400");
    // 503: no interval is over yet, or there are too many requests.
    assert!(status[0] != b'5' || status == b"503", "{}", String::from_utf8_lossy(&answer));
}

fn start() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = free.local_addr().expect("an address");
    drop(free);
    let history = Some(scratch::file("asked.db", &seeds::history()));
    let listener = Listener::open(&Settings { listen, token_file: None, history });
    let board = Arc::new(Board::new("host".to_owned(), Duration::from_secs(5)));
    let (interval, directory) =
        (seeds::interval(), Directory::of_known(Arc::default(), Default::default()));
    let mut totals = Totals::default();
    totals.add(&interval);
    let latest =
        Latest::new(&interval, &totals, 3, Queues::default(), &directory, &|_| "eth0".into());
    board.put(latest, &[], &Default::default());
    listener.expect("a listener").serve(board).expect("a thread");
    listen
}
