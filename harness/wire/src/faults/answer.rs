//! Answers with a status in the engine's place; the engine never sees the request.

use bytes::Bytes;

use crate::call::Call;
use crate::rule::{Effect, Matcher, RequestFault, RuleGuard};
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
        let fault = RequestFault::Answer { status };
        self.shared.rules.arm(name, matcher, Effect::Request(fault, times))
    }
}

/// What the wire says in the engine's place.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The whole of it.
    pub(crate) bytes: Bytes,
    /// Bytes of its body, as it is framed.
    pub(crate) body_bytes: u64,
    /// The connection ends with it.
    pub(crate) closes: bool,
}

/// The answer to a request, in the form of the engine's own errors.
pub(crate) fn response(rule: &str, status: u16, call: &Call) -> Answer {
    let message = format!("answered by the wire: {rule}");
    let body = call.route.dialect.failure(status, &message).to_string();
    // These have no body, whatever their head says (RFC 9112, section 6.3).
    if status == 204 || status == 304 {
        let bytes = format!("HTTP/1.1 {status} Answered\r\n\r\n").into();
        return Answer { status, bytes, body_bytes: 0, closes: false };
    }
    let length = body.len();
    let body = if call.method == "HEAD" { "" } else { &body };
    let text = format!(
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    Answer { status, bytes: text.into(), body_bytes: body.len() as u64, closes: false }
}
