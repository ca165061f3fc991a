//! Replaces secrets by masks; equal secrets get equal masks.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use super::hits::{Hits, Rule};
use super::location::Location;

/// The beginning of every mask; a number follows.
const MASK: &str = "masked-";

/// Authentication schemes that precede a secret in a header (from IANA's registry).
const SCHEMES: [&str; 5] = ["bearer", "basic", "digest", "negotiate", "token"];

/// Replaces secrets by masks. Clones share the numbers, so values that were equal in two files are
/// equal after both files were masked, and different values stay different. The masker stores no
/// secret, only digests with a random key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masker {
    seen: Arc<Mutex<Seen>>,
    /// Rules that are switched off.
    #[cfg(test)]
    off: Vec<Rule>,
}

#[derive(Debug, Default)]
struct Seen {
    key: RandomState,
    numbers: BTreeMap<u64, usize>,
}

impl Masker {
    /// A masker without these rules, for tests of what happens when masking fails.
    #[cfg(test)]
    pub(crate) fn without(rules: &[Rule]) -> Self {
        Self { off: rules.to_vec(), ..Self::default() }
    }

    /// Returns the mask for a secret and counts it at `location`. A secret that is already a mask is
    /// returned as it is and not counted.
    pub(super) fn mask_secret(
        &self,
        rule: Rule,
        secret: &str,
        location: &Location<'_>,
        hits: &mut Hits,
    ) -> String {
        if is_masked(secret) {
            return secret.to_owned();
        }
        #[cfg(test)]
        if self.off.contains(&rule) {
            return secret.to_owned();
        }
        hits.add(rule, location);
        self.mask(secret)
    }

    /// Masks a message of the harness, which may quote the output of a program. Counts nothing.
    pub(crate) fn message(&self, text: &str) -> String {
        self.text(text, &Location::ROOT, &mut Hits::default()).into_owned()
    }

    /// Returns the mask for a secret. The mask of a mask is the mask itself.
    pub(super) fn mask(&self, secret: &str) -> String {
        if is_mask(secret) {
            return secret.to_owned();
        }
        let mut seen = self.seen.lock().expect("nothing panics while it numbers a secret");
        // A digest without a key could be found by hashing guessed secrets.
        let digest = seen.key.hash_one(secret);
        let next = seen.numbers.len() + 1;
        format!("{MASK}{}", seen.numbers.entry(digest).or_insert(next))
    }
}

/// Whether a text is a mask, or the name of an authentication scheme followed by a mask.
pub(super) fn is_masked(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(mask), None, None) => is_mask(mask),
        (Some(scheme), Some(mask), None) => is_scheme(scheme) && is_mask(mask),
        _ => false,
    }
}

/// Whether a word is the name of an authentication scheme.
pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn is_mask(text: &str) -> bool {
    let number = text.strip_prefix(MASK);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracles compare masked values, so equal ones must stay equal and different ones must stay
    // different.
    #[test]
    fn equal_secrets_have_one_mask_and_different_ones_have_two() {
        let masker = Masker::default();
        let one = masker.mask("one");
        assert_ne!(masker.mask("two"), one);
        assert_eq!(masker.clone().mask("one"), one);
        assert_eq!(masker.mask(&one), one, "a mask is not masked again");
        assert!(is_mask(&one) && !is_mask("masked-") && !is_mask("masked-1a"));
    }
}
