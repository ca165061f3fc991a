//! Whether the docker command can load a `config.json`: the types of all members that it knows.
//!
//! Names and types are those of `ConfigFile` in docker/cli, up to 28.5. A member with null counts as
//! absent, and one that the command does not know may have any type.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, de};

type Text = Option<String>;
type Texts = Option<BTreeMap<String, Text>>;

/// What the docker command reads of its configuration. The values are only checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the types are checked, and nobody reads the values")]
pub(super) struct Settings {
    auths: Option<BTreeMap<String, Option<Credential>>>,
    #[serde(rename = "HttpHeaders")]
    http_headers: Texts,
    ps_format: Text,
    images_format: Text,
    networks_format: Text,
    plugins_format: Text,
    volumes_format: Text,
    stats_format: Text,
    detach_keys: Text,
    creds_store: Text,
    cred_helpers: Texts,
    service_inspect_format: Text,
    services_format: Text,
    tasks_format: Text,
    secret_format: Text,
    config_format: Text,
    nodes_format: Text,
    prune_filters: Option<Vec<Text>>,
    proxies: Option<BTreeMap<String, Option<Proxy>>>,
    current_context: Text,
    #[serde(rename = "cliPluginsExtraDirs")]
    extra_directories: Option<Vec<Text>>,
    plugins: Option<BTreeMap<String, Texts>>,
    aliases: Texts,
    features: Texts,
    experimental: Text,
}

/// A login.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the types are checked, and nobody reads the values")]
struct Credential {
    username: Text,
    password: Text,
    #[serde(default, deserialize_with = "decoded")]
    auth: Text,
    email: Text,
    serveraddress: Text,
    identitytoken: Text,
    registrytoken: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the types are checked, and nobody reads the values")]
struct Proxy {
    http_proxy: Text,
    https_proxy: Text,
    no_proxy: Text,
    ftp_proxy: Text,
    all_proxy: Text,
}

/// Name and password, with a colon between them, in base64. The docker command decodes all of them when it
/// loads the file.
fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    let auth = Text::deserialize(deserializer)?;
    let Some(text) = auth.as_deref().filter(|text| !text.is_empty()) else { return Ok(auth) };
    let has_name = BASE64_STANDARD
        .decode(text)
        .is_ok_and(|text| text.iter().position(|&byte| byte == b':').is_some_and(|at| at > 0));
    // The message is for nobody: it must not quote a secret.
    if has_name { Ok(auth) } else { Err(de::Error::custom("no name and password")) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("{}", true)]
    #[case::null(r#"{"auths": null, "currentContext": null, "plugins": {"a": null}}"#, true)]
    #[case::unknown_member(r#"{"somebody": [1]}"#, true)]
    #[case::number_as_name(r#"{"currentContext": 3}"#, false)]
    #[case::list_of_logins(r#"{"auths": []}"#, false)]
    #[case::text_as_login(r#"{"auths": {"r": "x"}}"#, false)]
    #[case::boolean_feature(r#"{"features": {"buildkit": true}}"#, false)]
    #[case::text_feature(r#"{"features": {"buildkit": "true"}}"#, true)]
    #[case::list_of_proxies(r#"{"proxies": []}"#, false)]
    #[case::login("{\"auths\": {\"r\": {\"auth\": \"dTpw\"}}}", true)]
    #[case::empty_login("{\"auths\": {\"r\": {}}}", true)]
    #[case::no_base64("{\"auths\": {\"r\": {\"auth\": \"!\"}}}", false)]
    #[case::no_name("{\"auths\": {\"r\": {\"auth\": \"OnA=\"}}}", false)]
    fn a_file_is_loaded_if_its_members_have_the_types_of_the_docker_command(
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(serde_json::from_str::<Settings>(text).is_ok(), expected);
    }
}
