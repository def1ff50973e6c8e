//! The pipeline that looks at images: size and brightness of each. Any other file is named and left alone.

use image::{DynamicImage, ImageReader};

use crate::providers::code_ocean::sim::order::{Input, Scope};
use crate::providers::code_ocean::sim::work::{Findings, Trouble, stem, table};

const COLUMNS: [&str; 7] = ["file", "width", "height", "min", "max", "mean", "median"];

/// What the form said.
struct Settings {
    channel: String,
    least_width: u32,
    histograms: bool,
    bins: usize,
    scale: f64,
}

impl Settings {
    fn read(scopes: &[Scope]) -> Result<Self, String> {
        let scope = |name: &str| scopes.iter().find(|scope| scope.name == name);
        let read = scope("capsule_read_1");
        let ordered = |place: usize| read.and_then(|scope| scope.ordered.get(place));
        let measure = scope("capsule_measure_2");
        let named = |name: &str| measure.and_then(|scope| scope.named.get(name));
        let settings = Self {
            channel: ordered(0).map_or_else(|| "gray".to_owned(), Clone::clone),
            least_width: number("Smallest width", ordered(1), 1)?,
            histograms: named("histograms").is_none_or(|text| text != "false"),
            bins: number("--bins", named("bins"), 16)?,
            scale: number("--scale", named("scale"), 1.0)?,
        };
        if !["gray", "red", "green", "blue"].contains(&settings.channel.as_str()) {
            return Err(format!("channel {}: not known", settings.channel));
        }
        if settings.bins < 2 {
            return Err("--bins: needs at least 2".to_owned());
        }
        Ok(settings)
    }
}

fn number<T: std::str::FromStr>(name: &str, text: Option<&String>, usual: T) -> Result<T, String> {
    match text {
        None => Ok(usual),
        Some(text) => text
            .parse()
            .map_err(|_error| format!("{name} {text}: not a number")),
    }
}

/// Looks at all inputs.
pub(super) fn look(
    findings: &mut Findings,
    scopes: &[Scope],
    inputs: &[Input],
    go_on: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let settings = match Settings::read(scopes) {
        Ok(settings) => settings,
        Err(why) => {
            findings.give_up(&why);
            return Ok(());
        }
    };
    let mut rows = Vec::new();
    let mut histograms = Vec::new();
    for (input, number) in inputs.iter().zip(1_u32..) {
        if !go_on() {
            return Err("stopped".into());
        }
        let image = ImageReader::open(&input.disk)?
            .with_guessed_format()?
            .decode();
        let why = match image {
            Ok(image) if image.width() < settings.least_width => "it is too small",
            Ok(image) => {
                let levels = levels(&image, &settings.channel);
                rows.push(row(&input.path, &image, &levels, settings.scale));
                if settings.histograms {
                    let name = format!("{number} {} – histogram.csv", stem(&input.path));
                    histograms.push((name, histogram(&levels, settings.bins)?));
                }
                findings.log.push(format!("{}: measured", input.path));
                continue;
            }
            Err(_) => "it is not an image",
        };
        findings.log.push(format!("{}: skipped, {why}", input.path));
        findings.skipped.push((input.path.clone(), why.to_owned()));
    }
    let statistics = table(&COLUMNS, rows)?;
    let name = "image statistics.csv".to_owned();
    findings.files.push((name, statistics));
    findings.pack("histograms.zip", &histograms)?;
    for (name, bytes) in histograms {
        findings.files.push((format!("histograms/µ/{name}"), bytes));
    }
    Ok(())
}

/// Brightness of all pixels in order of size, in the image's own depth.
fn levels(image: &DynamicImage, channel: &str) -> Vec<u16> {
    let deep = image.color().bytes_per_pixel() / image.color().channel_count() > 1;
    let place = match channel {
        "red" => Some(0),
        "green" => Some(1),
        "blue" => Some(2),
        _ => None,
    };
    let mut levels: Vec<u16> = match (deep, place) {
        (false, None) => image
            .to_luma8()
            .into_raw()
            .into_iter()
            .map(u16::from)
            .collect(),
        (true, None) => image.to_luma16().into_raw(),
        (false, Some(place)) => {
            let pixels = image.to_rgb8().into_raw();
            pixels
                .into_iter()
                .skip(place)
                .step_by(3)
                .map(u16::from)
                .collect()
        }
        (true, Some(place)) => {
            let pixels = image.to_rgb16().into_raw();
            pixels.into_iter().skip(place).step_by(3).collect()
        }
    };
    levels.sort_unstable();
    levels
}

fn row(file: &str, image: &DynamicImage, levels: &[u16], scale: f64) -> Vec<String> {
    let level = |level: Option<&u16>| level.map_or(0.0, |level| f64::from(*level) * scale);
    let sum: f64 = levels.iter().map(|level| f64::from(*level)).sum();
    let mean = sum / levels.len().max(1) as f64 * scale;
    vec![
        file.to_owned(),
        image.width().to_string(),
        image.height().to_string(),
        level(levels.first()).to_string(),
        level(levels.last()).to_string(),
        format!("{mean:.3}"),
        level(levels.get(levels.len() / 2)).to_string(),
    ]
}

fn histogram(levels: &[u16], bins: usize) -> Result<Vec<u8>, Trouble> {
    let least = levels.first().copied().unwrap_or(0);
    let most = levels.last().copied().unwrap_or(0);
    let range = usize::from(most - least) + 1;
    let bins = bins.min(range);
    let mut counts = vec![0_u64; bins];
    for level in levels {
        let place = usize::from(level - least) * bins / range;
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let rows = counts.iter().enumerate().map(|(bin, count)| {
        let start = usize::from(least) + bin * range / bins;
        vec![start.to_string(), count.to_string()]
    });
    table(&["from", "pixels"], rows)
}
