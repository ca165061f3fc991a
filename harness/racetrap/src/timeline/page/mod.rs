//! The timeline of a run as one page, which a browser opens from disk without any request to a
//! network.
//!
//! - `markup`: the page as it is before its script runs; `summary`: its upper part;
//! - `words`: a sentence for each word that a reader may not know;
//! - `beside`: the files to which the page leads; `places`: the lines in them;
//! - `data`: the JSON that the script draws; `names`: short names of objects in it;
//! - `script/` and the style sheets: inserted into the page as they are.

mod beside;
mod data;
mod markup;
mod names;
mod places;
mod summary;
mod words;

pub use beside::Beside;
pub use markup::timeline_page;
pub(crate) use words::meaning;
