//! What an error in the daemon's log is about, as far as its text says.
//!
//! The daemon writes lines of klog, of logrus and of JSON (contract 1.1.2). All of them quote the error
//! as text, and the texts come from Go, from Rust and from the engine. So a complaint is recognised by
//! the words that these texts have in common, whatever the form of the line.

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The docker command's configuration could not be read.
    ConfigurationRead,
    /// What is at a file's place in the docker command's configuration is no file: a directory, or a link
    /// that leads nowhere.
    ConfigurationObstructed,
    /// The docker command's configuration could not be written, because its disk is full.
    NoSpace,
    /// The docker command's configuration could not be written, because its disk is read-only.
    ReadOnly,
    /// The docker command's configuration could not be written for another reason.
    ConfigurationWrite,
    /// Admission refused a write, or could not be asked.
    Denied,
    /// A mirror that shall go is still there.
    Kept,
    /// A part of the daemon is not ready, or does not know a client or a kind yet.
    Starting,
    /// The engine does not have an object.
    NotFound,
    /// The daemon's API does not have an object.
    NotInApi,
    /// Work was cancelled.
    Cancelled,
    /// An answer did not come in time.
    TimedOut,
    /// The engine, or the wire in its place, answered with an error.
    Answer,
    /// The connection to the engine failed.
    Connection,
    /// The connection to the daemon's own API failed.
    ApiConnection,
    /// What the engine sent cannot be understood.
    Malformed,
    /// A call of `wsl.exe` failed, or did not end in time.
    Wsl,
    /// None of these.
    Other,
}

/// Whether a line of the log is about the docker command's configuration.
pub(in crate::oracle) fn is_about_configuration(line: &str) -> bool {
    let text = line.to_lowercase();
    CONFIGURATION.iter().any(|word| text.contains(word))
}

/// Words of errors about the docker command's configuration.
const CONFIGURATION: [&str; 5] =
    ["config.json", "docker context", "docker-context", "contexts/meta", "currentcontext"];

/// Words of errors about a configuration that could not be written. "Cannot open" a file for writing
/// has no word of its own, so the reasons are listed that only a write can have.
const WRITE_FAILED: [&str; 8] = [
    "cross-device",
    "rename",
    "cannot write",
    "cannot remove",
    "cannot create",
    "quota exceeded",
    "text file busy",
    "resource busy",
];

/// Words of errors about a file of the configuration at whose place there is no file.
const OBSTRUCTED: [&str; 6] = [
    "is a directory",
    "not a directory",
    "directory not empty",
    "file exists",
    "too many levels of symbolic links",
    "too many links",
];

/// The words of each kind. The first kind with a word in the text is that of the complaint, so a kind
/// whose errors may quote those of another one comes before it.
const WORDS: [(Kind, &[&str]); 13] = [
    // The hostagent ends if its calls of `wsl.exe` fail.
    (Kind::Wsl, &["wsl.exe", "hostagent ended at its start"]),
    (Kind::Denied, &["admission webhook", "calling webhook", "call webhook"]),
    (Kind::Kept, &["mirror resources to be deleted", "no new finalizers", "being deleted"]),
    (
        Kind::Starting,
        &[
            "control plane not ready",
            "no matches for kind",
            "unable to authenticate the request",
            "caches to sync",
            "cache to sync",
            "apiserver not ready",
            "not yet established",
        ],
    ),
    (Kind::NotFound, &["no such container", "no such image", "no such volume", "no such object"]),
    // The engine says "no such"; the API says "not found".
    (Kind::NotInApi, &["not found", "notfound"]),
    (Kind::Cancelled, &["context canceled", "was canceled", "was cancelled", "request canceled"]),
    (
        Kind::TimedOut,
        &[
            "deadline exceeded",
            "timed out",
            "timeout",
            "deadline has elapsed",
            "not answered within",
        ],
    ),
    (Kind::Answer, &["error response from daemon", "answered by the wire"]),
    (
        Kind::Malformed,
        &[
            "invalid character",
            "cannot unmarshal",
            "is no event",
            "does not say of what",
            "value is empty",
            "expected value",
            "expected `",
            "invalid type",
            "missing field",
            "malformed http",
        ],
    ),
    (
        Kind::Connection,
        &[
            "connection refused",
            "connection reset",
            "reset by peer",
            "broken pipe",
            " eof",
            "\"eof",
            "=eof",
            "end of file",
            "end of json input",
            "closed before message completed",
            "closed network connection",
            "connection closed",
            "connection was closed",
            "connection lost",
            "connection error",
            "broke off",
            "incomplete message",
            "server closed idle connection",
            "error during connect",
            "connect to the docker",
            "reach the docker",
            "not connected",
            "connection broken",
            "docker daemon running",
            "end of stream",
            "stream ended",
            "stream closed",
            "tls handshake error",
            "error reading preface",
            "peer closed connection",
        ],
    ),
    (Kind::Starting, &["not ready"]),
    (Kind::Answer, &["status code", "internal server error", "service unavailable"]),
];

