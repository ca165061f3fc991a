//! What a page may do: run and look as it was written, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::Render;
use sha2::{Digest as _, Sha256};

/// A script or a style that stands in a page as it is.
pub(crate) struct Inline(pub(crate) &'static str);

impl Render for Inline {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(self.0);
    }
}

/// The page's Content-Security-Policy: nothing is fetched, and of what stands in the page only these
/// two are taken.
pub(crate) fn policy(style: &Inline, script: Option<&Inline>) -> String {
    let hash = |inline: &Inline| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inline.0)));
    let script = script.map_or_else(|| "'none'".to_owned(), hash);
    format!(
        "default-src 'none'; script-src {script}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(style)
    )
}
