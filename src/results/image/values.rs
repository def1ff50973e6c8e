//! Pixel values as a file holds them: rectangles of them, made smaller and turned into colors.

/// Kinds of values kept; every other kind becomes a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Eight,
    Sixteen,
    Float,
}

impl Kind {
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Eight => 1,
            Self::Sixteen => 2,
            Self::Float => 4,
        }
    }
}

/// Values of one kind, channels side by side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
    Float(Vec<f32>),
}

/// A rectangle of pixels: 1 channel is gray, 3 are red, green and blue, the fourth is opacity.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pub(crate) values: Values,
}

impl Values {
    /// So many zeros.
    pub(crate) fn zeros(kind: Kind, count: usize) -> Self {
        match kind {
            Kind::Eight => Self::Eight(vec![0; count]),
            Kind::Sixteen => Self::Sixteen(vec![0; count]),
            Kind::Float => Self::Float(vec![0.0; count]),
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Eight(_) => Kind::Eight,
            Self::Sixteen(_) => Kind::Sixteen,
            Self::Float(_) => Kind::Float,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Eight(values) => values.len(),
            Self::Sixteen(values) => values.len(),
            Self::Float(values) => values.len(),
        }
    }

    /// As bytes for a file of our own.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Eight(values) => values.clone(),
            Self::Sixteen(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Float(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    /// Back from such bytes.
    pub(crate) fn from_bytes(kind: Kind, bytes: Vec<u8>) -> Self {
        match kind {
            Kind::Eight => Self::Eight(bytes),
            Kind::Sixteen => {
                let (pairs, _) = bytes.as_chunks::<2>();
                Self::Sixteen(pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
            }
            Kind::Float => {
                let (fours, _) = bytes.as_chunks::<4>();
                Self::Float(fours.iter().map(|four| f32::from_le_bytes(*four)).collect())
            }
        }
    }

    /// One value as a float.
    pub(crate) fn at(&self, place: usize) -> f32 {
        match self {
            Self::Eight(values) => values.get(place).copied().map_or(0.0, f32::from),
            Self::Sixteen(values) => values.get(place).copied().map_or(0.0, f32::from),
            Self::Float(values) => values.get(place).copied().unwrap_or(0.0),
        }
    }
}

/// Copies a rectangle; what lies outside of either is left alone.
fn copy<T: Copy>(from: (&[T], usize), into: (&mut [T], usize), places: Places, channels: usize) {
    let Places {
        from: (from_x, from_y),
        into: (into_x, into_y),
        size: (width, height),
    } = places;
    let (from, from_width) = from;
    let (into, into_width) = into;
    let count = width * channels;
    for row in 0..height {
        let source = ((from_y + row) * from_width + from_x) * channels;
        let target = ((into_y + row) * into_width + into_x) * channels;
        if let (Some(source), Some(target)) = (
            from.get(source..source + count),
            into.get_mut(target..target + count),
        ) {
            target.copy_from_slice(source);
        }
    }
}

/// From where to where a rectangle is copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) from: (usize, usize),
    pub(crate) into: (usize, usize),
    pub(crate) size: (usize, usize),
}

impl Block {
    /// Black.
    pub(crate) fn black(width: usize, height: usize, channels: usize, kind: Kind) -> Self {
        Self {
            width,
            height,
            channels,
            values: Values::zeros(kind, width * height * channels),
        }
    }

    /// Copies a part of another block of the same kind into this one.
    pub(crate) fn take(&mut self, other: &Self, places: Places) {
        if other.channels != self.channels {
            return;
        }
        let (width, channels) = (self.width, self.channels);
        match (&other.values, &mut self.values) {
            (Values::Eight(from), Values::Eight(into)) => {
                copy((from, other.width), (into, width), places, channels);
            }
            (Values::Sixteen(from), Values::Sixteen(into)) => {
                copy((from, other.width), (into, width), places, channels);
            }
            (Values::Float(from), Values::Float(into)) => {
                copy((from, other.width), (into, width), places, channels);
            }
            _ => {}
        }
    }

    /// A part of it.
    pub(crate) fn part(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let mut part = Self::black(width, height, self.channels, self.values.kind());
        let places = Places {
            from: (x, y),
            into: (0, 0),
            size: (width, height),
        };
        part.take(self, places);
        part
    }

    /// Rows of another block of the same width below its own.
    pub(crate) fn append(&mut self, other: &Self) {
        match (&mut self.values, &other.values) {
            (Values::Eight(own), Values::Eight(more)) => own.extend_from_slice(more),
            (Values::Sixteen(own), Values::Sixteen(more)) => own.extend_from_slice(more),
            (Values::Float(own), Values::Float(more)) => own.extend_from_slice(more),
            _ => return,
        }
        self.height += other.height;
    }

    /// Half as wide and high: the mean of each four pixels, of fewer at the edges.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let shape = (self.width, self.channels);
        let values = match &self.values {
            Values::Eight(values) => Values::Eight(halve(values, shape, |a, b, c, d| {
                let sum = u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d);
                u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX)
            })),
            Values::Sixteen(values) => Values::Sixteen(halve(values, shape, |a, b, c, d| {
                let sum = u32::from(a) + u32::from(b) + u32::from(c) + u32::from(d);
                u16::try_from((sum + 2) / 4).unwrap_or(u16::MAX)
            })),
            Values::Float(values) => Values::Float(halve(values, shape, mean_of_numbers)),
        };
        Self {
            width,
            height,
            channels: self.channels,
            values,
        }
    }

    /// Colors, rows from the top, four bytes a pixel. Opacity is laid over white.
    pub(crate) fn to_rgba(&self, low: f32, high: f32) -> Vec<u8> {
        let mut rgba = vec![255; self.width * self.height * 4];
        let span = if high > low { high - low } else { 1.0 };
        let level = |value: f32| to_byte((value - low) / span * 255.0);
        match &self.values {
            Values::Eight(values) => {
                let table: Vec<u8> = (0..=255_u8).map(|value| level(f32::from(value))).collect();
                let opacity = |value: u8| value;
                paint(values, self.channels, &mut rgba, opacity, |value| {
                    table.get(usize::from(value)).copied().unwrap_or(0)
                });
            }
            Values::Sixteen(values) => {
                let opacity = |value: u16| to_byte(f32::from(value) / 257.0);
                paint(values, self.channels, &mut rgba, opacity, |value| {
                    level(f32::from(value))
                });
            }
            Values::Float(values) => {
                let opacity = |value: f32| to_byte(value * 255.0);
                paint(values, self.channels, &mut rgba, opacity, level);
            }
        }
        rgba
    }
}

