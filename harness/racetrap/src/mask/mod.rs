//! Takes secrets out of whatever leaves a run: by structure first, then by pattern, failing closed.
//!
//! - [`Masker`]: puts the same mask for the same secret, so that what was equal stays equal;
//! - [`Hits`]: what was masked: places and rules, never a value;
//! - `document`: documents of a known kind; what is no such document is left out, with the reason;
//! - `tree`, `kubeconfig`, `docker_config`: the structures;
//! - `process`: environments and command lines;
//! - `text`, `assignment`: the patterns; `lines`: the same over the lines of a stream;
//! - `words`: names by which secrets are announced, and the variables that hold none;
//! - [`Place`]: where something stands, spelt only where something is found there;
//! - `record`: records, before they enter the history;
//! - `canary`: secrets that every world contains, so that a failure of the masking is noticed.
//!
//! A mask is `masked-` and a number. A text that is masked already stays as it is when it is masked
//! again, so whoever passes something on need not know where it comes from.

mod assignment;
pub(crate) mod canary;
mod docker_config;
mod document;
mod hits;
mod kubeconfig;
mod lines;
mod masker;
mod place;
mod process;
mod record;
mod text;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use document::DocumentKind;
pub(crate) use hits::Hits;
pub use hits::Masked;
#[cfg(test)]
pub(crate) use hits::Rule;
pub(crate) use lines::Lines;
pub(crate) use masker::Masker;
pub(crate) use place::Place;
pub use record::RecordMasker;
