//! The listener: one thread, with a bound on connections, on the size of a request and on every wait. A slow
//! client loses its connection and harms nobody.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::{Access, guard};
use super::{Settings, api, page};
use crate::output::board::Board;

/// The most connections at once; further ones are closed.
const MOST_CONNECTIONS: usize = 64;
/// The longest head of a request, in bytes; bodies are not read.
const MOST_BYTES: usize = 16 << 10;
/// How long the head of a request may take, and a connection may last.
const HEAD: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);
/// The pause after a connection cannot be accepted, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of threads that read the history.
const READERS: usize = 2;

/// A listener that does not answer requests yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    access: Access,
    history: Option<PathBuf>,
}

impl Listener {
    /// Binds the address and reads the token, while the agent has its privileges.
    ///
    /// # Errors
    /// If the address is in use or the token can't be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let address = settings.listen;
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        listener.set_nonblocking(true)?;
        let access = Access::new(settings, listener.local_addr()?)?;
        Ok(Self { listener, access, history: settings.history.clone() })
    }

    /// Answers requests in another thread, with the privileges of the calling thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn serve(self, board: Arc<Board>) -> Result<()> {
        let Self { listener, access, history } = self;
        let followed = board.clone();
        let app = api::routes(board, history, READERS)
            .merge(page::routes())
            .layer(from_fn_with_state(Arc::new(access), guard));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(READERS)
            .thread_name("web")
            .build()
            .context("cannot start the listener")?;
        let address = listener.local_addr()?;
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("traces")
            .spawn(move || followed.follow())
            .context("cannot start the thread that follows rows")?;
        let work = move || runtime.block_on(accept(listener, app));
        thread("web").spawn(work).context("cannot start the listener")?;
        tracing::info!(%address, "listening");
        Ok(())
    }
}

async fn accept(listener: TcpListener, app: axum::Router) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "nobody listens");
            return;
        }
    };
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if let Ok(permit) = room.clone().try_acquire_owned() {
            tokio::spawn(answer(stream, app.clone(), permit));
        }
    }
}

async fn answer(stream: TcpStream, app: axum::Router, _permit: OwnedSemaphorePermit) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MOST_BYTES);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    // A client that disconnects or is too slow gets no answer.
    let _ = tokio::time::timeout(LONGEST, connection).await;
}