/// The mean of what is a number.
fn mean_of_numbers(a: f32, b: f32, c: f32, d: f32) -> f32 {
    let all = a / 4.0 + b / 4.0 + c / 4.0 + d / 4.0;
    if all.is_finite() {
        return all;
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for value in [a, b, c, d] {
        if value.is_finite() {
            sum += value;
            count += 1.0;
        }
    }
    sum / count
}

fn halve<T: Copy>(
    values: &[T],
    (width, channels): (usize, usize),
    mean: impl Fn(T, T, T, T) -> T,
) -> Vec<T> {
    let row = width * channels;
    if row == 0 {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(values.len() / 4 + row);
    for rows in values.chunks(row * 2) {
        let (upper, lower) = rows.split_at(row.min(rows.len()));
        let lower = if lower.is_empty() { upper } else { lower };
        let fours = upper.chunks(channels * 2).zip(lower.chunks(channels * 2));
        for (above, below) in fours {
            let (left, right) = above.split_at(channels);
            let right = if right.is_empty() { left } else { right };
            let (left_below, right_below) = below.split_at(channels);
            let right_below = if right_below.is_empty() {
                left_below
            } else {
                right_below
            };
            let above = left.iter().zip(right);
            let below = left_below.iter().zip(right_below);
            out.extend(
                above
                    .zip(below)
                    .map(|((a, b), (c, d))| mean(*a, *b, *c, *d)),
            );
        }
    }
    out
}

/// Clamped; what is no number is 0.
fn to_byte(value: f32) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 255 by the clamp; not-a-number becomes 0"
    )]
    let byte = value.clamp(0.0, 255.0).round() as u8;
    byte
}

fn paint<T: Copy>(
    values: &[T],
    channels: usize,
    rgba: &mut [u8],
    opacity: impl Fn(T) -> u8,
    level: impl Fn(T) -> u8,
) {
    let pixels = values.chunks_exact(channels.max(1));
    let (targets, _) = rgba.as_chunks_mut::<4>();
    for (pixel, target) in pixels.zip(targets) {
        *target = match *pixel {
            [red, green, blue, alpha] => {
                let alpha = u16::from(opacity(alpha));
                let over_white = |value: T| {
                    let mixed = u16::from(level(value)) * alpha + 255 * (255 - alpha);
                    u8::try_from(mixed / 255).unwrap_or(255)
                };
                [over_white(red), over_white(green), over_white(blue), 255]
            }
            [red, green, blue] => [level(red), level(green), level(blue), 255],
            [gray, ..] => {
                let gray = level(gray);
                [gray, gray, gray, 255]
            }
            [] => [0, 0, 0, 255],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(width: usize, height: usize, values: Vec<u8>) -> Block {
        Block {
            width,
            height,
            channels: 1,
            values: Values::Eight(values),
        }
    }

    #[test]
    fn halving_takes_means_also_at_odd_edges() {
        let small = block(3, 3, vec![0, 4, 10, 8, 4, 20, 1, 3, 50]).halved();
        assert_eq!((small.width, small.height), (2, 2));
        assert_eq!(small.values, Values::Eight(vec![4, 15, 2, 50]));
        let float = Block {
            width: 2,
            height: 2,
            channels: 1,
            values: Values::Float(vec![f32::NAN, 2.0, 4.0, f32::NAN]),
        };
        assert_eq!(float.halved().values, Values::Float(vec![3.0]));
        let color = Block {
            width: 2,
            height: 1,
            channels: 3,
            values: Values::Sixteen(vec![0, 10, 600, 100, 30, 601]),
        };
        assert_eq!(color.halved().values, Values::Sixteen(vec![50, 20, 601]));
    }

    #[test]
    fn brightness_maps_low_to_black_and_high_to_white() {
        let rgba = block(4, 1, vec![0, 100, 150, 200]).to_rgba(100.0, 200.0);
        let grays: Vec<u8> = rgba.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(grays, [0, 0, 128, 255]);
        let clear = Block {
            width: 1,
            height: 1,
            channels: 4,
            values: Values::Eight(vec![0, 0, 0, 0]),
        };
        assert_eq!(clear.to_rgba(0.0, 255.0), [255; 4], "white below");
    }

    #[test]
    fn bytes_come_back() {
        for values in [
            Values::Eight(vec![1, 2]),
            Values::Sixteen(vec![1, 60_000]),
            Values::Float(vec![-1.5, f32::MAX]),
        ] {
            assert_eq!(Values::from_bytes(values.kind(), values.to_bytes()), values);
        }
    }
}
