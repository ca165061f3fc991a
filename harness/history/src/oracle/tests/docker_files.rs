//! Files of the user keep mode, owner and links, and a dead current context is replaced although nobody
//! waits for that (contract 5.2, 5.3).

use rstest::rstest;
use serde_json::json;

use super::build::{
    app_is, assert_passes, assert_violates, engine_answered, healthy_run, ready_app,
    run_with_steps, step_began,
};
use crate::record::{
    CONFIG_FILE, CONTEXTS_DIRECTORY, DockerContent, DockerFile, DockerUser, FileAttributes,
    FileChange, UserCommand, What,
};
use crate::scenario::OracleName;

const OURS: &str = "rancher-desktop-7";
const ORACLE: OracleName = OracleName::DockerConfigIntegrity;

fn user(overruled: bool) -> What {
    What::DockerUser(DockerUser { context: OURS.to_owned(), overruled, about: true })
}

fn file(path: &str, holds: DockerContent, attributes: Option<FileAttributes>) -> DockerFile {
    let (path, how) = (path.to_owned(), FileChange::Replaced);
    DockerFile { path, how, by_user: false, holds, attributes }
}

fn config(current: &str) -> DockerContent {
    let current = Some(current.to_owned()).filter(|current| !current.is_empty());
    DockerContent::Config { current, members: [].into() }
}

fn context(name: &str, host: Option<&str>) -> What {
    let holds = DockerContent::Context { host: host.map(str::to_owned) };
    What::DockerFile(DockerFile { by_user: true, ..file(&format!("contexts/{name}"), holds, None) })
}

fn attributes(mode: u32, owner: u32, group: u32, link: Option<&str>) -> Option<FileAttributes> {
    let link = link.map(str::to_owned);
    Some(FileAttributes { mode, owner, group, link, other_file_system: false })
}

/// A run whose user has a `config.json` with these attributes, which the daemon then changes.
fn rewritten(before: Option<FileAttributes>, after: Option<FileAttributes>) -> Vec<What> {
    let found = DockerFile { how: FileChange::Found, ..file(CONFIG_FILE, config("mine"), before) };
    let changed = file(CONFIG_FILE, config(OURS), after);
    healthy_run(vec![
        user(false),
        What::DockerFile(found),
        context(OURS, Some("unix:///w/docker.sock")),
        What::DockerFile(changed),
    ])
}

// Each row is what the file had and what the new one has. Only what the user gave it may be there.
#[rstest]
#[case::mode(
    attributes(0o640, 1, 2, None),
    attributes(0o600, 1, 2, None),
    "had the mode 0640 and has 0600"
)]
#[case::owner(
    attributes(0o600, 1, 2, None),
    attributes(0o600, 0, 2, None),
    "belonged to user 1 and group 2"
)]
#[case::group(
    attributes(0o600, 1, 2, None),
    attributes(0o600, 1, 0, None),
    "belongs to user 1 and group 0"
)]
#[case::link(
    attributes(0o600, 1, 2, Some("../a")),
    attributes(0o600, 1, 2, Some("../b")),
    "was a link to ../a and leads to ../b"
)]
#[case::no_link(
    attributes(0o600, 1, 2, Some("../a")),
    attributes(0o600, 1, 2, None),
    "was a link to ../a and is none any more"
)]
#[case::new_link(
    attributes(0o600, 1, 2, None),
    attributes(0o600, 1, 2, Some("../a")),
    "has become a link to ../a"
)]
fn a_file_keeps_mode_owner_and_link(
    #[case] before: Option<FileAttributes>,
    #[case] after: Option<FileAttributes>,
    #[case] text: &str,
) {
    assert_violates(rewritten(before.clone(), after.clone()), ORACLE, text);
    assert_passes(rewritten(before.clone(), before.clone()));
    // An old journal, or a file that was not there, has nothing to compare with.
    assert_passes(rewritten(None, after.clone()));
    assert_passes(rewritten(before, None));
}

// The same change by the user, and by a docker command that runs, is nobody's fault.
#[test]
fn the_user_may_change_mode_and_owner() {
    let change = |by_user| {
        let (before, after) = (attributes(0o600, 1, 2, None), attributes(0o644, 0, 2, None));
        let found =
            DockerFile { how: FileChange::Found, ..file(CONFIG_FILE, config("far"), before) };
        let changed = DockerFile {
            by_user,
            how: FileChange::Changed,
            ..file(CONFIG_FILE, config("far"), after)
        };
        (What::DockerFile(found), What::DockerFile(changed))
    };
    let begins = || vec![user(false), context(OURS, None), context("far", Some("ssh://far"))];
    let (found, changed) = change(true);
    assert_passes(healthy_run([begins(), vec![found, changed]].concat()));
    let (found, changed) = change(false);
    let arguments = vec!["login".to_owned()];
    let command = What::UserCommand(UserCommand { number: 1, arguments, end: None });
    assert_passes(healthy_run([begins(), vec![found.clone(), command, changed.clone()]].concat()));
    assert_violates(
        healthy_run([begins(), vec![found, changed]].concat()),
        ORACLE,
        "belonged to user 1 and group 2",
    );
}

