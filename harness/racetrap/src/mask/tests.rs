//! Secrets of every kind in documents and texts of every kind, and texts without any.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// A fixed seed: every run has the same cases.
fn config() -> Config {
    Config {
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        cases: 300,
        ..Config::default()
    }
}

/// Passwords that a person chooses, and keys that a machine generates.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9!%^*_+-]{8,24}",
        "[a-f0-9]{32,64}",
        "[A-Za-z0-9+/]{24,48}",
        "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-8[a-f0-9]{3}-[a-f0-9]{12}",
    ]
    // A mask would stay as it is.
    .prop_filter("not a mask", |secret| !secret.starts_with("masked-"))
}

/// Secrets with a form of their own, which are recognised in any text.
fn self_evident() -> impl Strategy<Value = String> {
    let encoded = "[A-Za-z0-9_-]{16,40}";
    prop_oneof![
        "AKIA[A-Z0-9]{16}",
        "ghp_[A-Za-z0-9]{36}",
        "glpat-[A-Za-z0-9_]{20}",
        (encoded, encoded).prop_map(|(body, end)| format!("eyJhbGciOiJI{body}.eyJz{body}.{end}")),
        "[A-Za-z0-9+/]{64}".prop_map(|body| {
            format!("-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----")
        }),
        "[A-Za-z0-9+/]{64}".prop_map(|body| {
            STANDARD.encode(format!("-----BEGIN RSA PRIVATE KEY-----\n{body}"))
        }),
    ]
}

/// Texts with a secret at `{}`, in the forms of real logs and responses.
const TEXTS: [&str; 24] = [
    "Authorization: Bearer {}",
    "> X-Registry-Auth: {}",
    "map[Accept:[*/*] Authorization:[Bearer {}]]",
    r#"{"Authorization":["Basic {}"]}"#,
    "Cookie: session={}; theme=dark",
    "connecting to https://user:p{}@example.com/path",
    "PASSWORD={}",
    "--token={} --verbose",
    r#"level=info msg="logging in" password="{}" user=a"#,
    r#"{"user":"a","password":"{}"}"#,
    r#"msg="{\"user\":\"a\",\"token\":\"{}\"}""#,
    r#"{"log":"{\"a\":\"{\\\"password\\\":\\\"{}\\\"}\"}"}"#,
    "password: {}",
    "  client_secret: '{}'",
    "Username:a Password:{} Server:b",
    "{Username:a Password:{}}",
    "GET /v1/x?access_token={}&limit=1",
    "mount -o username=a,password={},vers=3.0",
    "DB_PASS={} started",
    "apiKey => '{}'",
    "identitytoken = {}",
    "export AWS_SECRET_ACCESS_KEY={}",
    "AccountName=a;AccountKey={};EndpointSuffix=b",
    "the token is \"{}\"; passphrase={}",
];

/// A secret in an URL, where it is percent-encoded.
fn proxy(secret: &str) -> String {
    format!("http://u:{}@proxy:1", utf8_percent_encode(secret, NON_ALPHANUMERIC))
}

fn text(masker: &Masker, text: &str) -> (String, Hits) {
    let mut hits = Hits::default();
    let masked = masker.text(text, &Location::ROOT, &mut hits).into_owned();
    (masked, hits)
}

/// Checks that the secret is gone, that it was counted, and that masking again changes nothing.
fn check(masked: &str, hits: &Hits, secret: &str) -> Result<(), TestCaseError> {
    prop_assert!(!masked.contains(secret), "{secret:?} is left in {masked:?}");
    prop_assert!(!masked.contains(&STANDARD.encode(secret)), "in base64 in {masked:?}");
    prop_assert!(!hits.is_empty(), "{masked:?} is not counted");
    let counted = format!("{:?}", hits.by_rule());
    prop_assert!(!counted.contains(secret), "{secret:?} is in {counted}");
    let again = text(&Masker::default(), masked);
    prop_assert_eq!((again.0.as_str(), again.1.is_empty()), (masked, true), "masked again");
    Ok(())
}

