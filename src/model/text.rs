//! A part of a text as the preview pane shows it.

/// The beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPage {
    /// The text.
    pub text: String,
    /// How it was read, such as `UTF-8`.
    pub encoding: String,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// Whether the file goes on behind `text`.
    pub more: bool,
}
