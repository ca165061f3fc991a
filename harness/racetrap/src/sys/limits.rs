//! Limits of the harness's own process, which every process of a world inherits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files each process of a world must be able to open. The control plane of a daemon, an
/// engine with its containers and a crowd of clients need a few hundred each.
pub(crate) const OPEN_FILES_MIN: u64 = 1024;

/// Raises the soft limit of open files to the hard limit. A failure is not reported: a limit that
/// stays too low is, by [`low_limit`].
pub(crate) fn raise_limits() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // A process may always raise its soft limit to the hard one.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// How many files this process may open; `None` if there is no limit.
pub(crate) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The limit that is lower than a world needs, in words, if there is one.
pub(crate) fn low_limit() -> Option<String> {
    describe(open_files())
}

fn describe(open_files: Option<u64>) -> Option<String> {
    let limit = open_files.filter(|limit| *limit < OPEN_FILES_MIN)?;
    Some(format!(
        "a process may have at most {limit} open files here, and worlds need {OPEN_FILES_MIN} \
         (`ulimit -Hn`)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_below_the_least_one_is_too_low() {
        assert_eq!(describe(None), None);
        assert_eq!(describe(Some(OPEN_FILES_MIN)), None);
        let low = describe(Some(128)).expect("it is too low");
        assert!(low.starts_with("a process may have at most 128 open files"), "{low}");
    }
}
