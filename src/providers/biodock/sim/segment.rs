//! Finds objects in an image: the analysis the simulated pipelines really do.
//!
//! Owns smoothing, threshold, connected regions and their measures. Does not read files and does
//! not know how results are written.

use image::{DynamicImage, GrayImage, Luma};
use imageproc::contrast::otsu_level;
use imageproc::filter::gaussian_blur_f32;
use imageproc::geometry::convex_hull;
use imageproc::point::Point;
use imageproc::region_labelling::{Connectivity, connected_components};

/// How a pipeline looks at an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe {
    /// Multiplies the threshold: below 1 objects reach further into their dim border.
    pub(super) level: f64,
    /// Smaller regions are noise, pixels.
    pub(super) least_area: u32,
    /// Class of an ordinary object.
    pub(super) usual: &'static str,
    /// Class of an object whose area is beyond `odd_area`.
    pub(super) odd: &'static str,
    /// What is beyond.
    pub(super) odd_area: OddArea,
}

/// Areas, as multiples of the image's median, that make an object odd.
#[derive(Debug, Clone, Copy)]
pub(super) enum OddArea {
    Above(f64),
    Below(f64),
}

/// One region with its measures; lengths in pixels.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Counts from 1 within the image, by the first row it touches.
    pub(super) number: u32,
    pub(super) class: &'static str,
    pub(super) area: u32,
    pub(super) perimeter: f64,
    pub(super) major_axis: f64,
    pub(super) minor_axis: f64,
    pub(super) feret: f64,
    pub(super) x: f64,
    pub(super) y: f64,
    /// Mean brightness, 0 to 255.
    pub(super) intensity: f64,
    /// 0 to 1: how clearly it stands out from its surroundings.
    pub(super) score: f64,
    pub(super) bounds: Bounds,
    /// Whether each pixel of the bounding box belongs to it, column by column.
    pub(super) mask: Vec<bool>,
}

/// A bounding box whose end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) right: u32,
    pub(super) bottom: u32,
}

impl Bounds {
    pub(super) fn width(&self) -> u32 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> u32 {
        self.bottom - self.top
    }
}

/// The share of the brightness' variance that two classes must explain for an image to have
/// objects at all. Plain noise of one brightness reaches 0.64 (normal) to 0.75 (uniform).
const LEAST_SEPARATION: f64 = 0.78;

/// Finds the objects of an image; an image without contrast has none.
pub(super) fn find_objects(image: &DynamicImage, recipe: &Recipe) -> Vec<Object> {
    let Some(gray) = stretched(image) else {
        return Vec::new();
    };
    let smooth = gaussian_blur_f32(&gray, 1.0);
    let level = otsu_level(&smooth);
    let split = Split::of(&smooth, level);
    if split.separation < LEAST_SEPARATION {
        return Vec::new();
    }
    let lowered = split.dark + (f64::from(level) - split.dark) * recipe.level;
    let binary = GrayImage::from_fn(smooth.width(), smooth.height(), |x, y| {
        let Luma([value]) = *smooth.get_pixel(x, y);
        Luma([if f64::from(value) > lowered { 255 } else { 0 }])
    });
    let labels = connected_components(&binary, Connectivity::Eight, Luma([0]));
    let mut regions = measure(&labels, &gray);
    regions.retain(|region| region.area >= recipe.least_area);
    let odd = odd_test(&regions, recipe.odd_area);
    let mut number = 0;
    regions
        .iter()
        .map(|region| {
            number += 1;
            let class = if odd(region.area) {
                recipe.odd
            } else {
                recipe.usual
            };
            region.finish(number, class, &labels, split.dark)
        })
        .collect()
}

/// The image in gray with its darkest value at 0 and its brightest at 255, so that a 12-bit camera
/// in a 16-bit file is as good as an 8-bit one; nothing when all pixels are equal.
fn stretched(image: &DynamicImage) -> Option<GrayImage> {
    let deep = image.to_luma16();
    let low = deep.pixels().map(|Luma([value])| *value).min()?;
    let high = deep.pixels().map(|Luma([value])| *value).max()?;
    if high == low {
        return None;
    }
    let range = u32::from(high - low);
    Some(GrayImage::from_fn(deep.width(), deep.height(), |x, y| {
        let Luma([value]) = *deep.get_pixel(x, y);
        let scaled = u32::from(value - low) * 255 / range;
        Luma([u8::try_from(scaled).unwrap_or(u8::MAX)])
    }))
}

/// What a threshold does to an image.
struct Split {
    /// Mean brightness at or below the threshold.
    dark: f64,
    /// Variance between the two classes as a share of the whole.
    separation: f64,
}

