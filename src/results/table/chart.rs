//! A plot as a picture file, PNG or SVG, for a slide or a paper: dark on white, whatever the window's theme.

use crate::model::table::plot::{BoxOf, Frame, Plot, PlotContent, PlotWish, PointColor, Points};
use crate::model::table::{Histogram, palette};
use crate::results::disk::appear;
use crate::results::table::TableError;
use crate::results::table::raster::draw as rasterize;
use image::{ImageFormat, RgbImage};
use plotters::chart::{ChartBuilder, ChartContext, SeriesLabelPosition};
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::{
    BitMapBackend, Cartesian2d, DrawingArea, DrawingBackend, IntoDrawingArea as _, SVGBackend,
};
use plotters::style::{
    Color as _, FontStyle, IntoFont as _, RGBColor, TextStyle, WHITE, register_font,
};
use std::io::{Cursor, Write as _};
use std::ops::Range;
use std::path::Path;

/// Size of a picture, in pixels.
const SIZE: (u32, u32) = (1600, 1000);

/// More points than this are drawn as the pixels they cover, or an SVG would be too large to open.
const MOST_CIRCLES: usize = 20_000;

/// Name the font is registered under.
const FONT: &str = "labferry";

const INK: RGBColor = RGBColor(45, 52, 54);

/// Writes a plot; the file's ending decides how.
pub fn save(plot: &Plot, columns: &[String], path: &Path) -> Result<(), TableError> {
    // An error means the font cannot be read, which the first text then says.
    drop(register_font(
        FONT,
        FontStyle::Normal,
        epaint_default_fonts::UBUNTU_LIGHT,
    ));
    let is_svg = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    let bytes = if is_svg {
        svg(plot, columns)?
    } else {
        png(plot, columns)?
    };
    appear(path, |file| file.write_all(&bytes).map_err(TableError::Io))
}

fn svg(plot: &Plot, columns: &[String]) -> Result<Vec<u8>, TableError> {
    let mut text = String::new();
    paint(
        &SVGBackend::with_string(&mut text, SIZE).into_drawing_area(),
        plot,
        columns,
    )?;
    Ok(text.into_bytes())
}

fn png(plot: &Plot, columns: &[String]) -> Result<Vec<u8>, TableError> {
    let mut pixels = vec![0_u8; SIZE.0 as usize * SIZE.1 as usize * 3];
    paint(
        &BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area(),
        plot,
        columns,
    )?;
    let image = RgbImage::from_raw(SIZE.0, SIZE.1, pixels).ok_or(TableError::Picture)?;
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|_encoder| TableError::Picture)?;
    Ok(bytes.into_inner())
}

type Area<'a, B> = DrawingArea<B, plotters::coord::Shift>;
type Plane<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn paint<'a, B: DrawingBackend + 'a>(
    area: &Area<'a, B>,
    plot: &Plot,
    columns: &[String],
) -> Result<(), TableError> {
    paint_content(area, plot, columns).map_err(|_drawing| TableError::Picture)
}

fn paint_content<'a, B: DrawingBackend + 'a>(
    area: &Area<'a, B>,
    plot: &Plot,
    columns: &[String],
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    area.fill(&WHITE)?;
    let name = |column: usize| columns.get(column).cloned().unwrap_or_default();
    let (x, y) = match &plot.wish {
        PlotWish::Histogram { column } => (name(*column), "rows".to_owned()),
        PlotWish::Scatter { x, y, color: _ } => (name(*x), name(*y)),
        PlotWish::Boxes { category, values } => (name(*category), name(*values)),
    };
    match &plot.content {
        PlotContent::Histogram(histogram) => {
            let top = histogram.counts.iter().max().copied().unwrap_or(1) as f64;
            let mut plane = plane(
                area,
                histogram.from..histogram.to,
                0.0..top * 1.05,
                (&x, &y),
                None,
            )?;
            bars(&mut plane, histogram)?;
        }
        PlotContent::Scatter(points) => {
            let [left, right, bottom, top] = points.bounds;
            let (across, up) = (wider(left, right), wider(bottom, top));
            let mut plane = plane(area, across.clone(), up.clone(), (&x, &y), None)?;
            scatter(&mut plane, points, &across, &up)?;
        }
        PlotContent::Boxes(boxes) => {
            let low = boxes
                .iter()
                .map(|one| one.dots.iter().copied().fold(one.five[0], f64::min))
                .fold(f64::INFINITY, f64::min);
            let high = boxes
                .iter()
                .map(|one| one.dots.iter().copied().fold(one.five[4], f64::max))
                .fold(f64::NEG_INFINITY, f64::max);
            let names: Vec<String> = boxes.iter().map(|one| one.name.clone()).collect();
            let across = -0.5..boxes.len() as f64 - 0.5;
            let mut plane = plane(area, across, wider(low, high), (&x, &y), Some(&names))?;
            for (at, one) in boxes.iter().enumerate() {
                paint_box(&mut plane, at as f64, one)?;
            }
        }
    }
    area.present()
}

/// A little room around; something to see even where all are equal.
fn wider(low: f64, high: f64) -> Range<f64> {
    if !(low.is_finite() && high.is_finite()) {
        return 0.0..1.0;
    }
    let room = if high > low {
        (high - low) * 0.03
    } else {
        low.abs().max(1.0) * 0.5
    };
    low - room..high + room
}

