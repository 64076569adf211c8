//! Access control. Owns the token and the host names of this server; refuses all other requests, and limits
//! what the page may do in browsers.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::Settings;

/// The length of the shortest token, because shorter ones can be guessed.
const SHORTEST: usize = 16;

/// Paths that need no token, because they have no data about this host. The page itself asks for the token.
const FREE: [&str; 6] = ["/", "/app.js", "/style.css", "/icon.svg", "/healthz", "/readyz"];

/// Headers of each answer, for browsers: load nothing from other servers, run nothing inline.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Who may send requests.
#[derive(Debug, Clone)]
pub(super) struct Access {
    /// The digest of the token, so that the time of a comparison reveals nothing about it.
    token: Option<[u8; 32]>,
    listen: SocketAddr,
}

impl Access {
    /// # Errors
    /// If the token can't be read, or is too short.
    pub(super) fn new(settings: &Settings, listen: SocketAddr) -> Result<Self> {
        let Some(path) = &settings.token_file else { return Ok(Self { token: None, listen }) };
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token in {shown}"))?;
        let token = text.trim();
        ensure!(
            token.len() >= SHORTEST,
            "the token in {shown} is shorter than {SHORTEST} characters"
        );
        Ok(Self { token: Some(Sha256::digest(token).into()), listen })
    }

    fn refusal(&self, path: &str, headers: &HeaderMap) -> Option<StatusCode> {
        if let Some(token) = &self.token {
            if FREE.contains(&path) {
                return None;
            }
            let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let given = given.and_then(|value| value.strip_prefix("Bearer "));
            let is_it = given.is_some_and(|given| Sha256::digest(given.trim())[..] == token[..]);
            return (!is_it).then_some(StatusCode::UNAUTHORIZED);
        }
        // DNS rebinding: a foreign page may point its own host name at this address. Its requests are refused
        // because they carry that name.
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        (!self.is_own(host)).then_some(StatusCode::FORBIDDEN)
    }

    fn is_own(&self, host: &str) -> bool {
        let name = host.strip_suffix(&format!(":{}", self.listen.port())).unwrap_or(host);
        let address = self.listen.ip();
        let own = [address.to_string(), format!("[{address}]")];
        ["localhost", "127.0.0.1", "[::1]"].contains(&name) || own.iter().any(|own| own == name)
    }
}

/// Passes on the requests that are allowed.
pub(super) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match access.refusal(request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some(status) => {
            let mut response = (status, "not allowed\n").into_response();
            if status == StatusCode::UNAUTHORIZED {
                response
                    .headers_mut()
                    .insert("www-authenticate", HeaderValue::from_static("Bearer"));
            }
            response
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        [(name.parse().unwrap(), HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn a_token_is_asked_for_and_other_names_are_refused() {
        let listen = "127.0.0.1:9475".parse().unwrap();
        let token = Some(Sha256::digest("0123456789abcdef").into());
        let access = Access { token, listen };
        let refusal = |value| access.refusal("/metrics", &headers("authorization", value));
        assert_eq!(refusal("Bearer 0123456789abcdef"), None);
        assert_eq!(refusal("Bearer 0123456789abcdeX"), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(refusal("0123456789abcdef"), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(access.refusal("/", &HeaderMap::new()), None);
        let open = Access { token: None, listen };
        let refusal = |value| open.refusal("/", &headers("host", value));
        for own in ["localhost:9475", "127.0.0.1:9475", "[::1]:9475"] {
            assert_eq!(refusal(own), None, "{own}");
        }
        assert_eq!(refusal("evil.example:9475"), Some(StatusCode::FORBIDDEN));
        assert_eq!(open.refusal("/metrics", &HeaderMap::new()), Some(StatusCode::FORBIDDEN));
    }
}
