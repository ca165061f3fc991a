//! Cuts answers off, and frames them as if they were whole: no broken connection, but broken JSON.

use crate::connection::End;
use crate::http1::{Body, Head};
use crate::response::Response;
use crate::rule::{Cause, Effect, Matcher, ResponseFault, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Passes on so many bytes of the content of matching responses, with a length that says that
    /// this is all: `times` of them, or all; with a matcher's `nth`, from that one on. A response
    /// that has no more content than that, or no end of its own, passes as it is.
    pub fn truncate(
        &self,
        name: &str,
        matcher: Matcher,
        bytes: usize,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = ResponseFault::Truncate { bytes };
        self.shared.rules.arm(name, matcher, Effect::Response(fault, times))
    }
}

/// Does it to a response whose head is in the buffer.
pub(crate) async fn strike(
    response: &mut Response<'_>,
    head: &mut Head,
    body: &mut Body,
    bytes: usize,
    cause: &Cause,
) -> Result<(), End> {
    let content = response.content(head, body).await?;
    let Some(content) = content.filter(|content| content.len() > bytes) else { return Ok(()) };
    cause.happened(response.line, format!("cut the body from {} to {bytes} bytes", content.len()));
    response.replace_content(head, body, &content[..bytes]);
    Ok(())
}
