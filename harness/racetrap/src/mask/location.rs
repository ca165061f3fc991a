//! Where a value is in a document or a text.

use std::fmt;

/// A location in a document, as a JSON pointer (RFC 6901), or in a text, by its line. It is a
/// linked list on the stack and becomes text only when it is displayed, because most locations hold
/// no secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location<'a> {
    above: Option<&'a Location<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Root(&'a str),
    Field(&'a str),
    Item(usize),
    Line(usize),
}

impl<'a> Location<'a> {
    /// The root of a document.
    pub(crate) const ROOT: Location<'static> = Location { above: None, part: Part::Root("") };

    /// The root of one of several documents, by a name such as a process ID.
    pub(crate) fn named(name: &'a str) -> Self {
        Self { above: None, part: Part::Root(name) }
    }

    /// The field `name` of the object that is here.
    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), part: Part::Field(name) }
    }

    /// The item at an index, from 0, of the array that is here.
    pub(crate) fn item(&'a self, index: usize) -> Self {
        Self { above: Some(self), part: Part::Item(index) }
    }

    /// A line, from 1, of the text that is here.
    pub(crate) fn line(&'a self, number: usize) -> Self {
        Self { above: Some(self), part: Part::Line(number) }
    }

    /// The line with the byte at `offset` of `text`, which is the text here. If the text has only
    /// one line, this location itself.
    pub(super) fn line_of(&'a self, text: &str, offset: usize) -> Self {
        if !text.contains('\n') {
            return *self;
        }
        let before = text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count();
        self.line(before + 1)
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match self.part {
            Part::Root(name) => f.write_str(name),
            Part::Field(name) => {
                // Escapes of RFC 6901.
                write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Part::Item(index) => write!(f, "/{index}"),
            Part::Line(number) => write!(f, ":{number}"),
        }
    }
}
