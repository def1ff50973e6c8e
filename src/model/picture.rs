//! A picture as the preview pane shows it.

/// A picture ready to be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in the file, in pixels.
    pub full_width: u32,
    /// Height in the file, in pixels.
    pub full_height: u32,
    /// Width of `rgba`, in pixels; smaller than the file for large pictures.
    pub width: u32,
    /// Height of `rgba`, in pixels.
    pub height: u32,
    /// Rows from the top, four bytes a pixel.
    pub rgba: Vec<u8>,
    /// A few words on the file, such as `16-bit gray`.
    pub about: String,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Picture({} × {}, {})",
            self.full_width, self.full_height, self.about
        )
    }
}
