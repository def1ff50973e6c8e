//! Which addresses there are: suffixes, slashes, and what stands at each.

use crate::providers::analytics_automated::sim::names::is_identifier;

/// What an address under the root stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Submissions,
    Batch(&'a str),
    Single(&'a str),
    Endpoints,
    JobTimes,
    Jobs,
    Job(&'a str),
}

impl Place<'_> {
    /// The views of submissions know GET and POST only, and break down on HEAD.
    pub(super) fn is_submission(&self) -> bool {
        matches!(self, Self::Submissions | Self::Batch(_) | Self::Single(_))
    }

    pub(super) fn allow(&self) -> &'static str {
        if self.is_submission() {
            "GET, POST, HEAD, OPTIONS"
        } else {
            "GET, HEAD, OPTIONS"
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A place, and the format named by a suffix.
    Place(Place<'a>, Option<&'a str>),
    /// Known only with a slash at its end.
    WithoutSlash,
    Nothing,
}

/// Finds what a path below the root stands for.
pub(super) fn locate(path: &str) -> Found<'_> {
    let lists = [
        ("submission", Place::Submissions),
        ("endpoints", Place::Endpoints),
        ("jobtimes", Place::JobTimes),
        ("job", Place::Jobs),
    ];
    for (word, place) in lists {
        match path.strip_prefix(word) {
            Some("/") => return Found::Place(place, None),
            Some("") => return Found::WithoutSlash,
            Some(rest) => {
                if let Some(suffix) = rest.strip_prefix('.') {
                    let suffix = suffix.strip_suffix('/').unwrap_or(suffix);
                    return Found::Place(place, Some(suffix));
                }
            }
            None => {}
        }
    }
    if let Some(name) = path.strip_prefix("job/") {
        return if name.contains('/') {
            Found::Nothing
        } else {
            Found::Place(Place::Job(name), None)
        };
    }
    let Some(rest) = path.strip_prefix("submission/") else {
        return Found::Nothing;
    };
    let (rest, single) = match rest.strip_prefix("single/") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (uuid, suffix) = match rest.split_once('.') {
        Some((uuid, suffix)) => (uuid, Some(suffix)),
        None => (rest, None),
    };
    match (is_identifier(uuid), single) {
        (false, _) => Found::Nothing,
        (true, true) => Found::Place(Place::Single(uuid), suffix),
        (true, false) => Found::Place(Place::Batch(uuid), suffix),
    }
}

/// A value of a query, still percent-encoded.
pub(super) fn query_value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}
