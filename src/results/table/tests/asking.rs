//! Sorting, filtering, finding and describing, each against the plain way to do it in memory.

use crate::model::table::{CardValues, ColumnKind, Condition, Filter, Query, Sort};
use crate::results::table::describe::describe;
use crate::results::table::sheet::{Sheet, Task};
use crate::results::table::tests::{index, open};
use crate::results::table::view::View;
use crate::results::table::{TableError, TableFile};
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) fn view(text: &str) -> View {
    View::plain(Sheet::of_file(table(text)))
}

fn table(text: &str) -> TableFile {
    let table = open(text.as_bytes());
    index(&table);
    table
}

pub(super) fn filter(column: usize, condition: Condition) -> Filter {
    Filter { column, condition }
}

fn sort(column: usize, descending: bool) -> Sort {
    Sort { column, descending }
}

/// The first cells of the rows in the order asked for.
fn asked(view: &View, filters: Vec<Filter>, sorts: Vec<Sort>) -> Vec<String> {
    let view = view.ask(Query { filters, sorts }, &Task::QUIET).unwrap();
    let count = usize::try_from(view.rows_shown().unwrap()).unwrap();
    let (numbers, rows) = view.page(0, count + 5).unwrap();
    assert_eq!(numbers.len(), count);
    for (place, number) in (0..).zip(&numbers).step_by(count / 20 + 1) {
        assert_eq!(view.place_of(*number), Some(place));
    }
    rows.into_iter().map(|mut row| row.swap_remove(0)).collect()
}

#[test]
fn numbers_then_texts_in_natural_order_then_what_is_missing() {
    let view = view("id,v\na,10\nb,x10\nc,\nd,9\ne,x9\nf,-2.5\ng,NA\nh,9.0\ni,1e3\nj\n");
    assert_eq!(
        asked(&view, vec![], vec![sort(1, false)]).concat(),
        "fdhaiebcgj"
    );
    assert_eq!(
        asked(&view, vec![], vec![sort(1, true)]).concat(),
        "beiadhfcgj"
    );
}

#[test]
fn long_identifiers_and_decimal_commas_are_put_in_order() {
    let ids = view("id,v\na,9007199254740993\nb,9007199254740992\nc,10\nd,9007199254740991\n");
    assert_eq!(asked(&ids, vec![], vec![sort(1, false)]).concat(), "cdba");
    let commas = view("id;v\na;1,5\nb;1,25\nc;12\nd;0,5\n");
    assert_eq!(
        asked(&commas, vec![], vec![sort(1, false)]).concat(),
        "dbac"
    );
    let between = filter(1, Condition::Between(Some(1.0), Some(1.5)));
    assert_eq!(asked(&commas, vec![between], vec![]).concat(), "ab");
}

#[test]
fn equal_rows_stay_as_in_the_file_and_later_columns_decide() {
    let view = view("id,class,v\na,B,1\nb,A,2\nc,B,3\nd,A,1\ne,B,1\nf,A,2\n");
    assert_eq!(
        asked(&view, vec![], vec![sort(1, false)]).concat(),
        "bdface"
    );
    assert_eq!(asked(&view, vec![], vec![sort(1, true)]).concat(), "acebdf");
    let two = vec![sort(1, false), sort(2, true)];
    assert_eq!(asked(&view, vec![], two.clone()).concat(), "bfdcae");
    let some = filter(2, Condition::Between(Some(2.0), None));
    assert_eq!(asked(&view, vec![some], two).concat(), "bfc");
}

#[test]
fn every_condition() {
    let view = view("id,text\na,\"one, TWO\"\nb,\"say \"\"two\"\"\"\nc,\nd,n/a\ne,2\nf,Zwölf\n");
    let rows = |condition| asked(&view, vec![filter(1, condition)], vec![]).concat();
    assert_eq!(rows(Condition::Contains("two".to_owned())), "ab");
    assert_eq!(rows(Condition::Contains("\"two".to_owned())), "b");
    assert_eq!(rows(Condition::Contains("ZWÖ".to_owned())), "f");
    let some = BTreeSet::from(["2".to_owned(), "one, TWO".to_owned(), "two".to_owned()]);
    assert_eq!(rows(Condition::OneOf(some)), "ae");
    assert_eq!(rows(Condition::Missing), "cd");
    assert_eq!(rows(Condition::Present), "abef");
    assert_eq!(rows(Condition::Between(None, None)), "e");
    // A row that ends before the column has nothing there.
    let short = self::view("id,text\na,x\nb\n");
    let missing = vec![filter(1, Condition::Missing)];
    assert_eq!(asked(&short, missing, vec![]), ["b"]);
    let latin = open(b"id,text\na,\xB5M\nb,m\n");
    index(&latin);
    let latin = View::plain(Sheet::of_file(latin));
    let micro = filter(1, Condition::Contains("µm".to_owned()));
    assert_eq!(asked(&latin, vec![micro], vec![]), ["a"]);
}

