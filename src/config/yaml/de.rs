//! Reads the schema's types out of a tree.

use std::rc::Rc;
use std::slice::Iter;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::de_error::DeError;
use super::tree::{Slot, TreeKind, TreeNode};
use crate::config::problem::Step;

impl<'de> de::Deserializer<'de> for &TreeNode {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.kind {
            TreeKind::List(slots) => visitor.visit_seq(Slots::new(slots)),
            TreeKind::Map(slots) => {
                let mut slots = Slots::new(slots);
                visitor.visit_map(&mut slots).map_err(|fault| match slots.current {
                    Some(slot) if fault.twice && fault.mark.is_none() => {
                        fault.inside(slot, slot.at, slot.key.as_str().into())
                    }
                    _ => fault,
                })
            }
            TreeKind::Scalar { text, plain: false } => visitor.visit_str(text),
            TreeKind::Scalar { text, plain: true } => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => visitor.visit_unit(),
                "true" | "True" | "TRUE" => visitor.visit_bool(true),
                "false" | "False" | "FALSE" => visitor.visit_bool(false),
                text => match text.parse::<serde_yaml::Number>() {
                    Ok(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                        (Some(number), ..) => visitor.visit_u64(number),
                        (_, Some(number), _) => visitor.visit_i64(number),
                        (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
                    },
                    Err(_) => visitor.visit_str(text),
                },
            },
        }
    }

    /// Text is taken as it is written, whatever type it would be by itself: `4.10` stays `4.10`.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.kind {
            TreeKind::Scalar { text, .. } => visitor.visit_str(text),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.kind {
            TreeKind::Scalar { text, plain: true }
                if matches!(&**text, "" | "~" | "null" | "Null" | "NULL") =>
            {
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        if self.is_blank() { visitor.visit_seq(Slots::new(&[])) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.kind {
            _ if self.is_blank() => visitor.visit_map(Slots::new(&[])),
            // serde would take a list for a struct whose keys are left out.
            TreeKind::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match &self.kind {
            TreeKind::Scalar { text, .. } => {
                let word: StrDeserializer<'_, DeError> = text.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct ignored_any
    }
}

struct Slots<'t> {
    rest: std::iter::Enumerate<Iter<'t, Rc<Slot>>>,
    current: Option<&'t Slot>,
}

impl<'t> Slots<'t> {
    fn new(slots: &'t [Rc<Slot>]) -> Self {
        Self { rest: slots.iter().enumerate(), current: None }
    }

    fn next(&mut self) -> Option<(usize, &'t Slot)> {
        let (index, slot) = self.rest.find(|(_, slot)| !slot.dropped.get())?;
        self.current = Some(slot);
        Some((index, slot))
    }
}

impl<'de> de::SeqAccess<'de> for Slots<'_> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let Some((index, slot)) = self.next() else { return Ok(None) };
        let value = seed.deserialize(&*slot.value);
        value.map(Some).map_err(|fault| fault.inside(slot, slot.at, Step::Index(index)))
    }
}

impl<'de> de::MapAccess<'de> for Slots<'_> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let Some((_, slot)) = self.next() else { return Ok(None) };
        let key: StrDeserializer<'_, DeError> = slot.key.as_str().into_deserializer();
        let key = match slot.first {
            Some(first) => Err(DeError::new(
                "the key is given twice",
                format!("keep one; the first is on line {}", first.line),
            )),
            None => seed.deserialize(key).map(Some),
        };
        key.map_err(|fault| fault.inside(slot, slot.at, slot.key.as_str().into()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let slot = self.current.ok_or_else(|| DeError::new("a value without a key", "report this"))?;
        let value = seed.deserialize(&*slot.value);
        value.map_err(|fault| fault.inside(slot, slot.place(), slot.key.as_str().into()))
    }
}
