//! Counting the values of one column, piece by piece: exactly while it fits, estimated beyond.
//!
//! Different values beyond [`MOST_DISTINCT`] are estimated by `HyperLogLog` (Flajolet and others 2007; 2^14 registers, relative
//! standard error 0.8 %), the median of more than [`MOST_NUMBERS`] numbers by a t-digest (Dunning 2019).

use crate::results::table::encoding::Encoding;
use crate::results::table::number::{Value, ordered};
use datasketches::hll::{HllSketch, HllType, HllUnion};
use datasketches::tdigest::TDigestMut;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// Different values of a column that are counted exactly.
pub(crate) const MOST_DISTINCT: usize = 50_000;

/// Bytes of different texts that are kept.
const MOST_TEXT_BYTES: usize = 4 << 20;

/// Numbers kept for exact medians, over all columns described at once.
pub(crate) const MOST_NUMBERS: usize = 4_000_000;

/// Registers of the estimate of different values, as a power of two.
const REGISTERS: u8 = 14;

/// Compression of the t-digest; a median is off by about a thousandth of the rows at worst.
const COMPRESSION: u16 = 200;

/// What all pieces of a column know: whether exact counting was given up.
#[derive(Default)]
pub(crate) struct Shared {
    estimate_distinct: AtomicBool,
    estimate_middle: AtomicBool,
}

/// What was counted of a column.
pub(crate) struct Tally {
    pub(crate) missing: u64,
    pub(crate) numbers: u64,
    /// Those of them that are whole, `3.0` among them.
    pub(crate) whole: u64,
    pub(crate) texts: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) sum: f64,
    pub(crate) distinct: Distinct,
    pub(crate) middle: Middle,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            missing: 0,
            numbers: 0,
            whole: 0,
            texts: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
            distinct: Distinct::Exact {
                numbers: HashSet::new(),
                texts: HashMap::new(),
                text_bytes: 0,
            },
            middle: Middle::Exact(Vec::new()),
        }
    }
}

impl Tally {
    /// Counts a cell. `columns` are described at once and share the memory for numbers.
    pub(crate) fn add(
        &mut self,
        value: &Value<'_>,
        encoding: Encoding,
        shared: &Shared,
        columns: usize,
    ) {
        if shared.estimate_distinct.load(Ordering::Relaxed) {
            self.distinct.estimate();
        }
        match value {
            Value::Missing => self.missing += 1,
            Value::Number { value, .. } => {
                self.numbers += 1;
                self.whole += u64::from(value.fract() == 0.0);
                self.min = self.min.min(*value);
                self.max = self.max.max(*value);
                self.sum += value;
                self.distinct.add_number(*value);
                if shared.estimate_middle.load(Ordering::Relaxed) {
                    self.middle.estimate();
                }
                self.middle.add(*value);
                self.middle.bound(MOST_NUMBERS / columns.max(1), shared);
            }
            Value::Text(bytes) => {
                self.texts += 1;
                self.distinct.add_text(&encoding.decode_cell(bytes), 1);
            }
        }
        self.distinct.bound(shared);
    }

    /// Adds what another piece counted, but for the sum.
    pub(crate) fn merge(&mut self, other: Self, shared: &Shared, columns: usize) {
        self.missing += other.missing;
        self.numbers += other.numbers;
        self.whole += other.whole;
        self.texts += other.texts;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.distinct.merge(other.distinct);
        self.distinct.bound(shared);
        self.middle.merge(other.middle);
        self.middle.bound(MOST_NUMBERS / columns.max(1), shared);
    }
}

/// The different values of a column.
pub(crate) enum Distinct {
    Exact {
        /// By their place in the order of numbers.
        numbers: HashSet<u64>,
        texts: HashMap<String, u64>,
        text_bytes: usize,
    },
    Estimated(Box<HllSketch>),
}

impl Distinct {
    fn add_number(&mut self, value: f64) {
        match self {
            Self::Exact { numbers, .. } => {
                numbers.insert(ordered(value));
            }
            Self::Estimated(sketch) => sketch.update(ordered(value)),
        }
    }

    fn add_text(&mut self, text: &str, times: u64) {
        match self {
            Self::Exact {
                texts, text_bytes, ..
            } => {
                if let Some(count) = texts.get_mut(text) {
                    *count += times;
                } else {
                    *text_bytes += text.len();
                    texts.insert(text.to_owned(), times);
                }
            }
            Self::Estimated(sketch) => sketch.update(text),
        }
    }

