//! Refusals in the form that clients of a Kubernetes API show: an object of kind `Status`.

use http::StatusCode;
use serde_json::json;

use crate::bundle_server::request::ParsedRequest;
use crate::bundle_server::response::PreparedResponse;

/// Refuses a request with one of the status codes below.
pub(super) fn refused(status: StatusCode, message: &str) -> PreparedResponse {
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
    PreparedResponse::json(status, &status_object)
}

/// Refuses a request for something that does not exist.
pub(super) fn not_found(message: &str) -> PreparedResponse {
    refused(StatusCode::NOT_FOUND, message)
}

/// Checks that a request has the bearer token of the kubeconfig.
///
/// # Errors
/// The refusal, if the token is missing or wrong.
pub(in crate::bundle_server) fn check_token(
    request: &ParsedRequest,
    token: &str,
) -> Result<(), PreparedResponse> {
    if request.token.as_deref() == Some(token) {
        return Ok(());
    }
    Err(refused(StatusCode::UNAUTHORIZED, "the kubeconfig of this bundle has the token"))
}
