//! Colors of plots, the same on screen and in a saved picture.
//!
//! Categories have the eight colors of Okabe and Ito (Color Universal Design, 2008), told apart by nearly everyone, then
//! darker or lighter forms of them; scales go through five colors of *viridis* (van der Walt and Smith 2015).

const GROUPS: [[u8; 3]; 12] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [213, 94, 0],
    [150, 140, 20],
    [110, 110, 110],
    [0, 60, 100],
    [140, 60, 0],
    [0, 90, 65],
    [170, 170, 170],
];

const SCALE: [[u8; 3]; 5] = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
];

/// The color of a category: red, green, blue.
pub fn group(number: u8) -> [u8; 3] {
    let [first, ..] = GROUPS;
    let at = usize::from(number).min(GROUPS.len() - 1);
    GROUPS.get(at).copied().unwrap_or(first)
}

/// The color of a place on a scale, 0 to 255.
pub fn scale(place: u8) -> [u8; 3] {
    let [first, ..] = SCALE;
    let along = f32::from(place) / 255.0 * (SCALE.len() - 1) as f32;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 4"
    )]
    let at = (along as usize).min(SCALE.len() - 2);
    let share = along - at as f32;
    let (from, to) = (
        SCALE.get(at).copied().unwrap_or(first),
        SCALE.get(at + 1).copied().unwrap_or(first),
    );
    std::array::from_fn(|channel| {
        let of = |color: [u8; 3]| color.get(channel).copied().map_or(0.0, f32::from);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two bytes"
        )]
        let mixed = (of(from) + (of(to) - of(from)) * share).round() as u8;
        mixed
    })
}
