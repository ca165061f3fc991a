//! The timeline of a run as one page, which a browser opens from disk without any request to a
//! network.
//!
//! - `markup`: the page as it is before its script runs;
//! - `data`: the JSON that the script draws;
//! - `script/`, `page.css`: inserted into the page as they are.

mod data;
mod markup;

pub use markup::timeline_page;