/// Words by which an error names the daemon's API, rather than the engine, as the other end.
const API: [&str; 7] =
    ["https://", "tcp 127.0.0.1", "tcp [::1]", "apiserver", "api server", "tls handshake", "http2"];

/// One error of a line, in lower case.
pub(super) struct Complaint {
    pub(super) kind: Kind,
    text: String,
}

impl Complaint {
    /// The errors that a line reports; at least one. A line may report several failures of one attempt,
    /// and each needs a cause of its own.
    pub(super) fn all(line: &str) -> Vec<Self> {
        let text = line.to_lowercase().replace("\\n", "; ").replace(", failed to ", "; failed to ");
        // klog writes a text of several lines as such, each indented by a tab.
        let text = text.replace("\n\tfailed to ", "; failed to ");
        let parts = text
            .split("; failed to ")
            .filter(|part| !is_prefix(part))
            .map(|part| Self { kind: kind(part), text: part.to_owned() });
        parts.collect()
    }

    /// Whether the text has this in it, in any case.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.text.contains(&text.to_lowercase())
    }

    /// Whether the text names this object: a container or an image by its ID, in full or shortened, any
    /// object by its name.
    pub(super) fn names(&self, object: &str) -> bool {
        let object = object.to_lowercase();
        let digits = object.strip_prefix("sha256:").unwrap_or(&object);
        let is_id = digits.len() >= 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let short = if is_id { &digits[..12] } else { &object };
        self.words().any(|(_, word)| if is_id { word.contains(short) } else { word == short })
    }

    /// Whether the text names this object as the value of a field or in quotes, so that it is certainly
    /// the object and not a word of the sentence.
    pub(super) fn quotes(&self, object: &str) -> bool {
        let object = object.to_lowercase();
        self.words().any(|(before, word)| matches!(before, Some('"' | '=')) && word == object)
    }

    /// The words of the text, each with the character before it.
    fn words(&self) -> impl Iterator<Item = (Option<char>, &str)> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
        let ends = self.text.split(move |c: char| !is_part(c));
        ends.filter(|word| !word.is_empty()).map(|word| {
            let at = word.as_ptr() as usize - self.text.as_ptr() as usize;
            (self.text[..at].chars().next_back(), word.trim_end_matches([':', '.']))
        })
    }
}

/// Whether a part of a line is only what klog writes before a text of several lines.
fn is_prefix(part: &str) -> bool {
    part.ends_with("=<")
}

/// The kind of an error whose text is in lower case.
fn kind(text: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&CONFIGURATION) {
        return configuration(text);
    }
    // A missing socket of the engine is a missing connection.
    if text.contains("no such file or directory") && text.contains("docker.sock") {
        return Kind::Connection;
    }
    let found = WORDS.iter().find(|(_, words)| has(words)).map_or(Kind::Other, |(kind, _)| *kind);
    match found {
        Kind::Connection if has(&API) => Kind::ApiConnection,
        Kind::NotInApi if text.contains("error response from daemon") => Kind::NotFound,
        found => found,
    }
}

