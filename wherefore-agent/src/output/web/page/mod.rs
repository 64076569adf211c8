//! The page: four files that are compiled into the program. Owns their paths; their data comes from the JSON
//! interface.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

const FILES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/app.js", "text/javascript; charset=utf-8", include_str!("app.js")),
    ("/style.css", "text/css; charset=utf-8", include_str!("style.css")),
    ("/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

/// The routes.
pub(super) fn routes() -> Router {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        let answer =
            async move || ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response();
        router.route(path, get(answer))
    })
}
