//! Text from elsewhere on a screen, in a terminal or in a line of the log: nothing in it may steer those.

/// Whether a character is not shown but steers: a terminal (controls, those of C1 too), the direction of writing, or the
/// look of what stands beside it without being seen itself.
pub fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

/// On one line: line breaks and tabs as blanks, each other character that steers as `\u{fffd}`.
pub fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => ' ',
            character if steers(character) => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// As it is but for what steers; line breaks and tabs stay.
pub fn lines(text: &str) -> String {
    text.replace(
        |character| steers(character) && !matches!(character, '\n' | '\t'),
        "\u{fffd}",
    )
}

/// What steers written out as `\u{1b}`, so that a line stays one line and can be told from what it pretends to be.
pub fn written_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_replaced_and_the_rest_stays() {
        let hostile = "a\u{1b}[31mb\r\nc\u{9b}2Jd\u{202e}e\u{7f}\u{0}\tü世";
        assert_eq!(
            on_one_line(hostile),
            "a\u{fffd}[31mb  c\u{fffd}2Jd\u{fffd}e\u{fffd}\u{fffd} ü世"
        );
        assert_eq!(lines("a\tb\nc\rd"), "a\tb\nc\u{fffd}d");
        assert_eq!(written_out("a\u{1b}b\n"), "a\\u{1b}b\\u{a}");
        assert_eq!(on_one_line("Größe 5 µm, α=0.5"), "Größe 5 µm, α=0.5");
    }
}
