//! A sparse index of the rows of a text: where some of them begin.

/// Marks are at least so many rows apart, so that finding a row from a mark reads little and remembering marks costs little.
const MARK_ROWS: u64 = 1_024;

/// Marks are at least so many bytes apart.
const MARK_BYTES: u64 = 64 << 10;

/// So many marks at most, whatever the size of the file.
const MOST_MARKS: u64 = 1 << 20;

/// Where a row begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// In bytes from the beginning of the file.
    pub offset: u64,
    /// Which row, from 0.
    pub row: u64,
    /// Which line, from 0.
    pub line: u64,
    /// Whether that line began in an earlier row.
    pub continues: bool,
}

impl Mark {
    /// How many lines have begun before it.
    pub(super) fn lines(self) -> u64 {
        self.line + u64::from(self.continues)
    }
}

/// Rows one after the other, as the index wants to know them.
pub(super) struct Run {
    from: Mark,
    marks: Vec<Mark>,
    certain: Mark,
    end: Mark,
}

impl Run {
    pub(super) fn from(from: Mark) -> Self {
        Self {
            from,
            marks: Vec::new(),
            certain: from,
            end: from,
        }
    }

    /// One row more, by the mark behind it.
    pub(super) fn reach(&mut self, mark: Mark) {
        self.certain = self.end;
        self.end = mark;
        let last = self.marks.last().unwrap_or(&self.from);
        if mark.row >= last.row + MARK_ROWS {
            self.marks.push(mark);
        }
    }
}

/// The marks, in order; the first is the beginning.
#[derive(Debug)]
pub(super) struct Index {
    marks: Vec<Mark>,
    /// Behind the last row that is certain: the last row of the file may go on when the file grows.
    certain: Mark,
    /// Behind the last row known.
    end: Mark,
    size_bytes: u64,
    is_complete: bool,
}

impl Index {
    pub(super) fn new(start: u64, size_bytes: u64) -> Self {
        let start = Mark {
            offset: start,
            ..Mark::default()
        };
        Self {
            marks: vec![start],
            certain: start,
            end: start,
            size_bytes,
            is_complete: start.offset >= size_bytes,
        }
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Behind the last row known.
    pub(super) fn end(&self) -> Mark {
        self.end
    }

    /// Takes in rows that follow what is known. Rows of which that is not true any more are left out.
    pub(super) fn extend(&mut self, run: &Run) {
        if run.from != self.end || run.from == run.end {
            return;
        }
        let apart = MARK_BYTES.max(self.size_bytes / MOST_MARKS);
        for mark in &run.marks {
            let last = self.marks.last().copied().unwrap_or_default();
            if mark.row >= last.row + MARK_ROWS && mark.offset >= last.offset + apart {
                self.marks.push(*mark);
            }
        }
        self.certain = run.certain;
        self.end = run.end;
    }

    /// All rows are known of a file of this size; it may have grown meanwhile.
    pub(super) fn complete(&mut self, size_bytes: u64) {
        self.is_complete = size_bytes == self.size_bytes;
    }

    /// The file has grown: its last row is looked at again.
    pub(super) fn grow(&mut self, size_bytes: u64) {
        self.size_bytes = size_bytes;
        self.is_complete = false;
        self.end = self.certain;
        let end = self.end.offset;
        while self.marks.len() > 1 && self.marks.last().is_some_and(|mark| mark.offset > end) {
            self.marks.pop();
        }
    }

    /// The last mark not behind this row.
    pub(super) fn before_row(&self, row: u64) -> Mark {
        self.before(|mark| mark.row <= row)
    }

    /// The last mark whose line is before this one or begins there.
    pub(super) fn before_line(&self, line: u64) -> Mark {
        self.before(|mark| mark.line < line || (mark.line == line && !mark.continues))
    }

    /// The last mark not behind this byte.
    pub(super) fn before_offset(&self, offset: u64) -> Mark {
        self.before(|mark| mark.offset <= offset)
    }

    fn before(&self, is_before: impl Fn(&Mark) -> bool) -> Mark {
        let behind = self.marks.partition_point(is_before);
        let at = behind.saturating_sub(1);
        self.marks.get(at).copied().unwrap_or_default()
    }
}
