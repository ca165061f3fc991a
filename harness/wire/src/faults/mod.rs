//! One fault a file: the method of `Wire` that arms it, and what it does to one message. The README
//! of this package describes how to add one.
//!
//! The tests of a fault are in the file of the same name in `tests/wire/`, from outside of the
//! wire. `record` has none of its own: `stale.rs` there tests the two together.

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
