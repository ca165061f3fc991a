//! The look of an item.

/// The look of an item, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::timeline) enum Tone {
    /// Something that is in progress.
    Plain,
    /// Something that another item shows as well.
    Faint,
    /// Something that is there, or a condition that is true.
    Good,
    /// Something that is off, or a condition that is false, and may be.
    Off,
    /// A warning, or a condition that is neither true nor false.
    Doubt,
    /// A violation, a failure, or an unexpected end.
    Bad,
    /// A step of the scenario that brings the finding about.
    Fault,
    /// A message that is held at a gate.
    Held,
    /// Something new.
    Added,
    /// Something that changed.
    Changed,
    /// Something that was removed.
    Removed,
}

impl Tone {
    /// The name in the page's style sheet and script, and in the trace.
    pub(in crate::timeline) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Faint => "faint",
            Self::Good => "good",
            Self::Off => "off",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
            Self::Fault => "fault",
            Self::Held => "held",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
