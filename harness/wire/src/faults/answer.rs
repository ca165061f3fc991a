//! Answers with a status in the engine's place; the engine never sees the request.

use crate::rule::{Effect, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with `status`: `times` of them, or all.
    pub fn answer(
        &self,
        name: &str,
        matcher: Matcher,
        status: u16,
        times: Option<u32>,
    ) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Answer { status, left: times })
    }
}

/// The answer, in the form of the engine's own errors.
pub(crate) fn response(rule: &str, status: u16) -> Vec<u8> {
    let body = serde_json::json!({ "message": format!("answered by the wire: {rule}") }).to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