fn check_document(kind: DocumentKind, document: &Value, secret: &str) -> Result<(), TestCaseError> {
    let masker = Masker::default();
    let (masked, hits) = masker.json(kind, document.to_string().as_bytes()).expect("of its kind");
    prop_assert!(!masked.contains(secret), "{secret:?} is left in {masked}");
    prop_assert!(!masked.contains(&STANDARD.encode(secret)), "in base64 in {masked}");
    prop_assert!(!masked.contains(&proxy(secret)), "in an URL in {masked}");
    prop_assert!(!hits.is_empty());
    let (again, more) = Masker::default().json(kind, masked.as_bytes()).expect("of its kind");
    prop_assert_eq!((again, more.is_empty()), (masked, true), "masked again");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_secret_survives_in_text_that_says_what_it_is(
        secret in secret(),
        form in prop::sample::select(TEXTS.as_slice()),
    ) {
        let (masked, hits) = text(&Masker::default(), &form.replace("{}", &secret));
        check(&masked, &hits, &secret)?;
    }

    #[test]
    fn no_self_evident_secret_survives_in_any_text(
        secret in self_evident(),
        before in "[a-z ]{0,12}[ =:\"(]",
        after in "[ ,)\"\n][a-z ]{0,12}",
    ) {
        let (masked, hits) = text(&Masker::default(), &format!("{before}{secret}{after}"));
        check(&masked, &hits, &secret)?;
        prop_assert!(masked.starts_with(&before) && masked.ends_with(&after), "{masked:?}");
    }

    #[test]
    fn no_secret_survives_in_a_container(secret in secret()) {
        let inspect = json!([{
            "Id": "4f1c", "Name": "/a", "Path": "/app", "Args": ["--password", secret, "-e", format!("X={secret}")],
            "Config": {
                "Env": ["PATH=/bin", format!("GREETING={secret}"), secret],
                "Labels": { "com.example.password": secret, "version": "1" },
                "Cmd": [format!("--api-key={secret}")],
            },
            "HostConfig": { "LogConfig": { "Config": { "splunk-token": secret } } },
            "Options": { "o": format!("addr=a,password={secret}") },
            "History": [{ "CreatedBy": format!("ENV GREETING={secret}") }],
        }]);
        check_document(DocumentKind::Docker, &inspect, &secret)?;
    }

    #[test]
    fn no_secret_survives_in_an_object_of_the_api(secret in secret()) {
        let one = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" },
            "data": { "x": STANDARD.encode(&secret) }, "stringData": { "y": secret },
        });
        check_document(DocumentKind::Kubernetes, &one, &secret)?;
        let list = json!({ "apiVersion": "v1", "kind": "SecretList",
            "items": [{ "metadata": { "name": "a" }, "data": { "x": STANDARD.encode(&secret) } }] });
        check_document(DocumentKind::Kubernetes, &list, &secret)?;
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        let app = json!({
            "apiVersion": "a/v1", "kind": "App",
            "metadata": { "annotations": { applied: one.to_string(), "b": format!("token={secret}") } },
            "spec": {
                "containers": [{ "env": [{ "name": "X", "value": secret }] }],
                "properties": [{ "name": "db.password", "value": secret }],
                "registryToken": secret, "secrets": [secret],
            },
        });
        check_document(DocumentKind::Kubernetes, &app, &secret)?;
    }

    #[test]
    fn no_secret_survives_in_a_kubeconfig(secret in secret()) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": [{ "name": "a", "cluster": {
                "server": "https://127.0.0.1:1", "proxy-url": proxy(&secret),
            } }],
            "users": [
                { "name": "a", "user": { "token": secret } },
                { "name": "b", "user": { "client-key-data": STANDARD.encode(&secret) } },
                { "name": "c", "user": { "username": "u", "password": secret } },
                { "name": "d", "user": { "auth-provider": { "config": { "x": secret } } } },
                { "name": "e", "user": { "exec": {
                    "command": "get", "args": ["--secret", secret],
                    "env": [{ "name": "X", "value": secret }],
                } } },
                { "name": "f", "user": secret },
            ],
        });
        check_document(DocumentKind::Kubeconfig, &config, &secret)?;
        let yaml = serde_yaml::to_string(&config).expect("YAML");
        let (masked, _) = Masker::default().yaml(DocumentKind::Kubeconfig, &yaml).expect("one");
        prop_assert!(!masked.contains(&secret), "{secret:?} is left in {masked}");
        prop_assert!(masked.contains("https://127.0.0.1:1"), "{masked}");
    }

    #[test]
    fn no_secret_survives_in_a_docker_configuration(secret in secret()) {
        let config = json!({
            "auths": {
                "a.example": { "auth": STANDARD.encode(format!("user:{secret}")), "email": "e" },
                "b.example": { "identitytoken": secret, "unknown": { "registrytoken": secret } },
                "c.example": secret,
            },
            "HttpHeaders": { "Meta": secret },
            "proxies": { "default": { "httpProxy": proxy(&secret) } },
            "currentContext": "rancher-desktop",
        });
        check_document(DocumentKind::DockerConfig, &config, &secret)?;
    }

    #[test]
    fn no_secret_survives_in_an_environment_or_a_command_line(secret in secret()) {
        let masker = Masker::default();
        let mut hits = Hits::default();
        let mut variables = vec![format!("GREETING={secret}"), secret.clone(), "HOME=/h".to_owned()];
        masker.environment(&mut variables, &Location::ROOT, &mut hits);
        let mut line: Vec<String> = ["curl", "--password", &secret, "--env", &format!("X={secret}"),
            &format!("--token={secret}"), "-H", &format!("Authorization: Bearer {secret}"), "--verbose"]
            .map(str::to_owned).to_vec();
        masker.command_line(&mut line, &Location::ROOT, &mut hits);
        prop_assert!(!format!("{variables:?} {line:?}").contains(&secret), "{variables:?} {line:?}");
        prop_assert_eq!(&variables[2], "HOME=/h");
        prop_assert_eq!((line[0].as_str(), line[8].as_str()), ("curl", "--verbose"));
        let mut log_in = ["docker", "login", "-p", &secret].map(str::to_owned);
        masker.command_line(&mut log_in, &Location::ROOT, &mut hits);
        prop_assert!(!log_in.contains(&secret));
    }

    // All lines of the key are masked, and the lines before and after it stay as they are.
    #[test]
    fn no_line_of_a_key_survives_in_a_stream(body in prop::collection::vec("[A-Za-z0-9+/]{4,64}", 1..5)) {
        let mut lines = LineMasker::new(Masker::default());
        let mut hits = Hits::default();
        let key = format!(
            "loaded:\n-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\nlistening",
            body.join("\n"),
        );
        let masked: Vec<_> = key
            .split('\n')
            .map(|line| lines.line(line, &Location::ROOT, &mut hits).into_owned())
            .collect();
        prop_assert!(masked.iter().all(|line| !body.contains(line)), "{masked:?}");
        prop_assert_eq!((masked[0].as_str(), masked[masked.len() - 1].as_str()), ("loaded:", "listening"));
    }

    // The words include names that announce a secret, but no secret.
    #[test]
    fn text_without_a_secret_stays_as_it_is(
        words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 1..12),
    ) {
        let sentence = words.join(" ");
        let (masked, hits) = text(&Masker::default(), &sentence);
        prop_assert_eq!((masked, hits.is_empty()), (sentence, true));
    }
}

