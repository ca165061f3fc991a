//! The words of the language, as serde derives them: names of variants and of fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The names of all variants of an enum, or of all fields of a struct, in the order of their
/// declaration; none for any other type.
#[must_use]
pub fn words<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Deserialization ends with an error as soon as the names are known.
    let _ = T::deserialize(Asking(&mut names));
    names
}

/// Keeps the names that a type asks for, and has no value for it.
struct Asking<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asking<'_> {
    type Error = NoValue;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = variants;
        Err(NoValue)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = fields;
        Err(NoValue)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// There is no value to deserialize.
#[derive(Debug)]
struct NoValue;

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for NoValue {}

impl Error for NoValue {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::scenario::{ContainerOp, Exec};

    #[test]
    fn an_enum_has_variants_and_a_struct_has_fields() {
        let changes = ["start", "stop", "kill", "pause", "unpause", "restart"];
        assert_eq!(words::<ContainerOp>(), changes);
        assert_eq!(words::<Exec>(), ["container", "command", "exit", "detach"]);
        assert_eq!(words::<u32>(), [""; 0]);
    }
}