impl Split {
    fn of(image: &GrayImage, level: u8) -> Self {
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        let (mut dark_count, mut dark_sum) = (0.0, 0.0);
        for Luma([value]) in image.pixels() {
            let brightness = f64::from(*value);
            count += 1.0;
            sum += brightness;
            squares += brightness * brightness;
            if *value <= level {
                dark_count += 1.0;
                dark_sum += brightness;
            }
        }
        let bright_count: f64 = count - dark_count;
        if dark_count < 1.0 || bright_count < 1.0 {
            return Self {
                dark: 0.0,
                separation: 0.0,
            };
        }
        let mean = sum / count;
        let dark = dark_sum / dark_count;
        let bright = (sum - dark_sum) / bright_count;
        let between = dark_count * (dark - mean).powi(2) + bright_count * (bright - mean).powi(2);
        Self {
            dark,
            separation: between / (squares - count * mean * mean),
        }
    }
}

fn odd_test(regions: &[Region], odd: OddArea) -> impl Fn(u32) -> bool {
    let mut areas: Vec<u32> = regions.iter().map(|region| region.area).collect();
    areas.sort_unstable();
    let median = f64::from(areas.get(areas.len() / 2).copied().unwrap_or(0));
    move |area| match odd {
        OddArea::Above(times) => f64::from(area) > median * times,
        OddArea::Below(times) => f64::from(area) < median * times,
    }
}

/// Sums over the pixels of one label.
struct Region {
    label: u32,
    area: u32,
    /// Pixel sides that face another label or the outside.
    sides: u32,
    brightness: f64,
    sum: [f64; 2],
    squares: [f64; 2],
    product: f64,
    bounds: Bounds,
    border: Vec<Point<i32>>,
}

fn measure(labels: &image::ImageBuffer<Luma<u32>, Vec<u32>>, gray: &GrayImage) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for (x, y, Luma([label])) in labels.enumerate_pixels() {
        let Some(index) = label.checked_sub(1).and_then(|i| usize::try_from(i).ok()) else {
            continue;
        };
        // Labels count up from 1, but not always in the order in which they are met.
        while regions.len() <= index {
            let next = u32::try_from(regions.len()).unwrap_or(u32::MAX);
            regions.push(Region::new(next.saturating_add(1)));
        }
        let sides = [
            (x.checked_sub(1), Some(y)),
            (x.checked_add(1), Some(y)),
            (Some(x), y.checked_sub(1)),
            (Some(x), y.checked_add(1)),
        ];
        let open = sides.iter().filter(|(x, y)| {
            let neighbor = x.zip(*y).and_then(|(x, y)| labels.get_pixel_checked(x, y));
            neighbor.is_none_or(|Luma([other])| other != label)
        });
        let open = u32::try_from(open.count()).unwrap_or(0);
        let Luma([brightness]) = *gray.get_pixel(x, y);
        if let Some(region) = regions.get_mut(index) {
            region.add(x, y, open, brightness);
        }
    }
    regions.retain(|region| region.area > 0);
    regions
}

impl Region {
    fn new(label: u32) -> Self {
        Self {
            label,
            area: 0,
            sides: 0,
            brightness: 0.0,
            sum: [0.0; 2],
            squares: [0.0; 2],
            product: 0.0,
            bounds: Bounds {
                left: u32::MAX,
                top: u32::MAX,
                right: 0,
                bottom: 0,
            },
            border: Vec::new(),
        }
    }

    fn add(&mut self, x: u32, y: u32, open_sides: u32, brightness: u8) {
        self.area += 1;
        self.sides += open_sides;
        self.brightness += f64::from(brightness);
        let (along, down) = (f64::from(x), f64::from(y));
        self.sum = [self.sum[0] + along, self.sum[1] + down];
        self.squares = [
            self.squares[0] + along * along,
            self.squares[1] + down * down,
        ];
        self.product += along * down;
        self.bounds = Bounds {
            left: self.bounds.left.min(x),
            top: self.bounds.top.min(y),
            right: self.bounds.right.max(x + 1),
            bottom: self.bounds.bottom.max(y + 1),
        };
        if open_sides > 0
            && let (Ok(x), Ok(y)) = (i32::try_from(x), i32::try_from(y))
        {
            self.border.push(Point::new(x, y));
        }
    }

