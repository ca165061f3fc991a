//! Mirrors: what the engine's objects must look like in the API, and what is seen there.
//!
//! - [`fields`]: the one table of a mirror's fields, and how each is compared;
//! - [`key`]: which object a mirror stands for; [`object`]: a mirror as the API shows it;
//! - [`expected`]: the mirrors that the engine's objects must have, and differences between both;
//! - [`time`]: times as the API writes them.
//!
//! A mirror is recognised by what it says of its object (`status`), not by its name: names differ
//! between revisions of the contract, what is mirrored does not (contract 3.6).

mod expected;
mod fields;
mod key;
mod object;
mod time;

pub(crate) use expected::compare_with;
pub use expected::{compare, expected};
pub(crate) use fields::field_form;
pub use fields::{Form, MirrorField, Treatment, mirror_fields};
pub use key::MirrorKey;
pub(crate) use key::short;
pub(crate) use object::MIRROR_FINALIZER;
pub use object::Mirror;
pub(crate) use time::unix_seconds;
