//! One fault a file, its test beside it. `README.md` of this package teaches how to add one.

pub(crate) mod answer;
pub(crate) mod cut;
pub(crate) mod refuse;
