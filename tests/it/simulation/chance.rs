//! Everything a life draws, one small number after the other, step by step. They are recorded, so that the same life can
//! be led again with some steps left out.

/// Where the numbers come from.
enum Source {
    /// From a seed.
    Seed(fastrand::Rng),
    /// As told, by step; zeros when those of a step are used up.
    Told(Vec<Vec<u8>>),
}

/// Draws the numbers. In each question 0 is the quietest answer: nothing goes wrong, nobody does anything.
pub(super) struct Chance {
    source: Source,
    /// What was drawn so far, by step.
    pub(super) drawn: Vec<Vec<u8>>,
    /// Whether nothing is drawn any more and every answer is the quietest.
    pub(super) quiet: bool,
}

impl Chance {
    pub(super) fn of_seed(seed: u64) -> Self {
        Self::new(Source::Seed(fastrand::Rng::with_seed(seed)))
    }

    pub(super) fn told(steps: Vec<Vec<u8>>) -> Self {
        Self::new(Source::Told(steps))
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            drawn: vec![Vec::new()],
            quiet: false,
        }
    }

    /// Begins a step; false when all that was told is used up.
    pub(super) fn step(&mut self) -> bool {
        self.drawn.push(Vec::new());
        match &self.source {
            Source::Seed(_) => true,
            Source::Told(steps) => self.drawn.len() <= steps.len(),
        }
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u8) -> u8 {
        let step = self.drawn.len() - 1;
        let Some(drawn) = self.drawn.last_mut() else {
            return 0;
        };
        if self.quiet || limit <= 1 {
            return 0;
        }
        let number = match &mut self.source {
            Source::Seed(rng) => rng.u8(..limit),
            Source::Told(steps) => {
                let told = steps.get(step).and_then(|step| step.get(drawn.len()));
                told.map_or(0, |number| number % limit)
            }
        };
        drawn.push(number);
        number
    }

    /// A place in a list of this length; the first 250 can be drawn.
    pub(super) fn place(&mut self, length: usize) -> usize {
        usize::from(self.below(u8::try_from(length.min(250)).unwrap_or(250)))
    }

    /// Whether something happens that happens once in so many times.
    pub(super) fn rarely(&mut self, one_in: u8) -> bool {
        self.below(one_in) == one_in.saturating_sub(1) && !self.quiet
    }
}
