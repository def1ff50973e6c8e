//! Which parts of a file are here, when they do not come from front to back.

use serde::{Deserialize, Serialize};

/// From the first of these bytes to before the second.
pub(super) type Range = (u64, u64);

/// Ranges of a file that are here: in order, none empty, none touching another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ranges(Vec<Range>);

impl Ranges {
    /// The first so many bytes.
    pub(super) fn prefix_of(length: u64) -> Self {
        let mut ranges = Self::default();
        ranges.add((0, length));
        ranges
    }

    /// As it was read from a disk: whether it can be true of a file of this length.
    pub(super) fn is_sound(&self, total: u64) -> bool {
        let mut least = None;
        self.0.iter().all(|(start, end)| {
            let follows = least.is_none_or(|least| *start > least);
            least = Some(*end);
            follows && start < end && *end <= total
        })
    }

    pub(super) fn add(&mut self, (start, end): Range) {
        if start >= end {
            return;
        }
        let (mut first, mut last) = (start, end);
        self.0.retain(|(start, end)| {
            let is_apart = *end < first || *start > last;
            if !is_apart {
                first = first.min(*start);
                last = last.max(*end);
            }
            is_apart
        });
        let place = self.0.partition_point(|(start, _end)| *start < first);
        self.0.insert(place, (first, last));
    }

    /// How many bytes are here from the first on.
    pub(super) fn prefix(&self) -> u64 {
        match self.0.first() {
            Some((0, end)) => *end,
            Some(_) | None => 0,
        }
    }

    /// How many are here at all.
    pub(super) fn bytes(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// What is missing, in pieces no longer than this.
    pub(super) fn missing(&self, total: u64, piece: u64) -> Vec<Range> {
        let piece = piece.max(1);
        let mut missing = Vec::new();
        let mut from = 0;
        for (start, end) in self.0.iter().copied().chain([(total, total)]) {
            while from < start {
                let to = start.min(from.saturating_add(piece));
                missing.push((from, to));
                from = to;
            }
            from = end;
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_no_longer_missing() {
        let mut chance = fastrand::Rng::with_seed(7);
        for _ in 0..500 {
            let total = chance.u64(1..60);
            let mut here = vec![false; usize::try_from(total).unwrap()];
            let mut ranges = Ranges::default();
            for _ in 0..chance.usize(0..12) {
                let start = chance.u64(0..total);
                let end = chance.u64(start..=total);
                ranges.add((start, end));
                for at in start..end {
                    here[usize::try_from(at).unwrap()] = true;
                }
                assert!(ranges.is_sound(total), "{ranges:?}");
            }
            let count = here.iter().filter(|here| **here).count();
            assert_eq!(ranges.bytes(), count as u64);
            let prefix = here.iter().take_while(|here| **here).count();
            assert_eq!(ranges.prefix(), prefix as u64);
            for (start, end) in ranges.missing(total, 5) {
                assert!(start < end && end - start <= 5);
                for at in start..end {
                    let here = &mut here[usize::try_from(at).unwrap()];
                    assert!(!*here);
                    *here = true;
                }
            }
            assert!(here.iter().all(|here| *here));
        }
    }

    #[test]
    fn what_cannot_be_true_is_not_believed() {
        for (text, is_sound) in [
            ("[]", true),
            ("[[0,10]]", true),
            ("[[0,3],[5,10]]", true),
            ("[[0,11]]", false),
            ("[[5,10],[0,3]]", false),
            ("[[0,5],[4,10]]", false),
            ("[[3,3]]", false),
            ("[[4,3]]", false),
        ] {
            let ranges: Ranges = serde_json::from_str(text).unwrap();
            assert_eq!(ranges.is_sound(10), is_sound, "{text}");
        }
    }
}
