//! The edge of a single object.

use crate::results::masks::Run;

/// Straight lines `[x, y, x, y]` along the borders of pixels, around runs in order of their columns.
pub(crate) fn outline(runs: &[Run]) -> Vec<[u32; 4]> {
    let mut lines: Vec<[u32; 4]> = Vec::new();
    let mut flat: Vec<(u32, u32)> = runs
        .iter()
        .flat_map(|run| [(run.y, run.x), (run.y + run.length, run.x)])
        .collect();
    flat.sort_unstable();
    for (y, x) in flat {
        match lines.last_mut() {
            Some([_, known, end, _]) if *known == y && *end == x => *end += 1,
            _ => lines.push([x, y, x + 1, y]),
        }
    }
    let columns: Vec<&[Run]> = runs.chunk_by(|one, other| one.x == other.x).collect();
    let ends = |column: &[Run]| -> Vec<u32> {
        let both = column.iter().flat_map(|run| [run.y, run.y + run.length]);
        both.collect()
    };
    let mut before: (Option<u32>, Vec<u32>) = (None, Vec::new());
    for column in columns {
        let Some(x) = column.first().map(|run| run.x) else {
            continue;
        };
        let own = ends(column);
        let (last, known) = std::mem::take(&mut before);
        if last.is_some_and(|last| last + 1 != x) {
            edges(last.map_or(x, |last| last + 1), known, &mut lines);
            edges(x, own.clone(), &mut lines);
        } else {
            edges(x, [known, own.clone()].concat(), &mut lines);
        }
        before = (Some(x), own);
    }
    if let (Some(x), ends) = before {
        edges(x + 1, ends, &mut lines);
    }
    lines
}

/// Between two columns there is an edge where one of them is covered and the other is not.
fn edges(x: u32, mut ends: Vec<u32>, lines: &mut Vec<[u32; 4]>) {
    ends.sort_unstable();
    let (pairs, _) = ends.as_chunks::<2>();
    lines.extend(
        pairs
            .iter()
            .filter(|[from, to]| from < to)
            .map(|[from, to]| [x, *from, x, *to]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_of_an_object_goes_around_it() {
        // An L: two columns, the second shorter, then a gap and a single pixel.
        let runs =
            [(10, 10, 3), (11, 12, 1), (14, 10, 1)].map(|(x, y, length)| Run { x, y, length });
        let mut lines = outline(&runs);
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                [10, 10, 10, 13],
                [10, 10, 11, 10],
                [10, 13, 12, 13],
                [11, 10, 11, 12],
                [11, 12, 12, 12],
                [12, 12, 12, 13],
                [14, 10, 14, 11],
                [14, 10, 15, 10],
                [14, 11, 15, 11],
                [15, 10, 15, 11],
            ]
        );
    }
}
