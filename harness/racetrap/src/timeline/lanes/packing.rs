//! Puts items that may overlap into rows.

use super::{Item, Row};

/// Puts groups of items into as few rows as possible, so that no two groups of a row overlap. All
/// items of a group are within its first item. Only the first row has the title.
pub(super) fn pack(title: &str, mut groups: Vec<Vec<Item>>) -> Vec<Row> {
    // Each row with the time from which it is free.
    let mut rows: Vec<(u64, Vec<Item>)> = Vec::new();
    // Sorted by their beginning, each group fits into the first row that is free by then.
    groups.sort_by_key(|group| group.first().map(|first| (first.from.us, first.from.seq)));
    for group in groups {
        let Some(first) = group.first() else { continue };
        let from = first.from.us;
        let to = first.to.map_or(from, |to| to.us);
        match rows.iter_mut().find(|(free, _)| *free <= from) {
            // A group may begin at the instant at which another one ends.
            Some((free, items)) => {
                *free = to;
                items.extend(group);
            }
            None => rows.push((to, group)),
        }
    }
    let titles = std::iter::once(title).chain(std::iter::repeat(""));
    rows.into_iter().zip(titles).map(|((_, items), title)| Row::new(title, items)).collect()
}
