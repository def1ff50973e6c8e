//! How the bytes of a table are read: guessed, or as a person says.

/// How bytes become letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    #[default]
    Utf8,
    /// With the three-byte mark Excel writes in front.
    Utf8Marked,
    Utf16Le,
    Utf16Be,
    /// What is left: Latin-1 and its Windows form, in which every byte means something.
    Windows1252,
}

impl Encoding {
    /// Those a person can choose.
    pub const CHOICES: [Self; 4] = [Self::Utf8, Self::Windows1252, Self::Utf16Le, Self::Utf16Be];

    /// As a person knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Marked => "UTF-8 with byte-order mark",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// The same where the two orders of UTF-16 have to be told apart.
    pub const fn choice_name(self) -> &'static str {
        match self {
            Self::Utf16Le => "UTF-16, little-endian",
            Self::Utf16Be => "UTF-16, big-endian",
            Self::Windows1252 => "Windows-1252 (Latin-1)",
            Self::Utf8 | Self::Utf8Marked => self.name(),
        }
    }
}

/// What a person says about a table instead of letting it be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadAs {
    /// How bytes are letters.
    pub encoding: Option<Encoding>,
    /// Between two cells.
    pub delimiter: Option<u8>,
    /// Around cells; `Some(None)` means that quotes are ordinary letters.
    pub quote: Option<Option<u8>>,
    /// In numbers, `.` or `,`.
    pub decimal: Option<char>,
    /// Whether the first record names the columns.
    pub header: Option<bool>,
}

/// How a table was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In words, such as `comma, UTF-8`.
    pub words: String,
    /// Between two cells.
    pub delimiter: u8,
    /// Around cells; none where quotes are ordinary letters.
    pub quote: Option<u8>,
    /// In numbers, `.` or `,`.
    pub decimal: char,
    /// Whether the first record names the columns.
    pub header: bool,
    /// How the bytes are letters.
    pub encoding: Encoding,
    /// How sure the guess of the delimiter is, in percent: the share of the rows looked at that have the commonest number of
    /// cells. None where nothing was guessed, and where there is a single column.
    pub confidence_percent: Option<u8>,
    /// What a person said about it.
    pub said: ReadAs,
}
