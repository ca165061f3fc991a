//! From a request's target to the route that it takes in the engine's API.

use std::collections::BTreeMap;

/// A target, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// Template such as `/images/{id}/json`, without the API version; none for an unknown path.
    pub(crate) template: Option<&'static str>,
    /// Values of the template's parameters, decoded.
    pub(crate) params: BTreeMap<String, String>,
    /// Query, decoded.
    pub(crate) query: BTreeMap<String, String>,
}

/// Templates by method-independent path. `{name}` takes one segment; for images it takes several,
/// because names of images have slashes.
const TEMPLATES: &[&str] = &[
    "/_ping",
    "/version",
    "/info",
    "/events",
    "/auth",
    "/session",
    "/grpc",
    "/system/df",
    "/containers/json",
    "/containers/create",
    "/containers/prune",
    "/containers/{id}/json",
    "/containers/{id}/start",
    "/containers/{id}/stop",
    "/containers/{id}/restart",
    "/containers/{id}/kill",
    "/containers/{id}/pause",
    "/containers/{id}/unpause",
    "/containers/{id}/rename",
    "/containers/{id}/update",
    "/containers/{id}/wait",
    "/containers/{id}/logs",
    "/containers/{id}/attach",
    "/containers/{id}/exec",
    "/containers/{id}/resize",
    "/containers/{id}/stats",
    "/containers/{id}/top",
    "/containers/{id}/changes",
    "/containers/{id}/archive",
    "/containers/{id}",
    "/exec/{id}/start",
    "/exec/{id}/resize",
    "/exec/{id}/json",
    "/images/json",
    "/images/create",
    "/images/load",
    "/images/prune",
    "/images/{id}/json",
    "/images/{id}/tag",
    "/images/{id}/history",
    "/images/{id}/push",
    "/images/{id}/get",
    "/images/{id}",
    "/volumes",
    "/volumes/create",
    "/volumes/prune",
    "/volumes/{name}",
    "/networks",
    "/networks/create",
    "/networks/prune",
    "/networks/{id}",
];

/// All route templates that a [`Matcher`](crate::Matcher) can name; another one fits no message.
#[must_use]
pub fn route_templates() -> &'static [&'static str] {
    TEMPLATES
}

impl Route {
    /// Takes a target such as `/v1.41/images/a%2Fb/json?x=1` apart.
    pub(crate) fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = without_version(path);
        let found = TEMPLATES.iter().find_map(|template| Some((*template, fit(template, path)?)));
        let (template, params) =
            found.map_or((None, BTreeMap::new()), |(template, params)| (Some(template), params));
        Self { template, params, query: pairs(query) }
    }
}

/// `/v1.41/info` and `/info` are one route.
fn without_version(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else { return path };
    let end = rest.find('/').unwrap_or(rest.len());
    let version = &rest[..end];
    let is_version =
        version.contains('.') && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_version { &rest[end..] } else { path }
}

/// The parameters with which `path` is of this template.
fn fit(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let Some((before, rest)) = template.split_once('{') else {
        return (template == path).then(BTreeMap::new);
    };
    let (name, after) = rest.split_once('}')?;
    let value = path.strip_prefix(before)?.strip_suffix(after)?;
    let several = before == "/images/";
    if value.is_empty() || (value.contains('/') && !several) {
        return None;
    }
    Some(BTreeMap::from([(name.to_owned(), decoded(value, false))]))
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name, true), decoded(value, true)))
        .collect()
}

/// Percent-decoding; what is no valid escape stays as it is.
fn decoded(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escape = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, escaped) {
            (b'%', Some(escaped)) => {
                bytes.push(escaped);
                rest = &behind[2..];
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/v1.41/containers/abc/json", Some("/containers/{id}/json"), &[("id", "abc")])]
    #[case("/containers/json?all=1", Some("/containers/json"), &[])]
    #[case("/v1.41/images/sha256:ab/json", Some("/images/{id}/json"), &[("id", "sha256:ab")])]
    #[case("/images/reg/team/app:1/json", Some("/images/{id}/json"), &[("id", "reg/team/app:1")])]
    #[case("/images/json", Some("/images/json"), &[])]
    #[case("/v1.41/volumes/a%20b", Some("/volumes/{name}"), &[("name", "a b")])]
    #[case("/v1.41/volumes", Some("/volumes"), &[])]
    #[case("/volumes/create", Some("/volumes/create"), &[])]
    #[case("/_ping", Some("/_ping"), &[])]
    #[case("/v1.41/swarm", None, &[])]
    #[case("/containers/a/b/json", None, &[])]
    #[case("/version", Some("/version"), &[])]
    fn a_path_has_its_template(
        #[case] target: &str,
        #[case] template: Option<&str>,
        #[case] params: &[(&str, &str)],
    ) {
        let route = Route::of(target);
        assert_eq!(route.template, template);
        let expected = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(route.params, expected);
    }

    #[test]
    fn a_query_is_decoded() {
        let route = Route::of("/events?filters=%7B%22type%22%3A1%7D&since=5&a+b=%zz&flag");
        let value = |name: &str| route.query.get(name).map(String::as_str);
        assert_eq!(value("filters"), Some(r#"{"type":1}"#));
        assert_eq!(value("since"), Some("5"));
        assert_eq!(value("a b"), Some("%zz"));
        assert_eq!(value("flag"), Some(""));
    }
}
