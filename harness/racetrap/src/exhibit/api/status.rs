//! Refusals, in the form that clients of a Kubernetes API show.

use http::StatusCode;
use serde_json::json;

use crate::exhibit::question::Question;
use crate::exhibit::reply::Reply;

/// Why something is not answered.
pub(super) fn refused(status: StatusCode, message: &str) -> Reply {
    let reason = match status {
        StatusCode::BAD_REQUEST => "BadRequest",
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowed",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        _ => "NotFound",
    };
    let status_object = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16(),
    });
    Reply::json(status, &status_object)
}

/// Something that there is not.
pub(super) fn not_found(message: &str) -> Reply {
    refused(StatusCode::NOT_FOUND, message)
}

/// Refuses who does not have the token; none, where that is there. Any program of this machine can connect.
pub(in crate::exhibit) fn refuse_stranger(question: &Question, token: &str) -> Option<Reply> {
    let is_ours = question.token.as_deref() == Some(token);
    (!is_ours)
        .then(|| refused(StatusCode::UNAUTHORIZED, "the kubeconfig of this bundle has the token"))
}
