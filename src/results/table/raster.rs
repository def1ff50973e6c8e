//! Points as pixels: a million of them drawn aside, once for each look, so that no frame on screen waits.

use crate::model::table::{Frame, PointColor, Points, Raster};

/// Half the side of a point, in pixels, by how many there are at most.
const SIZES: [(usize, i64); 2] = [(2_000, 3), (20_000, 2)];
/// The same of more.
const MANY: i64 = 1;

/// Draws the points that lie in a frame. Later points cover earlier ones.
pub fn draw(points: &Points, frame: Frame) -> Raster {
    let [left, right, bottom, top] = frame.bounds;
    let (width, height) = (i64::from(frame.width), i64::from(frame.height));
    let pixels = usize::try_from(width * height).unwrap_or(0);
    let mut colors = vec![0_u16; pixels];
    let size = SIZES.iter().find(|(most, _)| points.x.len() <= *most);
    let half = size.map_or(MANY, |(_, half)| *half);
    let across = f64::from(frame.width) / (right - left);
    let down = f64::from(frame.height) / (top - bottom);
    for (at, (x, y)) in points.x.iter().zip(&points.y).enumerate() {
        let (x, y) = ((x - left) * across, (top - y) * down);
        if !(-4.0..=f64::from(frame.width) + 4.0).contains(&x)
            || !(-4.0..=f64::from(frame.height) + 4.0).contains(&y)
        {
            continue;
        }
        let color = 1 + u16::from(match &points.color {
            PointColor::One => 0,
            PointColor::Groups { group: places, .. } | PointColor::Scale { place: places, .. } => {
                places.get(at).copied().unwrap_or_default()
            }
        });
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a pixel, just checked to be near the frame"
        )]
        let (x, y) = (x.floor() as i64, y.floor() as i64);
        for row in (y - half + 1).max(0)..(y + half).min(height) {
            for column in (x - half + 1).max(0)..(x + half).min(width) {
                let place = usize::try_from(row * width + column).unwrap_or(usize::MAX);
                if let Some(pixel) = colors.get_mut(place) {
                    *pixel = color;
                }
            }
        }
    }
    Raster { frame, colors }
}

#[cfg(test)]
mod tests {
    use crate::model::table::{Frame, PointColor, Points};
    use crate::results::table::raster::draw;

    #[test]
    fn points_are_where_they_belong() {
        let points = Points {
            x: vec![0.5, 9.5, 50.0, f64::NAN],
            y: vec![0.5, 9.5, 5.0, 1.0],
            color: PointColor::Groups {
                group: vec![0, 2, 1, 1],
                names: Vec::new(),
            },
            bounds: [0.5, 50.0, 0.5, 9.5],
        };
        let frame = Frame {
            bounds: [0.0, 10.0, 0.0, 10.0],
            width: 10,
            height: 10,
        };
        let raster = draw(&points, frame);
        assert_eq!(raster.colors.len(), 100);
        // The first at the bottom left, the second at the top right; the others are not in the frame.
        assert_eq!((raster.colors[90], raster.colors[9]), (1, 3));
        assert!(raster.colors.iter().all(|color| [0, 1, 3].contains(color)));
        assert_eq!(raster.colors[44], 0);
    }
}
