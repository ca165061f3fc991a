//! Masks, the same one for the same secret.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use super::hits::{Hits, Rule};
use super::place::Place;

/// What every mask begins with; a number follows.
const MASK: &str = "masked-";

/// Schemes of authentication that stand before a secret (IANA's registry names them).
const SCHEMES: [&str; 5] = ["bearer", "basic", "digest", "negotiate", "token"];

/// Puts masks in the place of secrets. Clones share the numbers, so that what was equal in two files
/// is equal after both were masked, and what differed differs. It keeps no secret: only digests by
/// a key that nobody knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masker {
    seen: Arc<Mutex<Seen>>,
    /// Rules by which nothing is masked.
    #[cfg(test)]
    off: Vec<Rule>,
}

#[derive(Debug, Default)]
struct Seen {
    key: RandomState,
    numbers: BTreeMap<u64, usize>,
}

impl Masker {
    /// One without these rules, to show what is seen then.
    #[cfg(test)]
    pub(crate) fn without(rules: &[Rule]) -> Self {
        Self { off: rules.to_vec(), ..Self::default() }
    }

    /// The mask for a secret that is found at `place`, and counted there. What is masked already
    /// stays, and counts no more.
    pub(super) fn hide(
        &self,
        rule: Rule,
        secret: &str,
        place: &Place<'_>,
        hits: &mut Hits,
    ) -> String {
        if is_masked(secret) {
            return secret.to_owned();
        }
        #[cfg(test)]
        if self.off.contains(&rule) {
            return secret.to_owned();
        }
        hits.add(rule, place);
        self.mask(secret)
    }

    /// Words of our own, which may quote what somebody has said.
    pub(crate) fn words(&self, text: &str) -> String {
        self.text(text, &Place::ROOT, &mut Hits::default()).into_owned()
    }

    /// The mask for a secret; a mask is its own.
    pub(super) fn mask(&self, secret: &str) -> String {
        if is_mask(secret) {
            return secret.to_owned();
        }
        let mut seen = self.seen.lock().expect("nothing panics while it numbers a secret");
        let digest = seen.key.hash_one(secret);
        let next = seen.numbers.len() + 1;
        format!("{MASK}{}", seen.numbers.entry(digest).or_insert(next))
    }
}

/// Whether a text is a mask, or the name of an authentication scheme with a mask behind it.
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

    // Equality is all that an oracle can still see of two secrets, so it must survive in both ways.
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
