//! Names that announce a secret, and variables that hold none.

use std::sync::LazyLock;

use regex::Regex;

/// A name that contains one of these announces a secret, if case and separators are ignored.
const ANNOUNCING: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accountkey",
    "clientkeydata",
    "credential",
    "authorization",
    "cookie",
    "registryauth",
    "connectionstring",
    "unlockkey",
];

/// A name whose last word is one of these announces a secret.
const ANNOUNCING_LAST: [&str; 8] =
    ["auth", "auths", "pass", "pwd", "jwt", "bearer", "signature", "sig"];

/// A name whose last word is one of these does not hold the secret, but its location or something
/// about it.
const ABOUT: [&str; 27] = [
    "name",
    "names",
    "ref",
    "refs",
    "namespace",
    "path",
    "file",
    "files",
    "dir",
    "type",
    "kind",
    "version",
    "count",
    "length",
    "limit",
    "seconds",
    "ttl",
    "expiry",
    "mode",
    "policy",
    "provider",
    "store",
    "helper",
    "helpers",
    "enabled",
    "endpoint",
    "review",
];

/// Variables whose values are shown, unless a pattern finds a secret in them. Sorted, for a binary
/// search.
const HARMLESS: [&str; 43] = [
    "CI",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "GITHUB_ACTIONS",
    "GITHUB_JOB",
    "GITHUB_REF",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_SHA",
    "GODEBUG",
    "GOMAXPROCS",
    "GOTRACEBACK",
    "HOME",
    "HOSTNAME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NO_PROXY",
    "OLDPWD",
    "PATH",
    "PWD",
    "RACETRAP_WORLD",
    "RDD_DEFECT",
    "RDD_DEVELOPER_MODE",
    "RDD_INSTANCE",
    "RDD_LOG_LEVEL",
    "RDD_PROTOCOL",
    "RDD_TRACE",
    "RUNNER_ARCH",
    "RUNNER_OS",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
];

/// Matches every name that can announce a secret. Most names do not match, which saves the slower
/// comparisons.
static PART: LazyLock<Regex> = LazyLock::new(|| {
    let parts = r"(?i-u)pass|pwd|secret|token|key|credential|auth|cookie|jwt|bearer|sig|connection";
    Regex::new(parts).expect("the pattern is tested")
});

/// Whether the name of a variable, a field, a label, a flag or a header announces a secret.
pub(super) fn announces_secret(name: &str) -> bool {
    if !PART.is_match(name) {
        return false;
    }
    let words = words(name);
    let joined = words.concat();
    let last = words.last().map(String::as_str).unwrap_or_default();
    // `PWD` alone is the working directory, although as a last word it means a password.
    if ABOUT.contains(&last) || joined == "pwd" || joined == "oldpwd" {
        return false;
    }
    ANNOUNCING_LAST.contains(&last) || ANNOUNCING.iter().any(|word| joined.contains(word))
}

/// Whether the value of a variable may be shown.
pub(super) fn is_harmless_variable(name: &str) -> bool {
    let locale = name.starts_with("LC_");
    let upper = name.to_ascii_uppercase();
    (locale || HARMLESS.binary_search(&upper.as_str()).is_ok()) && !announces_secret(name)
}

/// Splits a name into words in lower case: `DB_PASS`, `db-pass`, `db.pass` and `dbPass` have the
/// same two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        // A capital after a small letter begins a word: `dbPass`. `APIKey` stays one word, which does
        // not matter, because names are compared without separators.
        let begins = letter.is_ascii_uppercase() && before.is_ascii_lowercase();
        let joins = !letter.is_alphanumeric();
        if (begins || joins) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if !joins && let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("DB_PASSWORD")]
    #[case("db.pass")]
    #[case("MYSQL_PWD")]
    #[case("clientSecret")]
    #[case("X-Registry-Auth")]
    #[case("client-key-data")]
    #[case("AWS_SECRET_ACCESS_KEY")]
    #[case("identitytoken")]
    #[case("com.example.api-key")]
    fn these_names_announce_a_secret(#[case] name: &str) {
        assert!(announces_secret(name));
    }

    #[rstest]
    #[case("PWD")]
    #[case("secretName")]
    #[case("imagePullSecretRef")]
    #[case("token_file")]
    #[case("credsStore")]
    #[case("compass")]
    #[case("author")]
    #[case("key")]
    #[case("status")]
    fn these_names_announce_none(#[case] name: &str) {
        assert!(!announces_secret(name));
    }

    // The list is searched by a binary search, which would not find an entry out of order.
    #[test]
    fn every_harmless_variable_is_found() {
        assert!(HARMLESS.iter().all(|name| is_harmless_variable(name)));
        assert!(is_harmless_variable("LC_ALL") && is_harmless_variable("http_proxy"));
        assert!(!is_harmless_variable("GREETING") && !is_harmless_variable("LC_TOKEN"));
    }
}
