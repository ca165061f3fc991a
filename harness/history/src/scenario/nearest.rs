//! Which known name a misspelt one resembles.

/// The known names, each in backticks, sorted by their similarity to `given`.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|name| strsim::damerau_levenshtein(given, name));
    known.into_iter().map(|name| format!("`{name}`")).collect()
}
