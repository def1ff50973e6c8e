//! Natural order of texts: `A2` before `A10`, capitals like small letters, digits by value however long.
//!
//! A text becomes a key whose bytes compare like the texts should, so that keys can be kept, cut and compared cheaply.

/// Appends the key of a text.
pub(crate) fn push_key(text: &str, key: &mut Vec<u8>) {
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, behind) = rest.split_at_checked(digits).unwrap_or((rest, ""));
            rest = behind;
            let number = number.trim_start_matches('0').as_bytes();
            // More digits are a larger number; of equally many the first different one decides.
            key.push(b'0');
            let mut length = number.len();
            while length >= 255 {
                key.push(255);
                length -= 255;
            }
            key.push(u8::try_from(length).unwrap_or(255));
            key.extend_from_slice(number);
        } else {
            for small in first.to_lowercase() {
                let mut bytes = [0_u8; 4];
                key.extend_from_slice(small.encode_utf8(&mut bytes).as_bytes());
            }
            let mut chars = rest.chars();
            chars.next();
            rest = chars.as_str();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::natural::push_key;

    fn key(text: &str) -> Vec<u8> {
        let mut key = Vec::new();
        push_key(text, &mut key);
        key
    }

    #[test]
    fn texts_stand_as_a_person_would_put_them() {
        let sorted = [
            "",
            "-5",
            "0",
            "2",
            "10",
            "9007199254740992",
            "9007199254740993",
            "A1",
            "a2",
            "A02b",
            "A10",
            "A10x",
            "b1.9",
            "b1.10",
            "plate 2 well 9",
            "plate 2 well 11",
            "plate 10 well 1",
            "Ä",
            "世",
        ];
        for pair in sorted.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        assert_eq!(key("Cell"), key("cELL"));
        assert_eq!(key("x007"), key("x7"));
        let long = "1".repeat(300);
        assert!(key("9".repeat(254).as_str()) < key(&long));
        assert!(key(&long) < key(&"1".repeat(600)));
    }
}
