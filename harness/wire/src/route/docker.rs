//! Routes of the container engine's API.

use std::collections::BTreeMap;

use crate::route::decoded;

/// Templates by method-independent path. `{name}` takes one segment; for images it takes several,
/// because names of images have slashes.
pub(super) const TEMPLATES: &[&str] = &[
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

/// The template of a path, and its parameters.
pub(super) fn find(path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    let path = without_version(path);
    TEMPLATES.iter().find_map(|template| Some((*template, fit(template, path)?)))
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::dialect::Dialect;
    use crate::route::Route;

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
        let route = Route::of(Dialect::Docker, target);
        assert_eq!(route.template, template);
        let expected = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(route.params, expected);
    }
}
