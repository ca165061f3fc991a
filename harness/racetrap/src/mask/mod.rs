//! Masks the secrets in everything that leaves a run: first by the structure of a document, then by
//! patterns in its texts. A document that cannot be parsed is left out, because nothing could find
//! its secrets.
//!
//! - `Masker`: replaces a secret by its mask; equal secrets get equal masks;
//! - `Hits`: what was masked: locations and rules, never a value;
//! - `document`: documents of a known kind;
//! - `tree`, `kubeconfig`, `docker_config`: the structures;
//! - `process`: environments and command lines;
//! - `text`, `assignment`: the patterns; `lines`: the lines of a stream, for secrets of several
//!   lines;
//! - `words`: names that announce a secret, and variables that hold none;
//! - `ValueDigests`: digests that compare values without showing them;
//! - `Location`: where a value is in a document;
//! - `record`: records, before they enter the history;
//! - `canary`: secrets that are planted in every world, so that a failure of the masking is
//!   noticed.
//!
//! A mask is `masked-` and a number. Masking a masked text again does not change it, so a caller
//! need not know whether a text was masked already.

mod assignment;
pub(crate) mod canary;
mod digest;
mod docker_config;
mod document;
mod hits;
mod kubeconfig;
mod lines;
mod location;
mod masker;
mod process;
mod record;
mod text;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use digest::ValueDigests;
pub(crate) use document::DocumentKind;
pub(crate) use hits::Hits;
pub use hits::Masked;
#[cfg(test)]
pub(crate) use hits::Rule;
pub(crate) use lines::LineMasker;
pub(crate) use location::Location;
pub(crate) use masker::Masker;
pub use record::RecordMasker;
