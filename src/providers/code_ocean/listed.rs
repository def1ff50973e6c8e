//! One result as a level of the tree lists it: its path, which must stay below the results, and what it is to the engine.

use crate::model::remote::Output;
use crate::providers::code_ocean::wire::{Item, filled};

/// The path below the results, as the service spells it; none where it would lead out of them.
pub(super) fn path_of(item: &Item, folder: &str) -> Option<String> {
    let path = filled(item.path.clone()).or_else(|| {
        let name = filled(item.name.clone())?;
        Some(if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        })
    })?;
    let leads_out = path
        .split(['/', '\\'])
        .any(|segment| segment == ".." || segment == ".")
        || path.trim_matches('/').is_empty();
    (!leads_out).then_some(path)
}

/// As the engine takes it.
pub(super) fn output(item: &Item, path: String) -> Output {
    let name = path.trim_matches('/').to_owned();
    Output {
        unpack: name.to_ascii_lowercase().ends_with(".zip"),
        size_bytes: item.size_bytes(),
        id: path,
        name,
        sha256: None,
        on_request: false,
    }
}
