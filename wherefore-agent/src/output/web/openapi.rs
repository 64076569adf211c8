//! The description of the JSON interface, made from the types that answer. Owns nothing but the list of paths.

use axum::Json;
use utoipa::OpenApi;

use super::{lists, past};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wherefore",
        description = "What moves on a host, by whom and to whom, and what of it is unusual. Read-only.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        lists::flows,
        lists::groups,
        lists::top,
        lists::alerts,
        lists::held_back,
        past::history,
        past::why,
    )
)]
struct Description;

/// The document.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
