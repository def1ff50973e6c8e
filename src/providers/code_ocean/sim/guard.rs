//! Who may come in: the token as the user of Basic authentication with an empty password, and a server new enough.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::providers::code_ocean::sim::answer::refuse;
use crate::providers::code_ocean::sim::token;
use crate::sandbox::world::World;

/// Middleware: lets a request with the right token pass.
pub(super) async fn require_token(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    if credentials(request.headers()) != Some((token(&world), String::new())) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid access token");
    }
    let version = world.faults().value("code_ocean.server-version");
    if let Some(asked) = request.headers().get("min-server-version") {
        let asked = asked.to_str().unwrap_or_default();
        match (parts(&version), parts(asked)) {
            (_, None) => {
                let message = format!("invalid Min-Server-Version: {asked}");
                return refuse(StatusCode::BAD_REQUEST, &message);
            }
            (own, Some(least)) if own < Some(least) => {
                let message =
                    format!("server version {version} is lower than required minimum {asked}");
                return refuse(StatusCode::BAD_REQUEST, &message);
            }
            (_, Some(_)) => {}
        }
    }
    next.run(request).await
}

/// User and password of Basic authentication.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn parts(version: &str) -> Option<[u32; 3]> {
    let mut numbers = version.split('.').map(|part| part.parse().ok());
    let parts = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(parts)
}
