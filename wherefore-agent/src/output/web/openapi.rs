//! The description of the JSON interface, generated from the types of its answers. Owns only the list of
//! paths.

use axum::Json;
use utoipa::OpenApi;

use super::{lists, past};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wherefore",
        description = "The traffic of a host, by owner and peer, and what is unusual in it. Read-only.",
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

/// The OpenAPI document.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
