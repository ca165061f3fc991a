//! The user's cache directory (XDG base directory specification).

use std::path::PathBuf;

/// The directory in which programs of this user keep what they can make again; `None` if no
/// variable names one.
pub(crate) fn directory() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(variable("HOME")?.join(".cache")));
    cache.filter(|path| path.is_absolute())
}
