//! A free number among taken ones, without trying them all: a server or an archive may give ten thousand things one name.

/// A number from 1 on that is not taken; the lowest one where the taken ones have no gaps.
pub fn first_free(mut is_taken: impl FnMut(u64) -> bool) -> u64 {
    let (mut taken, mut free) = (0_u64, 1_u64);
    while is_taken(free) {
        taken = free;
        free = free.saturating_mul(2);
        if free == u64::MAX {
            return free;
        }
    }
    while free - taken > 1 {
        let middle = taken + (free - taken) / 2;
        if is_taken(middle) {
            taken = middle;
        } else {
            free = middle;
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_found_with_few_questions() {
        for taken in [0_u64, 1, 2, 3, 7, 8, 9, 1000, 123_456] {
            let mut asked = 0;
            let found = first_free(|number| {
                asked += 1;
                number <= taken
            });
            assert_eq!(found, taken + 1);
            assert!(asked <= 40, "{asked} questions for {taken}");
        }
    }

    #[test]
    fn with_gaps_it_is_free_all_the_same() {
        for step in 2..20_u64 {
            let found = first_free(|number| number % step != 0 && number < 500);
            assert!(found % step == 0 || found >= 500);
        }
        assert_eq!(first_free(|_number| true), u64::MAX);
    }
}
