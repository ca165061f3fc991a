//! `svc status`, `svc paths` and `svc config` say what is so (contract 1.1.5, 1.3.9, 1.3.10, 1.3.12,
//! 2.2.1 to 2.2.4, 3.1.3).

use std::collections::BTreeMap;

use crate::record::{CommandRun, ProcessState, What};

/// The keys of `svc paths`, each with the directory that it is in, and its path there.
const PATHS: [(&str, &str, &str); 10] = [
    ("args_file", "dir", "/args.json"),
    ("config", "dir", "/config.yaml"),
    ("dir", "dir", ""),
    ("docker_socket", "short_dir", "/docker.sock"),
    ("k3s_config", "dir", "/k3s.yaml"),
    ("lima_home", "short_dir", "/lima"),
    ("log_dir", "log_dir", ""),
    ("pid_file", "dir", "/rdd.pid"),
    ("short_dir", "short_dir", ""),
    ("tls_dir", "dir", "/tls"),
];

/// Follows the process of the daemon: its ID while it runs.
pub(super) fn follow_daemon(pid: &mut Option<u32>, what: &What) {
    if let What::Process { name, pid: started, state, .. } = what
        && name == "daemon"
    {
        *pid = (*state == ProcessState::Started).then_some(*started);
    }
}

pub(super) fn judge(command: &CommandRun, words: &[&str], daemon: Option<u32>) -> Option<String> {
    let is_help = command.arguments.iter().any(|argument| argument == "--help");
    match words {
        _ if is_help => None,
        ["svc", "status", ..] => status(command, daemon),
        ["svc", "paths", rest @ ..] => paths(command, rest),
        ["svc", "config"] => kubeconfig(command),
        _ => None,
    }
}

/// `svc status`: three lines.
fn status(command: &CommandRun, daemon: Option<u32>) -> Option<String> {
    if !command.exit.is_success() {
        return Some(format!("ended with {}, but it never fails", command.exit));
    }
    // Of another instance, the history knows nothing.
    if command.arguments.first().is_some_and(|first| first.starts_with("--instance")) {
        return None;
    }
    let reported = command.stderr.as_str();
    let pid = daemon.unwrap_or_default();
    let wanted = [
        "has been created: ".to_owned(),
        format!("has been started: {}", daemon.is_some()),
        format!("PID is: {pid}"),
    ];
    let missing = wanted.iter().find(|text| {
        // A number must not go on behind the text.
        let end = reported.split_once(text.as_str()).map(|(_, rest)| rest.chars().next());
        end.is_none_or(|next| next.is_some_and(|next| next.is_ascii_digit()))
    });
    missing.map(|text| format!("does not say `{text}`: {}", reported.trim()))
}

/// `svc paths`: a table of all keys, one path alone, or a refusal.
fn paths(command: &CommandRun, rest: &[&str]) -> Option<String> {
    let option =
        |argument: &&String| argument.starts_with("-o") || argument.starts_with("--output");
    let has_format = command.arguments.iter().any(|argument| option(&argument));
    // Without an option, each further word is a key; behind `-o` the first is a format.
    if has_format {
        return None;
    }
    let first = command.arguments.first();
    let named = first.and_then(|argument| argument.strip_prefix("--instance="));
    match rest {
        [] => table(&command.stdout, named),
        [key] => {
            let known = PATHS.iter().any(|(known, ..)| known == key);
            let lines: Vec<_> = command.stdout.lines().collect();
            let fits = match (known, command.exit.code()) {
                (true, Some(0)) => lines.len() == 1 && lines[0].starts_with('/'),
                (false, Some(1)) => lines.is_empty(),
                _ => false,
            };
            (!fits).then(|| {
                let (exit, stdout) = (&command.exit, command.stdout.trim());
                format!("ended with {exit}, and printed `{stdout}`")
            })
        }
        _ => None,
    }
}

/// `svc config`: a kubeconfig with two contexts, for a server on this machine.
fn kubeconfig(command: &CommandRun) -> Option<String> {
    let promised = ["current-context: root", "name: user", "server: https://127.0.0.1:"];
    // The order and the quotes of YAML are not promised.
    let text = command.stdout.replace(['"', '\''], "");
    let missing = promised.iter().find(|promised| !text.contains(**promised))?;
    Some(format!("printed no `{missing}`: ended with {}", command.exit))
}

fn table(stdout: &str, named: Option<&str>) -> Option<String> {
    let listed: BTreeMap<&str, &str> = stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, path)| (key, path.trim()))
        .collect();
    // Older revisions have fewer keys (contract 9.1.3).
    if !listed.contains_key("docker_socket") {
        return None;
    }
    let path = |key: &str| listed.get(key).copied().unwrap_or_default();
    let wrong = PATHS.iter().find(|(key, directory, file)| {
        path(key).strip_suffix(file) != Some(path(directory)) || path(key).is_empty()
    });
    if let Some((key, directory, file)) = wrong {
        return Some(format!("says {key} is `{}`, not `{file}` in {directory}", path(key)));
    }
    // The three directories of an instance, in the home of their user.
    let (home, instance) = path("dir").split_once("/.local/share/rancher-desktop-")?;
    if named.is_some_and(|named| named != instance) {
        return Some(format!("says the directory of the instance {instance}"));
    }
    let wanted = [
        ("log_dir", format!("{home}/.local/state/rancher-desktop-{instance}")),
        ("short_dir", format!("{home}/.rd{instance}")),
    ];
    let wrong = wanted.into_iter().find(|(key, wanted)| path(key) != wanted);
    wrong.map(|(key, wanted)| format!("says {key} is `{}`, not `{wanted}`", path(key)))
}
