//! Where the three bytes with a meaning stand, 64 bytes at a time, one bit a byte.
//!
//! This is all the scanner and the cell reader ask of the text: everything between these bytes is skipped unseen. The
//! comparisons run with the widest instructions the processor has, chosen at run time.

use crate::results::table::record::Format;
use fearless_simd::prelude::{SimdBase as _, SimdMask as _};
use fearless_simd::{Level, Simd, dispatch, u8x64};

/// Bytes in a window.
pub(crate) const WINDOW_BYTES: usize = 64;

/// The bytes with a meaning in one window; the lowest bit is the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bits {
    pub(crate) quotes: u64,
    pub(crate) line_ends: u64,
    pub(crate) delimiters: u64,
}

/// All bits from a place on; none from 64 on.
#[inline]
pub(crate) const fn from(place: u32) -> u64 {
    if place >= 64 { 0 } else { u64::MAX << place }
}

/// Shows every window of a block to `visit`, in order: its bytes, and which of them have a meaning. The last may be short.
///
/// `visit` is compiled once for each kind of processor and should be `#[inline(always)]` where it is hot.
#[inline]
pub(crate) fn each_window(block: &[u8], format: Format, mut visit: impl FnMut(&[u8], Bits)) {
    let level = Level::new();
    dispatch!(level, simd => windows(simd, block, format, &mut visit));
}

#[expect(
    clippy::inline_always,
    reason = "must be compiled for the processor it was dispatched to"
)]
#[inline(always)]
fn windows<S: Simd>(simd: S, block: &[u8], format: Format, visit: &mut impl FnMut(&[u8], Bits)) {
    let quote = format.quote.map(|quote| u8x64::splat(simd, quote));
    let line_end = u8x64::splat(simd, format.line_end.byte());
    let delimiter = u8x64::splat(simd, format.delimiter);
    let look = |bytes: &[u8]| {
        let bytes = u8x64::from_slice(simd, bytes);
        Bits {
            quotes: quote.map_or(0, |quote| bytes.simd_eq(quote).to_bitmask()),
            line_ends: bytes.simd_eq(line_end).to_bitmask(),
            delimiters: bytes.simd_eq(delimiter).to_bitmask(),
        }
    };
    let whole = block.chunks_exact(WINDOW_BYTES);
    let rest = whole.remainder();
    for window in whole {
        visit(window, look(window));
    }
    if !rest.is_empty() {
        let mut padded = [0_u8; WINDOW_BYTES];
        for (to, byte) in padded.iter_mut().zip(rest) {
            *to = *byte;
        }
        let there = !from(u32::try_from(rest.len()).unwrap_or(64));
        let bits = look(&padded);
        visit(
            rest,
            Bits {
                quotes: bits.quotes & there,
                line_ends: bits.line_ends & there,
                delimiters: bits.delimiters & there,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::record::{Format, LineEnd};
    use crate::results::table::windows::{Bits, each_window};

    #[test]
    fn every_byte_with_a_meaning_has_its_bit() {
        let mut random = fastrand::Rng::with_seed(5);
        for length in 0..200 {
            let text: Vec<u8> = (0..length)
                .map(|_| *random.choice(b"\0a\",\n").unwrap())
                .collect();
            let format = Format {
                delimiter: b',',
                quote: (length % 3 != 0).then_some(b'"'),
                line_end: LineEnd::Lf,
            };
            let mut seen = Vec::new();
            each_window(
                &text,
                format,
                |bytes,
                 Bits {
                     quotes,
                     line_ends,
                     delimiters,
                 }| {
                    for (at, byte) in bytes.iter().enumerate() {
                        let bit = |bits: u64| bits >> at & 1 == 1;
                        assert_eq!(bit(quotes), Some(*byte) == format.quote);
                        assert_eq!(bit(line_ends), *byte == b'\n');
                        assert_eq!(bit(delimiters), *byte == b',');
                    }
                    assert_eq!(
                        (quotes | line_ends | delimiters)
                            .checked_shr(u32::try_from(bytes.len()).unwrap())
                            .unwrap_or(0),
                        0
                    );
                    seen.extend_from_slice(bytes);
                },
            );
            assert_eq!(seen, text);
        }
    }
}