fn plane<'a, B: DrawingBackend>(
    area: &Area<'a, B>,
    across: Range<f64>,
    up: Range<f64>,
    (x, y): (&str, &str),
    names: Option<&[String]>,
) -> Result<Plane<'a, B>, plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    let text = |size: i32| TextStyle::from((FONT, size).into_font()).color(&INK);
    let mut plane = ChartBuilder::on(area)
        .margin(30)
        .x_label_area_size(90)
        .y_label_area_size(130)
        .build_cartesian_2d(across, up)?;
    let label = |at: &f64| {
        let whole = (at - at.round()).abs() < 1e-6 && *at > -0.5;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just checked"
        )]
        let name = names
            .filter(|_| whole)
            .and_then(|names| names.get(at.round() as usize));
        name.cloned().unwrap_or_default()
    };
    let numbered = |at: &f64| number(*at);
    let mut mesh = plane.configure_mesh();
    mesh.light_line_style(INK.mix(0.06))
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK)
        .label_style(text(26))
        .axis_desc_style(text(30))
        .x_desc(x)
        .y_desc(y)
        .y_label_formatter(&numbered);
    match names {
        Some(names) => mesh
            .x_labels(names.len().clamp(2, 60))
            .x_label_formatter(&label)
            .disable_x_mesh()
            .draw()?,
        None => mesh.x_label_formatter(&numbered).draw()?,
    }
    Ok(plane)
}

/// A number on an axis: as short as it is exact enough there.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.2e}")
    }
}

fn bars<B: DrawingBackend>(
    plane: &mut Plane<'_, B>,
    histogram: &Histogram,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    let width = (histogram.to - histogram.from) / histogram.counts.len().max(1) as f64;
    let fill = rgb(palette::group(0));
    plane.draw_series(histogram.counts.iter().enumerate().map(|(at, count)| {
        let left = histogram.from + width * at as f64;
        let corners = [
            (left + width * 0.04, 0.0),
            (left + width * 0.96, *count as f64),
        ];
        Rectangle::new(corners, fill.filled())
    }))?;
    Ok(())
}

fn scatter<'a, B: DrawingBackend + 'a>(
    plane: &mut Plane<'a, B>,
    points: &Points,
    across: &Range<f64>,
    up: &Range<f64>,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    if points.x.len() <= MOST_CIRCLES {
        plane.draw_series(
            points
                .x
                .iter()
                .zip(&points.y)
                .enumerate()
                .map(|(at, (x, y))| {
                    Circle::new((*x, *y), 4, rgb(color(points, at)).mix(0.75).filled())
                }),
        )?;
    } else {
        let (width, height) = plane.plotting_area().dim_in_pixel();
        let frame = Frame {
            bounds: [across.start, across.end, up.start, up.end],
            width,
            height,
        };
        plane.draw_series(runs(points, frame))?;
    }
    if let PointColor::Groups { names, group: _ } = &points.color {
        for (at, name) in (0_u8..).zip(names) {
            let fill = rgb(palette::group(at));
            plane
                .draw_series(std::iter::empty::<Circle<(f64, f64), i32>>())?
                .label(name)
                .legend(move |(x, y)| Circle::new((x + 10, y), 8, fill.filled()));
        }
        plane
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(INK.mix(0.3))
            .label_font(TextStyle::from((FONT, 26).into_font()).color(&INK))
            .draw()?;
    }
    Ok(())
}

/// The pixels that points cover, side by side ones of a color as one.
fn runs(points: &Points, frame: Frame) -> Vec<Rectangle<(f64, f64)>> {
    let [left, right, bottom, top] = frame.bounds;
    let across = (right - left) / f64::from(frame.width);
    let down = (top - bottom) / f64::from(frame.height);
    let raster = rasterize(points, frame);
    let mut runs = Vec::new();
    for (row, pixels) in raster
        .colors
        .chunks(frame.width.max(1) as usize)
        .enumerate()
    {
        let mut column = 0_usize;
        for run in pixels.chunk_by(|a, b| a == b) {
            let from = column;
            column += run.len();
            let Some(place) = run.first().and_then(|color| color.checked_sub(1)) else {
                continue;
            };
            let place = u8::try_from(place).unwrap_or(u8::MAX);
            let fill = match &points.color {
                PointColor::Scale { .. } => palette::scale(place),
                PointColor::One | PointColor::Groups { .. } => palette::group(place),
            };
            let corners = [
                (left + across * from as f64, top - down * row as f64),
                (left + across * column as f64, top - down * (row + 1) as f64),
            ];
            runs.push(Rectangle::new(corners, rgb(fill).filled()));
        }
    }
    runs
}

fn color(points: &Points, at: usize) -> [u8; 3] {
    match &points.color {
        PointColor::One => palette::group(0),
        PointColor::Groups { group, .. } => {
            palette::group(group.get(at).copied().unwrap_or_default())
        }
        PointColor::Scale { place, .. } => {
            palette::scale(place.get(at).copied().unwrap_or_default())
        }
    }
}

fn paint_box<B: DrawingBackend>(
    plane: &mut Plane<'_, B>,
    at: f64,
    one: &BoxOf,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    let [low, lower, median, upper, high] = one.five;
    let fill = rgb(palette::group(0));
    plane.draw_series([Rectangle::new(
        [(at - 0.3, lower), (at + 0.3, upper)],
        fill.mix(0.5).filled(),
    )])?;
    let lines = [
        vec![(at - 0.3, median), (at + 0.3, median)],
        vec![(at, low), (at, lower)],
        vec![(at, upper), (at, high)],
        vec![(at - 0.15, low), (at + 0.15, low)],
        vec![(at - 0.15, high), (at + 0.15, high)],
    ];
    plane.draw_series(lines.map(|line| PathElement::new(line, INK.stroke_width(2))))?;
    let dots = one.dots.iter();
    plane.draw_series(dots.map(|dot| Circle::new((at, *dot), 4, fill.filled())))?;
    Ok(())
}

const fn rgb([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}
