//! One fault a file, its test beside it. `README.md` of this package teaches how to add one.

pub(crate) mod answer;
pub(crate) mod cut;
pub(crate) mod drop;
pub(crate) mod duplicate;
pub(crate) mod half_open;
pub(crate) mod inject;
pub(crate) mod lose;
pub(crate) mod record;
pub(crate) mod refuse;
pub(crate) mod reorder;
pub(crate) mod replace;
pub(crate) mod rewrite;
pub(crate) mod slow;
pub(crate) mod stale;
pub(crate) mod truncate;
