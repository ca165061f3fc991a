//! Answers with a status in the engine's place; the engine never sees the request.

use crate::rule::{Effect, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with `status`: `times` of them, or all; with a matcher's `nth`, from
    /// that one on. The engine sees none of them. `status` is a final one, 200 to 599.
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

/// The answer to a request of `method`, in the form of the engine's own errors; and the length of
/// its body in bytes.
pub(crate) fn response(rule: &str, status: u16, method: &str) -> (Vec<u8>, u64) {
    let message = format!("answered by the wire: {rule}");
    let body = serde_json::json!({ "message": message }).to_string();
    // These have no body, whatever their head says (RFC 9112, section 6.3).
    if status == 204 || status == 304 {
        return (format!("HTTP/1.1 {status} Answered\r\n\r\n").into_bytes(), 0);
    }
    let length = body.len();
    let body = if method == "HEAD" { "" } else { &body };
    let text = format!(
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    (text.into_bytes(), body.len() as u64)
}
