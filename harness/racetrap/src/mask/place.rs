//! Where something stands.

use std::fmt;

/// A place in a document, as a JSON pointer (RFC 6901), or in a text, by its line. It is a chain on the
/// stack, and spelt only where something is found: most places hold no secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Root(&'a str),
    Field(&'a str),
    Item(usize),
    Line(usize),
}

impl<'a> Place<'a> {
    /// A whole document.
    pub(crate) const ROOT: Place<'static> = Place { above: None, part: Part::Root("") };

    /// A part of a document that has a name of its own, such as the path of its file.
    pub(crate) fn named(name: &'a str) -> Self {
        Self { above: None, part: Part::Root(name) }
    }

    /// What stands below it under a name.
    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), part: Part::Field(name) }
    }

    /// What stands in it at an index, from 0.
    pub(crate) fn item(&'a self, index: usize) -> Self {
        Self { above: Some(self), part: Part::Item(index) }
    }

    /// A line of it, from 1.
    pub(crate) fn line(&'a self, number: usize) -> Self {
        Self { above: Some(self), part: Part::Line(number) }
    }

    /// The line of `text`, which stands here, that has the byte at `offset`; the place itself, where
    /// the text has one line.
    pub(super) fn line_of(&'a self, text: &str, offset: usize) -> Self {
        if !text.contains('\n') {
            return *self;
        }
        let before = text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count();
        self.line(before + 1)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match self.part {
            Part::Root(name) => f.write_str(name),
            Part::Field(name) => {
                write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Part::Item(index) => write!(f, "/{index}"),
            Part::Line(number) => write!(f, ":{number}"),
        }
    }
}
