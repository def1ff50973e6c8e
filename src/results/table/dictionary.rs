//! The different texts of a piece of a column, and the natural order of those of all pieces.
//!
//! Most columns of texts have few different ones (wells, classes, plates): each is made ready for comparing once.

use crate::results::table::encoding::Encoding;
use crate::results::table::natural::push_key;
use rayon::slice::ParallelSliceMut as _;
use std::collections::HashMap;

/// The different texts of a piece while it is read.
#[derive(Default)]
pub(crate) struct Dictionary {
    numbers: HashMap<Vec<u8>, u32>,
    texts: Texts,
}

/// The different texts of a piece, made ready for comparing.
#[derive(Default)]
pub(crate) struct Texts {
    /// Keys in natural order, one after another.
    keys: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Dictionary {
    /// The number of a text in this piece.
    pub(crate) fn number(&mut self, text: &[u8], encoding: Encoding) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.ends.len()).unwrap_or(u32::MAX);
        push_key(&encoding.decode_cell(text), &mut self.texts.keys);
        let end = u32::try_from(self.texts.keys.len()).unwrap_or(u32::MAX);
        self.texts.ends.push(end);
        self.numbers.insert(text.to_vec(), number);
        number
    }

    /// Nothing more will be read.
    pub(crate) fn finish(mut self) -> Texts {
        self.texts.keys.shrink_to_fit();
        self.texts
    }
}

/// A text's key to compare by: its first eight bytes, then where the whole key is.
type Entry = (u64, u32, u32);

impl Texts {
    /// Bytes kept for comparing.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() + self.ends.len() * size_of::<u32>()
    }

    fn key(&self, number: u32) -> &[u8] {
        let at = number as usize;
        let start = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied();
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.keys
            .get(start.unwrap_or_default() as usize..end as usize)
            .unwrap_or_default()
    }

    /// For each text of each piece its place among those of all; texts that compare equal share one.
    pub(crate) fn places(pieces: &[&Self]) -> Vec<Vec<u32>> {
        let key = |entry: &Entry| {
            let piece = pieces.get(entry.1 as usize);
            piece.map_or(&[][..], |piece| piece.key(entry.2))
        };
        let mut entries: Vec<Entry> = (0_u32..)
            .zip(pieces)
            .flat_map(|(number, piece)| {
                (0_u32..)
                    .zip(&piece.ends)
                    .map(move |(text, _)| (beginning(piece.key(text)), number, text))
            })
            .collect();
        let compare = |a: &Entry, b: &Entry| a.0.cmp(&b.0).then_with(|| key(a).cmp(key(b)));
        entries.par_sort_unstable_by(compare);
        let mut places: Vec<Vec<u32>> = pieces
            .iter()
            .map(|piece| vec![0; piece.ends.len()])
            .collect();
        let mut place = 0_u32;
        let mut before: Option<&Entry> = None;
        for entry in &entries {
            place += u32::from(before.is_some_and(|before| compare(before, entry).is_ne()));
            before = Some(entry);
            let slot = places
                .get_mut(entry.1 as usize)
                .and_then(|piece| piece.get_mut(entry.2 as usize));
            if let Some(slot) = slot {
                *slot = place;
            }
        }
        places
    }
}

fn beginning(key: &[u8]) -> u64 {
    let mut bytes = [0_u8; 8];
    for (to, byte) in bytes.iter_mut().zip(key) {
        *to = *byte;
    }
    u64::from_be_bytes(bytes)
}
