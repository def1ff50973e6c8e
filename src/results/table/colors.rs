//! What colors the points of a plot: few different values are categories, many numbers a scale.

use crate::model::table::plot::PointColor;
use crate::results::table::natural::push_key;
use crate::results::table::number::Value;
use crate::results::table::sheet::Row;
use std::collections::HashMap;

/// Categories with a color of their own; the next stands for all others.
pub(crate) const MOST_GROUPS: usize = 11;

/// Different texts kept for a piece of the table; beyond, numbers are a scale and texts are among the others.
const MOST_TEXTS: usize = 256;

/// A cell as a color.
pub(crate) struct Color {
    text: String,
    number: f64,
}

impl Color {
    pub(crate) fn of(row: &Row<'_>, wanted: usize) -> Self {
        let number = match row.value(wanted) {
            Value::Number { value, .. } => value,
            Value::Missing | Value::Text(_) => f64::NAN,
        };
        let text = row.bytes(wanted).unwrap_or_default();
        Self {
            text: row.encoding.decode_cell(&text).into_owned(),
            number,
        }
    }
}

/// The colors of a piece of the table.
#[derive(Default)]
pub(crate) struct Colors {
    known: HashMap<String, u16>,
    names: Vec<(String, u64)>,
    text: Vec<u16>,
    number: Vec<f64>,
    texts: bool,
}

impl Colors {
    pub(crate) fn push(&mut self, color: Color) {
        self.texts |= color.number.is_nan() && !color.text.trim().is_empty();
        self.number.push(color.number);
        let known = self.known.get(&color.text).copied();
        let at = known.unwrap_or_else(|| {
            let at = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
            if usize::from(at) >= MOST_TEXTS {
                return u16::MAX;
            }
            self.known.insert(color.text.clone(), at);
            self.names.push((color.text, 0));
            at
        });
        if let Some(name) = self.names.get_mut(usize::from(at)) {
            name.1 += 1;
        }
        self.text.push(at);
    }

    /// The colors of all pieces, one after another.
    pub(crate) fn all(pieces: &[Self]) -> PointColor {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for (name, count) in pieces.iter().flat_map(|piece| &piece.names) {
            *counts.entry(name).or_default() += count;
        }
        let texts = pieces.iter().any(|piece| piece.texts);
        if !texts && counts.len() > MOST_GROUPS + 1 {
            return scale(pieces);
        }
        let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let others = names.len() > MOST_GROUPS + 1;
        names.truncate(if others { MOST_GROUPS } else { MOST_GROUPS + 1 });
        names.sort_by_cached_key(|(name, _)| {
            let mut key = Vec::new();
            push_key(name, &mut key);
            key
        });
        let last = u8::try_from(names.len()).unwrap_or(u8::MAX);
        let mut group = Vec::new();
        for piece in pieces {
            let places: Vec<u8> = piece
                .names
                .iter()
                .map(|(name, _)| {
                    let at = names.iter().position(|(known, _)| known == name);
                    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(last)
                })
                .collect();
            group.extend(
                piece
                    .text
                    .iter()
                    .map(|text| places.get(usize::from(*text)).copied().unwrap_or(last)),
            );
        }
        let mut names: Vec<String> = names
            .into_iter()
            .map(|(name, _)| {
                if name.trim().is_empty() {
                    "(empty)".to_owned()
                } else {
                    name.to_owned()
                }
            })
            .collect();
        if group.contains(&last) {
            names.push("all others".to_owned());
        }
        PointColor::Groups { group, names }
    }
}

fn scale(pieces: &[Colors]) -> PointColor {
    let numbers = || {
        let all = pieces.iter().flat_map(|piece| piece.number.iter().copied());
        all.filter(|number| number.is_finite())
    };
    let from = numbers().reduce(f64::min).unwrap_or(0.0);
    let to = numbers().reduce(f64::max).unwrap_or(1.0);
    let span = if to > from { to - from } else { 1.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 255; not a number becomes 0"
    )]
    let place = |number: f64| ((number - from) / span * 255.0).clamp(0.0, 255.0) as u8;
    PointColor::Scale {
        place: pieces
            .iter()
            .flat_map(|piece| piece.number.iter().map(|number| place(*number)))
            .collect(),
        from,
        to,
    }
}