// The directory of all contexts was a link. Its own record is the only one that says so.
#[test]
fn a_link_at_the_directory_of_contexts_stays() {
    let directory = |how, link| {
        let attributes = attributes(0o755, 0, 0, link);
        let holds = DockerContent::Other;
        What::DockerFile(DockerFile { how, ..file(CONTEXTS_DIRECTORY, holds, attributes) })
    };
    let linked = || directory(FileChange::Found, Some("../e"));
    let begins = || vec![user(true), context(OURS, None), linked()];
    assert_passes(healthy_run(begins()));
    let unlinked = directory(FileChange::Changed, None);
    assert_violates(
        healthy_run([begins(), vec![unlinked]].concat()),
        ORACLE,
        "contexts was a link to ../e and is none any more",
    );
}

// A context of the user's is not the daemon's to change, and its own one is.
#[rstest]
#[case("mine", true)]
#[case("rancher-desktop-7", false)]
fn a_context_of_the_user_stays(#[case] name: &str, #[case] wrong: bool) {
    let holds = DockerContent::Context { host: Some("unix:///other".to_owned()) };
    let changed = What::DockerFile(file(&format!("contexts/{name}"), holds, None));
    let begins = vec![user(true), context(OURS, None), context("mine", Some("ssh://far")), changed];
    if wrong {
        assert_violates(healthy_run(begins), ORACLE, "changed the user's context mine");
    } else {
        assert_passes(healthy_run(begins));
    }
}

/// What makes a takeover due: a current context, and then a subscription of the daemon.
struct Due {
    overruled: bool,
    current: &'static str,
    host: Option<&'static str>,
    after: Vec<What>,
}

impl Default for Due {
    fn default() -> Self {
        let host = Some("unix:///nowhere");
        Self { overruled: false, current: "mine", host, after: Vec::new() }
    }
}

fn endpoint(address: &str, default: bool) -> Vec<What> {
    vec![What::Endpoint { address: Some(address.to_owned()), default }]
}

// Each row differs from one in which the takeover is due in one point.
#[rstest]
#[case::due(Due::default(), Some("leads to unix:///nowhere, where no engine runs"))]
#[case::missing(Due { host: None, ..Due::default() }, Some("`mine` does not exist"))]
#[case::none(Due { current: "", ..Due::default() }, Some("no engine runs at the default place"))]
#[case::default(Due { current: "default", ..Due::default() }, Some("at the default place"))]
#[case::tcp(Due { host: Some("tcp://127.0.0.1:1"), ..Due::default() }, Some("where no engine runs"))]
#[case::overruled(Due { overruled: true, ..Due::default() }, None)]
#[case::taken(Due { current: OURS, ..Due::default() }, None)]
#[case::ssh(Due { host: Some("ssh://far"), ..Due::default() }, None)]
#[case::neighbour(Due { current: "rancher-desktop-8", ..Due::default() }, None)]
#[case::chosen_later(Due {
    after: vec![What::DockerFile(DockerFile {
        by_user: true,
        ..file(CONFIG_FILE, config("gone"), None)
    })],
    ..Due::default()
}, None)]
#[case::alive_later(Due { after: endpoint("unix:///nowhere", false), ..Due::default() }, None)]
#[case::disk(Due {
    after: vec![run_with_steps(&json!([{ "docker_disk": "full" }])), step_began(0)],
    ..Due::default()
}, None)]
fn a_dead_context_is_replaced_although_nobody_waits(#[case] due: Due, #[case] wrong: Option<&str>) {
    let Due { overruled, current, host, after } = due;
    let found = DockerFile { how: FileChange::Found, ..file(CONFIG_FILE, config(current), None) };
    let mut whats =
        vec![user(overruled), What::DockerFile(found), context(OURS, Some("unix:///w/s"))];
    whats.extend(host.map(|host| context("mine", Some(host))));
    whats.extend(engine_answered(1, "/events", 200));
    whats.extend(after);
    whats.push(app_is(ready_app(1)));
    match wrong {
        Some(text) => assert_violates(healthy_run(whats), ORACLE, text),
        None => assert_passes(healthy_run(whats)),
    }
}
