//! Options of the listener. Owns their spelling.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Options of the listener.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Listener")]
pub struct ListenArgs {
    /// Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`.
    /// Default: none.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// File with a token of at least 16 characters; clients must send it (`Authorization:
    /// Bearer TOKEN`). Needed unless `--listen` is a loopback address.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub listen_token_file: Option<PathBuf>,
}

impl ListenArgs {
    /// Errors in these options.
    pub(crate) fn problem(&self) -> Option<String> {
        let open = self.listen.filter(|address| !address.ip().is_loopback())?;
        self.listen_token_file.is_none().then(|| {
            format!(
                "--listen {open}: others can reach it; name a token with --listen-token-file, or \
                 listen to 127.0.0.1"
            )
        })
    }
}