/// The kind of an error about the docker command's configuration.
fn configuration(text: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["no space left"]) {
        Kind::NoSpace
    } else if has(&["read-only file system"]) {
        Kind::ReadOnly
    } else if has(&OBSTRUCTED) {
        Kind::ConfigurationObstructed
    } else if has(&WRITE_FAILED) {
        Kind::ConfigurationWrite
    } else {
        Kind::ConfigurationRead
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Complaint, Kind};

    // Lines of the reference daemon and of real ones, in each form: logrus, klog, JSON.
    #[rstest]
    #[case(
        r#"level=error msg="Docker event stream error" error="the event stream broke off: error reading a body from connection: unexpected EOF during chunk size line""#,
        Kind::Connection
    )]
    #[case(
        r#"E1130 10:33:57.7 42 docker_watcher.go:191] "Docker event stream error" err="unexpected EOF" logger="controller-runtime-embedded.engine-watcher.docker-watcher""#,
        Kind::Connection
    )]
    #[case(
        r#"{"level":"error","msg":"Reconciler error","error":"failed to ping Docker: dial unix /w/docker.sock: connect: no such file or directory"}"#,
        Kind::Connection
    )]
    #[case(
        r#"E1130 manager.go:1] "Failed to unregister" err="Patch \"https://127.0.0.1:6445/api\": dial tcp 127.0.0.1:6445: connect: connection refused""#,
        Kind::ApiConnection
    )]
    #[case(
        r#"level=error msg="A watch has to begin anew" error="the connection to the API server broke: error reading a body from connection: peer closed connection without sending TLS close_notify""#,
        Kind::ApiConnection
    )]
    #[case(
        r#"level=error msg="Failed to set current Docker context" error="rename /w/c.json /x/config.json: invalid cross-device link""#,
        Kind::ConfigurationWrite
    )]
    #[case(
        r#"E1130 a.go:1] "Failed to read current Docker context" err="parsing config file (/w/config.json): unexpected EOF""#,
        Kind::ConfigurationRead
    )]
    #[case(
        r#"E1130 a.go:1] "Failed to set current Docker context" err="write /w/config.json1: no space left on device""#,
        Kind::NoSpace
    )]
    #[case(
        r#"E1130 a.go:1] "Failed to delete Docker context" err="unlinkat /w/x: read-only file system""#,
        Kind::ReadOnly
    )]
    #[case(
        r#"E1130 a.go:1] "Failed to handle event" err="Error response from daemon: No such container: web" group="app.rancherdesktop.io""#,
        Kind::NotFound
    )]
    #[case(
        r#"E1130 a.go:1] "Reconciler error" err="containers.containers.rancherdesktop.io \"ab\" not found""#,
        Kind::NotInApi
    )]
    #[case(
        r#"level=error msg="Failed to handle Docker event" error="Volume \"v\" is invalid: status.createdAt: Required value""#,
        Kind::Other
    )]
    #[case(
        r#"level=error msg="x" error="failed to start it: Error response from daemon: connection refused""#,
        Kind::Answer
    )]
    fn an_error_is_of_its_kind_in_every_form(#[case] line: &str, #[case] kind: Kind) {
        let complaints = Complaint::all(line);
        assert_eq!(complaints.iter().map(|one| one.kind).collect::<Vec<_>>(), [kind]);
    }

    #[test]
    fn each_failure_of_a_line_is_a_complaint() {
        let line = "failed to delete image a: Error response from daemon: in use; failed to apply \
                    Volume v: invalid";
        let kinds: Vec<_> = Complaint::all(line).iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Answer, Kind::Other]);
    }

    #[test]
    fn an_object_is_named_by_a_word_and_quoted_by_a_field() {
        let id = format!("sha256:{}", "ab".repeat(32));
        let line = "remove data: volume is in use id=web image=\"abababababab\"";
        let complaint = &Complaint::all(line)[0];
        assert!(complaint.names("data") && complaint.names("web") && complaint.names(&id));
        assert!(!complaint.names("dat") && !complaint.names("b"));
        assert!(complaint.quotes("web") && !complaint.quotes("data"));
    }
}
