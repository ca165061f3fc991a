//! Digests by which values that may be secrets are compared.

use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;

/// Makes digests of values. Each instance has a random key, which is never written anywhere: nobody can
/// find a secret by comparing digests of guesses, and digests of two instances cannot be compared.
#[derive(Default)]
pub(crate) struct ValueDigests {
    key: RandomState,
}

impl ValueDigests {
    /// The digest of a value. Equal values have equal digests, whatever the order of their members is.
    pub(crate) fn digest(&self, value: &Value) -> String {
        let mut sorted = value.clone();
        sorted.sort_all_objects();
        format!("{:016x}", self.key.hash_one(sorted.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::ValueDigests;

    #[rstest]
    #[case::order(r#"{"b": {"d": 2, "c": [1]}, "a": null}"#, true)]
    #[case::value(r#"{"a": null, "b": {"c": [1], "d": 3}}"#, false)]
    #[case::name(r#"{"a": null, "b": {"c": [1], "e": 2}}"#, false)]
    fn equal_values_have_equal_digests(#[case] other: &str, #[case] equal: bool) {
        let digests = ValueDigests::default();
        let digest = |text| digests.digest(&serde_json::from_str(text).unwrap());
        assert_eq!(digest(r#"{"a": null, "b": {"c": [1], "d": 2}}"#) == digest(other), equal);
    }
}
