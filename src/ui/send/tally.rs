//! What there is to count in a draft: files, bytes, samples, and the jobs a target makes of them. Counted anew only when
//! the draft changes, as ten thousand files are too many to count in every frame.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::engine::snapshot::DraftView;
use crate::model::batch::Target;
use crate::model::provider::FanOut;

/// The counts of one draft.
#[derive(Debug, Default)]
pub struct Tally {
    /// Of which.
    draft: Arc<DraftView>,
    /// Files that will be sent: those without a problem.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// By sample column: how many different values the files that will be sent have, and how many files have none.
    values: BTreeMap<String, (usize, usize)>,
    /// Which lines of the file list no pattern and no imported table fits, in order.
    pub unmatched: Vec<usize>,
    /// Whether any line of the file list has something to say.
    pub has_problems: bool,
}

impl Tally {
    /// Counts again when the draft is another one.
    pub fn follow(&mut self, draft: &Arc<DraftView>) {
        if Arc::ptr_eq(&self.draft, draft) {
            return;
        }
        *self = Self::of(draft);
    }

    fn of(draft: &Arc<DraftView>) -> Self {
        let samples = &draft.samples;
        let mut tally = Self {
            draft: draft.clone(),
            ..Self::default()
        };
        let mut values: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
        let unmatched: BTreeSet<&Path> = samples.unmatched.iter().map(AsRef::as_ref).collect();
        for (at, listed) in draft.files.iter().enumerate() {
            if listed.problem.is_some() {
                tally.has_problems = true;
                continue;
            }
            tally.files += 1;
            tally.bytes += listed.file.size_bytes;
            if unmatched.contains(listed.file.path.as_path()) {
                tally.unmatched.push(at);
            }
            let row = samples.rows.get(&listed.file.path);
            for column in &samples.columns {
                let (values, without) = values.entry(column).or_default();
                match row.and_then(|row| row.get(column)) {
                    Some(value) => {
                        values.insert(value);
                    }
                    None => *without += 1,
                }
            }
        }
        tally.has_problems |= !tally.unmatched.is_empty();
        tally.values = values
            .into_iter()
            .map(|(column, (values, without))| (column.to_owned(), (values.len(), without)))
            .collect();
        tally
    }

    /// How many different values a sample column has; none when there is no such column or nothing in it.
    pub fn values(&self, column: Option<&str>) -> Option<usize> {
        let (values, _) = self.values.get(column?)?;
        (*values > 0).then_some(*values)
    }

    /// How many files have no value in a sample column.
    pub fn without(&self, column: Option<&str>) -> usize {
        let known = column.and_then(|column| self.values.get(column));
        known.map_or(0, |(_, without)| *without)
    }

    /// How many jobs a target makes.
    pub fn jobs(&self, target: &Target) -> usize {
        let inputs = if target.existing.is_empty() {
            self.files
        } else {
            target.existing.len()
        };
        match target.fan_out {
            FanOut::AllInOne | FanOut::BatchPerFile | FanOut::BatchPerSample => 1,
            FanOut::OnePerFile => inputs,
            FanOut::OnePerSample if !target.existing.is_empty() => 1,
            FanOut::OnePerSample => self
                .values(target.sample_column.as_deref())
                .unwrap_or_default(),
        }
    }
}
