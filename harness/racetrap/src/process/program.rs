//! Finds programs on PATH.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Directories of the administrator's programs, such as dockerd. They are not on every user's PATH.
const OF_THE_ADMINISTRATOR: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The first file called `name` in the directories of [`search_path`], or `None` if no directory has
/// one.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path())
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// PATH, and behind it the directories of the administrator's programs that it lacks.
pub(crate) fn search_path() -> OsString {
    with_administrator(&std::env::var_os("PATH").unwrap_or_default())
}

fn with_administrator(path: &OsStr) -> OsString {
    let given: Vec<_> =
        std::env::split_paths(path).filter(|it| !it.as_os_str().is_empty()).collect();
    let more = OF_THE_ADMINISTRATOR.map(PathBuf::from);
    let more: Vec<_> = more.into_iter().filter(|it| !given.contains(it)).collect();
    let all = std::env::join_paths(given.iter().chain(&more));
    all.expect("directories that were split at colons have none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_directories_come_last_and_once() {
        let path = |text: &str| with_administrator(OsStr::new(text));
        assert_eq!(path("/usr/bin:/bin"), "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
        assert_eq!(path("/usr/sbin:/bin"), "/usr/sbin:/bin:/usr/local/sbin:/sbin");
        assert_eq!(path(""), "/usr/local/sbin:/usr/sbin:/sbin");
    }
}
