//! What plots are made of: the rows shown, their numbers, their colors.

use crate::model::table::plot::{Plot, PlotContent, PlotWish, PointColor};
use crate::model::table::{Condition, Query};
use crate::results::table::number::Value;
use crate::results::table::points::{plot, scan};
use crate::results::table::sheet::{Row, Task};
use crate::results::table::tests::asking::{filter, view};
use crate::results::table::view::View;
use std::fmt::Write as _;

fn scatter(view: &View, color: Option<usize>) -> Plot {
    let wish = PlotWish::Scatter { x: 0, y: 1, color };
    plot(view, &wish, &Task::QUIET).unwrap()
}

#[test]
fn plots_have_the_rows_that_are_shown() {
    let view = view("x,y,class\n1,2,A\n2,3,B\n3,x,A\n4,5,A\n,1,B\n5,9,C\n");
    let view = view
        .ask(
            Query {
                filters: vec![filter(2, Condition::Contains("a".to_owned()))],
                sorts: vec![],
            },
            &Task::QUIET,
        )
        .unwrap();
    let wish = PlotWish::Scatter {
        x: 0,
        y: 1,
        color: Some(2),
    };
    let drawn = plot(&view, &wish, &Task::QUIET).unwrap();
    assert_eq!((drawn.rows, drawn.left_out, drawn.every), (3, 1, 1));
    let PlotContent::Scatter(points) = &drawn.content else {
        panic!("{drawn:?}");
    };
    assert_eq!(
        format!("{:?} {:?}", points.x, points.y),
        "[1.0, 4.0] [2.0, 5.0]"
    );
    let names = vec!["A".to_owned()];
    assert_eq!(
        points.color,
        PointColor::Groups {
            group: vec![0, 0],
            names
        }
    );
    let all = View::plain(view.sheet().clone());
    let wish = PlotWish::Boxes {
        category: 2,
        values: 1,
    };
    let drawn = plot(&all, &wish, &Task::QUIET).unwrap();
    let PlotContent::Boxes(boxes) = &drawn.content else {
        panic!("{drawn:?}");
    };
    let counts: Vec<_> = boxes
        .iter()
        .map(|one| (one.name.as_str(), one.count))
        .collect();
    assert_eq!(counts, [("A", 2), ("B", 2), ("C", 1)]);
    let wish = PlotWish::Histogram { column: 0 };
    let drawn = plot(&all, &wish, &Task::QUIET).unwrap();
    assert_eq!((drawn.rows, drawn.left_out), (6, 1));
}

#[test]
fn bars_stand_for_whole_numbers_where_all_are_whole() {
    let histogram = |text: &str| {
        let wish = PlotWish::Histogram { column: 0 };
        let PlotContent::Histogram(histogram) =
            plot(&view(text), &wish, &Task::QUIET).unwrap().content
        else {
            panic!("another plot");
        };
        histogram
    };
    let whole = histogram("n\n1\n3\n3\n");
    assert_eq!(format!("{} {}", whole.from, whole.to), "0.5 3.5");
    assert_eq!(whole.counts, [1, 0, 2]);
    let measured = histogram("n\n1\n2.5\n3\n");
    assert_eq!(format!("{} {}", measured.from, measured.to), "1 3");
    assert_eq!(measured.counts.iter().sum::<u64>(), 3);
}

#[test]
fn all_points_are_within_the_bounds_and_no_more() {
    let drawn = scatter(&view("x,y\n4,-1\n2,7.5\n3,0\n"), None);
    let PlotContent::Scatter(points) = &drawn.content else {
        panic!("{drawn:?}");
    };
    assert_eq!(format!("{:?}", points.bounds), "[2.0, 4.0, -1.0, 7.5]");
}

#[test]
fn many_texts_are_the_commonest_and_others_and_many_numbers_a_scale() {
    let mut texts = "x,y,kind\n".to_owned();
    let mut numbers = texts.clone();
    for kind in 0..20 {
        // k19 is the commonest.
        for _ in 0..=kind {
            writeln!(texts, "1,1,k{kind}").unwrap();
            writeln!(numbers, "1,1,{kind}").unwrap();
        }
    }
    let color = |text: &str| {
        let PlotContent::Scatter(points) = scatter(&view(text), Some(2)).content else {
            panic!("another plot");
        };
        points.color.clone()
    };
    let PointColor::Groups { group, names } = color(&texts) else {
        panic!("texts are categories");
    };
    let expected: Vec<String> = (9..20)
        .map(|kind| format!("k{kind}"))
        .chain(["all others".to_owned()])
        .collect();
    assert_eq!(names, expected);
    assert_eq!(group.len(), 210);
    assert_eq!((group[0], group[209]), (11, 10));
    let PointColor::Scale { place, from, to } = color(&numbers) else {
        panic!("numbers are a scale");
    };
    assert_eq!(format!("{from} {to}"), "0 19");
    assert_eq!((place[0], place[209]), (0, 255));
}

#[test]
fn boxes_of_too_many_categories_say_how_many_rows_are_left_out() {
    let mut text = "kind,n\n".to_owned();
    for kind in 0..70 {
        writeln!(text, "k{kind},1\nk{kind},2").unwrap();
    }
    let wish = PlotWish::Boxes {
        category: 0,
        values: 1,
    };
    let drawn = plot(&view(&text), &wish, &Task::QUIET).unwrap();
    let PlotContent::Boxes(boxes) = &drawn.content else {
        panic!("{drawn:?}");
    };
    assert_eq!(boxes.len() as u64 * 2 + drawn.left_out, drawn.rows);
    assert_eq!((boxes.len(), drawn.rows), (60, 140));
}

#[test]
fn of_very_many_rows_every_so_manieth_is_taken() {
    let mut text = "n\n".to_owned();
    (0..10).for_each(|number| writeln!(text, "{number}").unwrap());
    let take = |found: &mut Vec<f64>, row: &Row<'_>| {
        let Value::Number { value, .. } = row.value(0) else {
            return false;
        };
        found.push(value);
        true
    };
    let (rows, left_out, found) = scan(&view(&text), &[0], 3, &Task::QUIET, take).unwrap();
    assert_eq!((rows, left_out), (10, 0));
    assert_eq!(format!("{:?}", found.concat()), "[0.0, 3.0, 6.0, 9.0]");
}