#[test]
fn finding_goes_around_and_follows_the_order_on_screen() {
    let view = view("id,text\na,x1\nxb,y\nc,y\nd,\"say \"\"x\"\"\"\n");
    let found = view.find("X", &Task::QUIET).unwrap();
    assert_eq!(found.places, [(0, 1), (1, 0), (3, 1)]);
    assert_eq!(found.next(0, true), Some((0, 0, 1)));
    assert_eq!(found.next(2, true), Some((3, 2, 1)));
    assert_eq!(found.next(4, true), Some((0, 0, 1)));
    assert_eq!(found.next(3, false), Some((1, 1, 0)));
    assert_eq!(found.next(0, false), Some((3, 2, 1)));
    for quoted in ["\"x\"", "y \"X"] {
        assert_eq!(view.find(quoted, &Task::QUIET).unwrap().places, [(3, 1)]);
    }
    assert_eq!(view.find("none", &Task::QUIET).unwrap().next(0, true), None);
    let sorted = view
        .ask(
            Query {
                filters: vec![filter(1, Condition::Contains("x".to_owned()))],
                sorts: vec![sort(0, true)],
            },
            &Task::QUIET,
        )
        .unwrap();
    assert_eq!(
        sorted.find("x", &Task::QUIET).unwrap().places,
        [(0, 1), (1, 1)]
    );
    assert_eq!(sorted.place_of(0), Some(1));
    assert_eq!(sorted.place_of(1), None);
}

/// Large enough for several pieces, with cells of every kind, against sorting in memory.
#[test]
fn a_large_table_is_put_in_order_like_a_small_one() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = String::from("row,number,class,note\n");
    let mut rows = Vec::new();
    for row in 0..12_000_u32 {
        let number = random.i32(-5_000..5_000);
        let class = *random.choice(&["B10", "B9", "a1", "A02", ""]).unwrap();
        let note = if row % 50 == 0 {
            "\"two\nlines, \"\"q\"\"\""
        } else {
            "plain text to make it longer, so that there is more than one piece of a megabyte to read"
        };
        writeln!(text, "{row},{},{class},{note}", f64::from(number) / 4.0).unwrap();
        rows.push((row, number, class));
    }
    let view = view(&text);
    assert!(view.sheet().parts()[0].table.chunks().len() > 1);
    let order = |class: &str| match class {
        "a1" => 0,
        "A02" => 1,
        "B9" => 2,
        "B10" => 3,
        _ => 4,
    };
    let mut expected = rows.clone();
    expected.sort_by_key(|(_, number, class)| (order(class), std::cmp::Reverse(*number)));
    let asked_for = asked(&view, vec![], vec![sort(2, false), sort(1, true)]);
    let expected: Vec<String> = expected.iter().map(|(row, ..)| row.to_string()).collect();
    assert!(asked_for == expected);
    let kept = asked(
        &view,
        vec![
            filter(1, Condition::Between(Some(100.0), Some(200.0))),
            filter(3, Condition::Contains("TWO".to_owned())),
        ],
        vec![],
    );
    let expected: Vec<String> = rows
        .iter()
        .filter(|(row, number, _)| row % 50 == 0 && (400..=800).contains(number))
        .map(|(row, ..)| row.to_string())
        .collect();
    assert_eq!(kept, expected);
    let stopped = Task {
        cancelled: &|| true,
        progress: &|_| (),
    };
    let query = Query {
        filters: vec![],
        sorts: vec![sort(1, false)],
    };
    assert!(matches!(
        view.ask(query, &stopped),
        Err(TableError::Cancelled)
    ));
}

