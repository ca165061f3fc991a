//! Answers with a status in the engine's place; the engine never sees the request.

use crate::rule::{Effect, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with `status`, from 200 to 599: `times` of them, or all.
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

/// The answer, in the form of the engine's own errors, and the bytes of its body. `last` says that
/// the connection ends with it.
pub(crate) fn response(rule: &str, status: u16, method: &str, last: bool) -> (Vec<u8>, u64) {
    let close = if last { "Connection: close\r\n" } else { "" };
    let mut response = format!("HTTP/1.1 {status} Answered\r\n{close}");
    if matches!(status, 204 | 304) {
        response.push_str("\r\n");
        return (response.into_bytes(), 0);
    }
    let body =
        serde_json::json!({ "message": format!("answered by the wire: {rule}") }).to_string();
    let length = body.len();
    response.push_str("Content-Type: application/json\r\n");
    response.push_str(&format!("Content-Length: {length}\r\n\r\n"));
    if method == "HEAD" {
        return (response.into_bytes(), 0);
    }
    response.push_str(&body);
    (response.into_bytes(), length as u64)
}
