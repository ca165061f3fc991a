//! What a search has found and covered over time, as a picture.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::search::ways;
use crate::search::Progressed;

/// Size of the picture in its own units; the page stretches it.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// Between the lowest and the highest value and the edges.
const ROOM: f64 = 5.0;

/// The picture, with the numbers at its end; nothing if nothing was covered. `seconds` is the time of all
/// searches, and `pairs` how much could be covered.
pub(super) fn curve(points: &[Progressed], seconds: f64, pairs: usize) -> Markup {
    let Some(last) = points.last() else { return html! {} };
    let line = |value: fn(&Progressed) -> usize, most: usize| {
        steps(points.iter().map(|point| (point.seconds, value(point))), seconds, most)
    };
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    html! {
        figure.curve {
            svg viewBox=(view) preserveAspectRatio="none" role="img"
                aria-label="what was covered and found over time" {
                path.covered d=(line(|point| point.pairs, pairs)) {}
                path.found d=(line(|point| point.failures, last.failures)) {}
            }
            figcaption {
                span.covered { (last.pairs) " of " (pairs) " pairs covered" }
                span.found { (ways(last.failures)) " found" }
                span { "over the time of the searches →" }
            }
        }
    }
}

/// A line that goes up in steps. `most` is its highest value.
#[expect(clippy::cast_precision_loss, reason = "a picture has few pixels")]
fn steps(values: impl Iterator<Item = (f64, usize)>, seconds: f64, most: usize) -> String {
    let x = |at: f64| if seconds > 0.0 { (at / seconds).min(1.0) * WIDTH } else { 0.0 };
    // Some room, so that the line is not cut at its ends.
    let y =
        |value: usize| HEIGHT - ROOM - value as f64 / most.max(1) as f64 * (HEIGHT - 2.0 * ROOM);
    let mut path = format!("M0 {:.1}", y(0));
    let mut last = 0;
    for (at, value) in values.filter(|(_, value)| std::mem::replace(&mut last, *value) != *value) {
        let _ = write!(path, "H{:.1}V{:.1}", x(at), y(value));
    }
    path + &format!("H{WIDTH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Two values in the first half of the time, one of them twice; the line goes on to the end.
    #[test]
    fn the_line_goes_up_in_steps_and_on_to_the_end() {
        let path = steps([(25.0, 1), (30.0, 1), (50.0, 2)].into_iter(), 100.0, 2);
        assert_eq!(path, "M0 95.0H250.0V50.0H500.0V5.0H1000");
        assert_eq!(steps(std::iter::empty(), 0.0, 0), "M0 95.0H1000");
    }
}
