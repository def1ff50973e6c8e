//! Addresses: of the interfaces, of the websites beside them, and what people paste of either.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::error::{Doing, Error, ErrorKind, Result};

/// Host of an interface and host of its website.
const WEBSITES: &[(&str, &str)] = &[
    (
        "api.sb.biodatacatalyst.nhlbi.nih.gov",
        "platform.sb.biodatacatalyst.nhlbi.nih.gov",
    ),
    ("cgc-api.sbgenomics.com", "cgc.sbgenomics.com"),
    ("cavatica-api.sbgenomics.com", "cavatica.sbgenomics.com"),
    ("eu-api.sbgenomics.com", "eu.sbgenomics.com"),
    ("api.sbgenomics.com", "igor.sbgenomics.com"),
];

/// A project, as its owner and its short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProjectId {
    pub(super) owner: String,
    pub(super) name: String,
}

impl ProjectId {
    /// As queries and bodies have it.
    pub(super) fn text(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// The base of an interface out of what was entered: `/v2` is added, and a page of a known website becomes its interface.
pub(super) fn interface(base_url: &str) -> String {
    let trimmed = base_url.trim_end_matches('/');
    if let Some((scheme, rest)) = trimmed.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        let known = |(_, website): &&(&str, &str)| host.eq_ignore_ascii_case(website);
        if let Some((interface, _)) = WEBSITES.iter().find(known) {
            return format!("{scheme}://{interface}/v2/");
        }
    }
    if trimmed.ends_with("/v2") {
        format!("{trimmed}/")
    } else {
        format!("{trimmed}/v2/")
    }
}

/// The website beside an interface, where it is known.
pub(super) fn website(base: &str) -> Option<String> {
    let (_, rest) = base.split_once("://")?;
    let host = rest.split('/').next()?;
    let (_, website) = WEBSITES
        .iter()
        .find(|(interface, _)| host.eq_ignore_ascii_case(interface))?;
    Some(format!("https://{website}"))
}

/// A project as typed, or out of the address of its page; none where nothing was entered.
pub(super) fn project(entered: &str) -> Result<Option<ProjectId>> {
    let entered = entered.trim().trim_matches('/');
    if entered.is_empty() {
        return Ok(None);
    }
    let path = match entered.split_once("/u/") {
        Some((_, path)) => path,
        None => entered,
    };
    let mut segments = path.split(['/', '?', '#']).map(str::trim);
    let (owner, name) = (segments.next(), segments.next());
    let is_page = path.len() < entered.len();
    match (owner, name, segments.next()) {
        (Some(owner), Some(name), rest)
            if !owner.is_empty() && !name.is_empty() && (is_page || rest.is_none()) =>
        {
            Ok(Some(ProjectId {
                owner: owner.to_owned(),
                name: name.to_owned(),
            }))
        }
        _ => Err(Error::new(ErrorKind::Invalid, Doing::Connect)
            .hint("A project is named by its owner and its short name, such as john_doe/plate-7")),
    }
}

/// The identifier of a task in a text or in the address of its page.
pub(super) fn task_id(text: &str) -> Option<String> {
    static UUID: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b").ok()
    });
    let found = UUID.as_ref()?.find_iter(text).last()?;
    Some(found.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_added_and_websites_become_interfaces() {
        for (entered, base) in [
            (
                "https://api.sbgenomics.com/",
                "https://api.sbgenomics.com/v2/",
            ),
            (
                "https://api.sbgenomics.com/v2/",
                "https://api.sbgenomics.com/v2/",
            ),
            ("http://127.0.0.1:4000/v2/", "http://127.0.0.1:4000/v2/"),
            (
                "https://sb.example.org/proxy/",
                "https://sb.example.org/proxy/v2/",
            ),
            (
                "https://platform.sb.biodatacatalyst.nhlbi.nih.gov/u/john_doe/plate-7/",
                "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2/",
            ),
        ] {
            assert_eq!(interface(entered), base);
        }
        assert_eq!(
            website("https://cgc-api.sbgenomics.com/v2/").as_deref(),
            Some("https://cgc.sbgenomics.com")
        );
        assert_eq!(website("http://127.0.0.1:4000/v2/"), None);
    }

    #[test]
    fn projects_have_an_owner() {
        let text = |entered: &str| project(entered).map(|id| id.map(|id| id.text()));
        assert_eq!(
            text(" john_doe/plate-7/ "),
            Ok(Some("john_doe/plate-7".into()))
        );
        assert_eq!(
            text("https://cgc.sbgenomics.com/u/John_Doe/plate-7/tasks/?page=1"),
            Ok(Some("John_Doe/plate-7".into()))
        );
        assert_eq!(text(" "), Ok(None));
        for wrong in ["plate-7", "a/b/c", "/a//b"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tasks_are_found_in_what_is_pasted() {
        let id = "0b1c2d3e-4f50-4a61-8b72-9c83ad94be05";
        for pasted in [
            id.to_owned(),
            format!(" {} ", id.to_uppercase()),
            format!("https://igor.sbgenomics.com/u/a/b/tasks/{id}/#stats"),
        ] {
            assert_eq!(task_id(&pasted).as_deref(), Some(id));
        }
        assert_eq!(task_id("66a1f0c2d3e4b5a697887701"), None);
    }
}
