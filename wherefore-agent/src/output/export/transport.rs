//! The connection to a collector: datagrams, or one TCP connection. Owns sockets and their time limits.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use super::collector::{Collector, Protocol};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// The longest time for which a connection may accept no byte of a message.
const STALL: Duration = Duration::from_secs(10);
/// How long a single write may take.
const WRITE: Duration = Duration::from_millis(200);
/// The longest datagram that passes every IPv6 link without fragmentation: 1,280 bytes without the headers of
/// IPv6 and UDP.
const DATAGRAM: usize = 1232;
/// The longest message in a connection, in bytes.
const MESSAGE: usize = 16_384;

/// A socket to a collector.
#[derive(Debug)]
pub(super) enum Transport {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Transport {
    /// Looks up the name and connects to the first of its addresses that answers.
    ///
    /// # Errors
    /// If the name has no address, or none can be connected to.
    pub(super) fn open(collector: &Collector) -> io::Result<Self> {
        let addresses = (collector.host.as_str(), collector.port).to_socket_addrs()?;
        let mut error = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match Self::to(collector.protocol, address) {
                Ok(transport) => return Ok(transport),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }

    fn to(protocol: Protocol, address: SocketAddr) -> io::Result<Self> {
        match protocol {
            Protocol::Udp => {
                let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(own)?;
                socket.connect(address)?;
                socket.set_write_timeout(Some(WRITE))?;
                Ok(Self::Udp(socket))
            }
            Protocol::Tcp => {
                let stream = TcpStream::connect_timeout(&address, CONNECT)?;
                stream.set_write_timeout(Some(WRITE))?;
                Ok(Self::Tcp(stream))
            }
        }
    }

    /// The most bytes of a message.
    pub(super) fn most(&self) -> usize {
        match self {
            Self::Udp(_) => DATAGRAM,
            Self::Tcp(_) => MESSAGE,
        }
    }

    /// Whether datagrams may get lost, so that templates must be sent again and records at a pace.
    pub(super) fn is_lossy(&self) -> bool {
        matches!(self, Self::Udp(_))
    }

    /// Whether the collector has closed the connection: data that is written now would be lost without an
    /// error.
    pub(super) fn is_over(&self) -> bool {
        let Self::Tcp(stream) = self else { return false };
        let peek = || {
            stream.set_nonblocking(true)?;
            let peeked = stream.peek(&mut [0]);
            stream.set_nonblocking(false)?;
            peeked
        };
        match peek() {
            // A collector sends nothing; only the end of the connection can arrive.
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Hands a whole message to the network.
    ///
    /// # Errors
    /// If this fails or takes too long. A TCP connection cannot be used after that.
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Tcp(stream) => write_all(stream, message, STALL),
        }
    }
}

/// Writes everything, but gives up if the receiver accepts nothing for this long.
fn write_all(to: &mut impl Write, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let mut since = Instant::now();
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                since = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if since.elapsed() >= patience {
                    let text = "the collector accepts no more data";
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_reader_that_stalls_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _accepted = listener.accept().unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
        let much = vec![0; 64 << 20];
        let error = write_all(&mut stream, &much, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn the_end_of_a_connection_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let mut transport = Transport::Tcp(stream);
        assert!(!transport.is_over());
        transport.send(b"message").unwrap();
        drop(accepted);
        let start = Instant::now();
        while !transport.is_over() {
            assert!(start.elapsed() < Duration::from_secs(10), "the end is not seen");
            std::thread::yield_now();
        }
    }
}
