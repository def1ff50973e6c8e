//! A plot of columns of a table.

use std::sync::Arc;

/// Which columns to plot; what is drawn follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlotWish {
    /// How the numbers of a column are spread.
    Histogram {
        /// Column, from 0.
        column: usize,
    },
    /// One column against another.
    Scatter {
        /// To the right.
        x: usize,
        /// Upward.
        y: usize,
        /// Colors by the values of this column.
        color: Option<usize>,
    },
    /// Numbers by category: median, quartiles, whiskers.
    Boxes {
        /// The categories.
        category: usize,
        /// The numbers.
        values: usize,
    },
}

/// What was found out for a wish.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The wish.
    pub wish: PlotWish,
    /// Rows looked at, those shown by the filters.
    pub rows: u64,
    /// Rows that could not be drawn, since a cell is missing or no number.
    pub left_out: u64,
    /// Whether only every so many rows were taken.
    pub every: u64,
    /// What to draw.
    pub content: PlotContent,
}

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum PlotContent {
    /// Bars.
    Histogram(super::Histogram),
    /// Points.
    Scatter(Arc<Points>),
    /// Boxes, in natural order of their names.
    Boxes(Vec<BoxOf>),
}

/// Points of a scatter plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// To the right.
    pub x: Vec<f64>,
    /// Upward, as many as `x`.
    pub y: Vec<f64>,
    /// What colors them.
    pub color: PointColor,
    /// Left, right, bottom, top of all points.
    pub bounds: [f64; 4],
}

/// What colors the points of a scatter plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PointColor {
    /// Nothing: all have the same.
    #[default]
    One,
    /// Categories.
    Groups {
        /// For each point which of `names` it belongs to.
        group: Vec<u8>,
        /// The categories in natural order. The last stands for all others where there are more.
        names: Vec<String>,
    },
    /// Numbers along a scale.
    Scale {
        /// For each point its place between the ends, 0 to 255.
        place: Vec<u8>,
        /// Lower end.
        from: f64,
        /// Upper end.
        to: f64,
    },
}

/// Numbers of one category, after Tukey: whiskers reach to the outermost number within 1.5 times the box's height.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxOf {
    /// Name of the category.
    pub name: String,
    /// How many numbers.
    pub count: u64,
    /// Lower whisker, lower quartile, median, upper quartile, upper whisker.
    pub five: [f64; 5],
    /// How many numbers lie beyond the whiskers.
    pub beyond: u64,
    /// Those numbers in order, the outermost among them; of very many some that lie too close together to be told apart
    /// are left out.
    pub dots: Vec<f64>,
}

/// A part of a plot on a part of the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Left, right, bottom, top, in the numbers of the plot.
    pub bounds: [f64; 4],
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// The points of a plot as pixels, so that a million of them cost no more than one.
#[derive(Clone, PartialEq)]
pub struct Raster {
    /// What it shows.
    pub frame: Frame,
    /// Rows from the top; for each pixel one more than the color's number, 0 where there is no point.
    pub colors: Vec<u16>,
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Raster({:?})", self.frame)
    }
}
