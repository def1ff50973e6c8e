//! How this computer's region writes numbers, for copies that a spreadsheet opens.

use crate::results::table::protect::Region;

/// Languages and regions that write a decimal comma (Unicode CLDR 46, `numbers/symbols/decimal`): whole languages first,
/// then regions of languages that differ.
const COMMA_LANGUAGES: [&str; 39] = [
    "af", "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fo", "fr",
    "gl", "hr", "hu", "hy", "id", "is", "it", "ka", "kk", "lt", "lv", "mk", "nb", "nl", "nn", "no",
    "pl", "pt", "ro", "ru", "sk", "sl", "tr",
];
const MORE_COMMA_LANGUAGES: [&str; 5] = ["sq", "sr", "sv", "uk", "vi"];
/// Exceptions of those languages.
const POINT_REGIONS: [&str; 14] = [
    "de-ch", "de-li", "it-ch", "es-mx", "es-us", "es-pr", "es-do", "es-gt", "es-hn", "es-ni",
    "es-pa", "es-pe", "es-sv", "es-cu",
];

impl Region {
    /// From a language tag such as `de-AT` or `en_US.UTF-8`.
    pub fn of_tag(tag: &str) -> Self {
        let tag = tag.to_lowercase().replace('_', "-");
        let tag = tag.split(['.', '@']).next().unwrap_or_default();
        let language = tag.split('-').next().unwrap_or_default();
        let comma = (COMMA_LANGUAGES.contains(&language)
            || MORE_COMMA_LANGUAGES.contains(&language))
            && !POINT_REGIONS.contains(&tag);
        if comma {
            Self {
                separator: b';',
                decimal: ',',
            }
        } else {
            Self {
                separator: b',',
                decimal: '.',
            }
        }
    }

    /// This computer's, as its settings for numbers or its language say.
    pub fn of_this_computer() -> Self {
        // `sys-locale` knows the language; on Linux numbers may have a setting of their own.
        let numbers = ["LC_ALL", "LC_NUMERIC"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let tag = numbers.or_else(sys_locale::get_locale).unwrap_or_default();
        Self::of_tag(&tag)
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::protect::Region;

    #[test]
    fn regions_have_their_marks() {
        for (tag, decimal) in [
            ("de-DE", ','),
            ("de_CH.UTF-8", '.'),
            ("en-US", '.'),
            ("fr", ','),
            ("es-MX", '.'),
            ("pt_BR.UTF-8", ','),
            ("C", '.'),
            ("", '.'),
            ("sv_SE@euro", ','),
            ("ja-JP", '.'),
        ] {
            assert_eq!(Region::of_tag(tag).decimal, decimal, "{tag}");
        }
    }
}