#[test]
fn columns_are_described() {
    let view = view("id,n,class,empty\n1,2.5,A,\n2,NA,B,\n3,10,A,\n4,-1,,\n5,2.5,C,NA\n");
    let cards = describe(view.sheet(), &[0, 1, 2, 3], &Task::QUIET).unwrap();
    assert_eq!(cards[0].kind, ColumnKind::Integers);
    assert_eq!(
        (
            cards[1].kind,
            cards[1].count,
            cards[1].missing,
            cards[1].distinct
        ),
        (ColumnKind::Numbers, 4, 1, 3)
    );
    let CardValues::Numbers {
        min,
        max,
        mean,
        median,
        median_is_exact,
        histogram,
        ..
    } = &cards[1].values
    else {
        panic!("{:?}", cards[1]);
    };
    assert_eq!(format!("{min} {max} {mean} {median}"), "-1 10 3.5 2.5");
    assert!(*median_is_exact);
    assert_eq!(histogram.counts.iter().sum::<u64>(), 4);
    assert_eq!(histogram.counts.last(), Some(&1));
    let commonest = [("A", 2), ("B", 1), ("C", 1)].map(|(text, count)| (text.to_owned(), count));
    assert_eq!(
        cards[2].values,
        CardValues::Texts {
            commonest: commonest.to_vec()
        }
    );
    assert_eq!((cards[3].kind, cards[3].missing), (ColumnKind::Empty, 5));
    let CardValues::Numbers { histogram, .. } = &cards[0].values else {
        panic!("{:?}", cards[0]);
    };
    assert_eq!(
        histogram.counts,
        [1, 1, 1, 1, 1],
        "few whole numbers have a bin each"
    );
}

/// Beyond the bounds of exact counting: estimates, said to be such, near the truth.
#[test]
fn what_does_not_fit_is_estimated_and_said_so() {
    let mut text = String::from("id,even\n");
    for row in 0..120_000_u32 {
        writeln!(text, "{},x{}", row * 7, row / 2).unwrap();
    }
    let view = view(&text);
    // So many columns at once that little is kept of each.
    let columns: Vec<usize> = std::iter::repeat_n(0, 99).chain([1]).collect();
    let cards = describe(view.sheet(), &columns, &Task::QUIET).unwrap();
    for (card, truth) in [(&cards[0], 120_000_i64), (&cards[99], 60_000)] {
        assert!(!card.distinct_is_exact);
        let off = (i64::try_from(card.distinct).unwrap() - truth).abs();
        assert!(off * 100 < truth * 4, "{} of {truth}", card.distinct);
    }
    let CardValues::Numbers {
        median,
        median_is_exact,
        mean,
        histogram,
        ..
    } = &cards[0].values
    else {
        panic!("{:?}", cards[0]);
    };
    assert!(!median_is_exact);
    assert!((median - 419_996.5).abs() < 8_400.0, "{median}");
    assert!((mean - 419_996.5).abs() < 1e-6, "{mean}");
    assert_eq!(histogram.counts.iter().sum::<u64>(), 120_000);
    assert!(histogram.counts.iter().all(|count| *count == 3_000));
}

#[test]
fn a_quote_that_nobody_closes_leaves_the_rows_before_it_in_order() {
    let mut text = "id,v,note\na,3,x\nb,1,y\nc,2,\"".to_owned();
    // More than a piece that is read whole.
    text.extend(std::iter::repeat_n(
        "all the rest, of it\n",
        (66 << 20) / 20,
    ));
    let view = view(&text);
    assert_eq!(asked(&view, vec![], vec![sort(1, false)]).concat(), "bca");
    let rest = filter(2, Condition::Contains("THE rest, of".to_owned()));
    assert_eq!(asked(&view, vec![rest], vec![]).concat(), "c");
    let short = filter(2, Condition::OneOf(BTreeSet::from(["y".to_owned()])));
    assert_eq!(asked(&view, vec![short], vec![]).concat(), "b");
    let number = filter(1, Condition::Between(Some(1.5), None));
    assert_eq!(asked(&view, vec![number], vec![]).concat(), "ac");
}

#[test]
fn a_cell_of_twenty_megabytes_is_asked_like_any_other() {
    let long = "0123456789".repeat(2 << 20);
    let view = view(&format!(
        "id,v\na,{long}\nb,x\nc,\"{long} \"\"end\"\"\"\nd,2\n"
    ));
    // Digits by value: a number of so many digits stands behind all numbers that fit.
    assert_eq!(asked(&view, vec![], vec![sort(1, false)]).concat(), "dacb");
    let end = filter(1, Condition::Contains("9 \"END\"".to_owned()));
    assert_eq!(asked(&view, vec![end], vec![]), ["c"]);
    let whole = filter(1, Condition::OneOf(BTreeSet::from([long])));
    assert_eq!(asked(&view, vec![whole], vec![]), ["a"]);
}