const WORDS: [&str; 22] = [
    "the",
    "token",
    "secret",
    "password",
    "Authorization",
    "signature",
    "of",
    "container",
    "4f1c2d3e4a5b",
    "registry",
    "was",
    "not",
    "found",
    "sha256:9f86d081884c7d659a2feaa0c55ad015",
    "/var/lib/docker/overlay2",
    "https://127.0.0.1:6443/apis",
    "author=moby",
    "key",
    "level=info",
    "credsStore",
    "a@b.example",
    "Basic",
];

#[rstest]
#[case(r#"time="2026-11-21T13:24:51Z" level=info msg="API listen on /run/docker.sock""#)]
#[case("E1121 15:00:00.000000   12 a.go:7] \"failed\" err=\"token: not found in cache\"")]
#[case("unable to get secret: no such object")]
#[case("GET /v1.41/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D")]
#[case("secretName: app-tls, tokenFile: /var/run/token, credsStore: desktop")]
#[case("authentication.k8s.io/v1 tokenreviews, authorization.k8s.io/v1")]
#[case("4f1c2d3e4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d")]
#[case("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")]
#[case("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI=")]
#[case("PASSWORD= TOKEN=\"\" secret=null")]
#[case("http://127.0.0.1:8080/a@b ssh://git@example.com/a.git")]
fn this_text_stays_as_it_is(#[case] innocent: &str) {
    assert_eq!(text(&Masker::default(), innocent), (innocent.to_owned(), Hits::default()));
}

// The reason must not quote the document either.
#[rstest]
#[case(DocumentKind::Kubeconfig, "kind: Pod")]
#[case(DocumentKind::Kubeconfig, "token hunter2: [")]
#[case(DocumentKind::Kubernetes, r#"{"token": "hunter2"}"#)]
#[case(DocumentKind::Docker, "hunter2")]
#[case(DocumentKind::DockerConfig, r#"{"auths": {"a": "hunter2""#)]
fn a_document_of_another_kind_is_left_out(#[case] kind: DocumentKind, #[case] content: &str) {
    let masker = Masker::default();
    let error = masker.yaml(kind, content).expect_err("it is of another kind");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    masker.json(kind, content.as_bytes()).expect_err("it is of another kind");
}