    fn finish(
        &self,
        number: u32,
        class: &'static str,
        labels: &image::ImageBuffer<Luma<u32>, Vec<u32>>,
        dark: f64,
    ) -> Object {
        let count = f64::from(self.area);
        let [x, y] = self.sum.map(|sum| sum / count);
        let [major_axis, minor_axis] = self.axes(count, x, y);
        let intensity = self.brightness / count;
        let bounds = self.bounds;
        let mask = (bounds.left..bounds.right)
            .flat_map(|x| (bounds.top..bounds.bottom).map(move |y| (x, y)))
            .map(|(x, y)| labels.get_pixel_checked(x, y) == Some(&Luma([self.label])))
            .collect();
        Object {
            number,
            class,
            area: self.area,
            // A smooth border crosses on average 4/π pixel sides per pixel of its length.
            perimeter: f64::from(self.sides) * std::f64::consts::FRAC_PI_4,
            major_axis,
            minor_axis,
            feret: self.feret(),
            x,
            y,
            intensity,
            score: (0.5 + (intensity - dark) / 400.0).clamp(0.5, 0.99),
            bounds,
            mask,
        }
    }

    /// Axes of the ellipse with the same second moments; a pixel is a unit square, hence 1/12.
    fn axes(&self, count: f64, x: f64, y: f64) -> [f64; 2] {
        let along = self.squares[0] / count - x * x + 1.0 / 12.0;
        let down = self.squares[1] / count - y * y + 1.0 / 12.0;
        let mixed = self.product / count - x * y;
        let middle = f64::midpoint(along, down);
        let apart = ((along - down).powi(2) / 4.0 + mixed * mixed).sqrt();
        [middle + apart, middle - apart].map(|moment| 4.0 * moment.max(0.0).sqrt())
    }

    /// The largest distance between two border pixels, counted from outer side to outer side.
    fn feret(&self) -> f64 {
        let hull = convex_hull(self.border.as_slice());
        let mut largest: f64 = 0.0;
        for (index, one) in hull.iter().enumerate() {
            for other in hull.iter().skip(index + 1) {
                let (along, down) = (f64::from(one.x - other.x), f64::from(one.y - other.y));
                largest = largest.max(along.hypot(down));
            }
        }
        largest + 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe {
        level: 1.0,
        least_area: 5,
        usual: "Spot",
        odd: "Large spot",
        odd_area: OddArea::Above(3.0),
    };

    /// Bright rectangles `(left, top, width, height)` on a dark ground.
    fn picture(rectangles: &[[u32; 4]]) -> DynamicImage {
        GrayImage::from_fn(60, 40, |x, y| {
            let inside = rectangles.iter().any(|[left, top, width, height]| {
                (*left..left + width).contains(&x) && (*top..top + height).contains(&y)
            });
            Luma([if inside { 200 } else { 20 }])
        })
        .into()
    }

    #[test]
    fn rectangles_are_found_with_their_measures() {
        let objects = find_objects(
            &picture(&[[5, 5, 10, 10], [30, 10, 20, 4], [2, 30, 8, 8]]),
            &RECIPE,
        );
        assert_eq!(objects.len(), 3);
        let square = &objects[0];
        assert_eq!(square.number, 1);
        assert_eq!(square.class, "Spot");
        // Smoothing rounds the corners off.
        assert!((95..=100).contains(&square.area), "{}", square.area);
        assert!((square.x - 9.5).abs() < 0.01 && (square.y - 9.5).abs() < 0.01);
        let bar = &objects[1];
        assert_eq!(
            bar.bounds,
            Bounds {
                left: 30,
                top: 10,
                right: 50,
                bottom: 14
            }
        );
        assert!((bar.major_axis - 22.9).abs() < 0.6, "{}", bar.major_axis);
        assert!((bar.minor_axis - 4.6).abs() < 0.3, "{}", bar.minor_axis);
        assert!(bar.feret > 20.0 && bar.feret < 21.5, "{}", bar.feret);
        assert_eq!(bar.mask.len(), 80);
        let set = bar.mask.iter().filter(|set| **set).count();
        assert_eq!(set, usize::try_from(bar.area).unwrap());
    }

    #[test]
    fn large_regions_are_odd_and_specks_are_dropped() {
        let objects = find_objects(
            &picture(&[[2, 2, 6, 6], [20, 2, 6, 6], [40, 2, 18, 30], [2, 30, 2, 2]]),
            &RECIPE,
        );
        let mut classes: Vec<_> = objects.iter().map(|object| object.class).collect();
        classes.sort_unstable();
        assert_eq!(classes, ["Large spot", "Spot", "Spot"]);
    }

    #[test]
    fn a_flat_or_noisy_image_has_no_objects() {
        assert!(find_objects(&picture(&[]), &RECIPE).is_empty());
        let mut random = fastrand::Rng::with_seed(7);
        let noise = GrayImage::from_fn(80, 80, |_, _| Luma([random.u8(10..14)]));
        assert!(find_objects(&noise.into(), &RECIPE).is_empty());
    }
}
