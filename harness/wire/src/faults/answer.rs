//! Answers requests with a status. The upstream never receives them.

use serde_json::Value;

use crate::call::Call;
use crate::rules::fault::{Effect, RequestFault};
use crate::rules::last_answer::Answer;
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with `status`, `times` of them or all, beginning with the
    /// matcher's `nth`. The upstream receives none of them. `status` must be final: 200 to 599.
    pub fn answer(
        &self,
        name: &str,
        matcher: Matcher,
        status: u16,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = RequestFault::Answer { status, body: None };
        self.shared.rules.arm(name, matcher, Effect::Request(fault, times))
    }

    /// As [`answer`](Self::answer), with `body` instead of the form that the upstream's own errors
    /// have. A status without a body, 204 or 304, has none.
    pub fn answer_with_body(
        &self,
        name: &str,
        matcher: Matcher,
        (status, body): (u16, &Value),
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = RequestFault::Answer { status, body: Some(body.to_string().into()) };
        self.shared.rules.arm(name, matcher, Effect::Request(fault, times))
    }
}

/// The answer to a request with this body; without one, in the form of the upstream's own errors.
pub(crate) fn answer_with_status(
    rule: &str,
    status: u16,
    body: Option<&str>,
    call: &Call,
) -> Answer {
    let message = format!("answered by the wire: {rule}");
    let body = body
        .map_or_else(|| call.route.dialect.error_body(status, &message).to_string(), str::to_owned);
    // Responses with these statuses have no body, whatever their head says (RFC 9112, section 6.3).
    if status == 204 || status == 304 {
        let bytes = format!("HTTP/1.1 {status} Answered\r\n\r\n").into();
        return Answer { status, bytes, body_bytes: 0, closes: false };
    }
    // A response to HEAD has the length of the body that GET would get, and no body.
    let length = body.len();
    let body = if call.method == "HEAD" { "" } else { &body };
    let text = format!(
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    Answer { status, bytes: text.into(), body_bytes: body.len() as u64, closes: false }
}
