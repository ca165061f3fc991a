//! The Content-Security-Policy of a page: it may use its own script and style, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::Render;
use sha2::{Digest as _, Sha256};

/// A script or a style sheet that is inserted into a page without escaping.
pub(crate) struct Inline(pub(crate) &'static str);

impl Render for Inline {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(self.0);
    }
}

/// A policy by which the browser fetches nothing, and accepts only this style sheet and this
/// script, by their hashes. A text that became markup by mistake could neither run code nor load
/// anything.
pub(crate) fn policy(style: &Inline, script: Option<&Inline>) -> String {
    let hash = |inline: &Inline| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inline.0)));
    let script = script.map_or_else(|| "'none'".to_owned(), hash);
    format!(
        "default-src 'none'; script-src {script}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(style)
    )
}