    /// Gives exact counting up when there is too much to keep, and tells all pieces.
    fn bound(&mut self, shared: &Shared) {
        if let Self::Exact {
            numbers,
            texts,
            text_bytes,
        } = self
            && (numbers.len() + texts.len() > MOST_DISTINCT || *text_bytes > MOST_TEXT_BYTES)
        {
            shared.estimate_distinct.store(true, Ordering::Relaxed);
            self.estimate();
        }
    }

    #[expect(
        clippy::iter_over_hash_type,
        reason = "a sketch is the same in any order"
    )]
    fn estimate(&mut self) {
        let Self::Exact { numbers, texts, .. } = self else {
            return;
        };
        let Ok(mut sketch) = HllSketch::new(REGISTERS, HllType::Hll8) else {
            return;
        };
        for number in numbers.iter() {
            sketch.update(*number);
        }
        for text in texts.keys() {
            sketch.update(text.as_str());
        }
        *self = Self::Estimated(Box::new(sketch));
    }

    #[expect(
        clippy::iter_over_hash_type,
        reason = "counting is the same in any order"
    )]
    fn merge(&mut self, other: Self) {
        match other {
            Self::Exact { numbers, texts, .. } => {
                match self {
                    Self::Exact { numbers: mine, .. } => mine.extend(numbers),
                    Self::Estimated(sketch) => {
                        for number in numbers {
                            sketch.update(number);
                        }
                    }
                }
                for (text, times) in texts {
                    self.add_text(&text, times);
                }
            }
            Self::Estimated(theirs) => {
                self.estimate();
                if let Self::Estimated(mine) = self
                    && let Ok(mut union) = HllUnion::new(REGISTERS)
                {
                    union.update(mine);
                    union.update(&theirs);
                    **mine = union.to_sketch(HllType::Hll8);
                }
            }
        }
    }

    /// How many, and whether that is exact.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a count"
    )]
    pub(crate) fn count(&self) -> (u64, bool) {
        match self {
            Self::Exact { numbers, texts, .. } => ((numbers.len() + texts.len()) as u64, true),
            Self::Estimated(sketch) => (sketch.estimate().round() as u64, false),
        }
    }

    /// The texts with their counts, while they were counted exactly.
    pub(crate) fn texts(self) -> Vec<(String, u64)> {
        match self {
            Self::Exact { texts, .. } => texts.into_iter().collect(),
            Self::Estimated(_) => Vec::new(),
        }
    }
}

/// The numbers of a column, for their median.
pub(crate) enum Middle {
    Exact(Vec<f64>),
    Estimated(Box<TDigestMut>),
}

impl Middle {
    fn add(&mut self, value: f64) {
        match self {
            Self::Exact(numbers) => numbers.push(value),
            Self::Estimated(sketch) => sketch.update(value),
        }
    }

    fn bound(&mut self, most: usize, shared: &Shared) {
        if let Self::Exact(numbers) = self
            && numbers.len() > most
        {
            shared.estimate_middle.store(true, Ordering::Relaxed);
            self.estimate();
        }
    }

    fn estimate(&mut self) {
        if let Self::Exact(numbers) = self
            && let Ok(mut sketch) = TDigestMut::new(COMPRESSION)
        {
            for number in numbers.iter() {
                sketch.update(*number);
            }
            *self = Self::Estimated(Box::new(sketch));
        }
    }

    fn merge(&mut self, other: Self) {
        match other {
            Self::Exact(numbers) => numbers.into_iter().for_each(|number| self.add(number)),
            Self::Estimated(theirs) => {
                self.estimate();
                if let Self::Estimated(mine) = self {
                    mine.merge(&theirs);
                }
            }
        }
    }

    /// The median, and whether it is exact. Of an even count it is the mean of the two in the middle.
    pub(crate) fn median(self) -> (f64, bool) {
        match self {
            Self::Exact(mut numbers) => {
                let middle = numbers.len() / 2;
                if numbers.is_empty() {
                    return (f64::NAN, true);
                }
                let even = numbers.len().is_multiple_of(2);
                let (below, upper, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
                let upper = *upper;
                let lower = below.iter().copied().max_by(f64::total_cmp);
                match lower {
                    Some(lower) if even => (f64::midpoint(lower, upper), true),
                    Some(_) | None => (upper, true),
                }
            }
            Self::Estimated(mut sketch) => {
                let median = sketch.quantile(0.5).ok().flatten();
                (median.unwrap_or(f64::NAN), false)
            }
        }
    }
}
