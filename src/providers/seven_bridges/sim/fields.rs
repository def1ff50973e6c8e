//! Which members of an object are sent: the `fields` of a query.
//!
//! Owns names, names behind an exclamation mark, dots for what is inside, and `_all`.

use serde_json::{Map, Value};

/// A choice of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    everything: bool,
    wanted: Vec<Vec<String>>,
    unwanted: Vec<Vec<String>>,
}

impl Fields {
    /// Reads the query; without a choice of its own `usual` decides, an empty one being everything. Names behind an
    /// exclamation mark alone take away from the usual.
    pub(super) fn new(asked: Option<&str>, usual: &[&str]) -> Self {
        let mut fields = Self::default();
        for name in asked.unwrap_or_default().split(',').map(str::trim) {
            let path = |name: &str| name.split('.').map(str::to_owned).collect();
            match name.strip_prefix('!') {
                _ if name.is_empty() => {}
                Some(name) => fields.unwanted.push(path(name)),
                None if name == "_all" => fields.everything = true,
                None => fields.wanted.push(path(name)),
            }
        }
        if fields.wanted.is_empty() && !fields.everything {
            fields.everything = usual.is_empty();
            fields.wanted = usual.iter().map(|name| vec![(*name).to_owned()]).collect();
        }
        fields
    }

    /// Everything.
    pub(super) fn all() -> Self {
        Self::new(None, &[])
    }

    /// Whether a member, or something inside it, is wanted: what is large is not made for nothing.
    pub(super) fn wants(&self, name: &str) -> bool {
        let starts = |path: &Vec<String>| path.first().is_some_and(|first| first == name);
        let taken_away = |path: &Vec<String>| path.len() == 1 && starts(path);
        (self.everything || self.wanted.iter().any(starts)) && !self.unwanted.iter().any(taken_away)
    }

    /// What is left of an object.
    pub(super) fn shape(&self, value: Value) -> Value {
        let mut shaped = if self.everything {
            value
        } else {
            let mut kept = Value::Object(Map::new());
            for path in &self.wanted {
                keep(&value, path, &mut kept);
            }
            kept
        };
        for path in &self.unwanted {
            take_away(&mut shaped, path);
        }
        shaped
    }
}

fn keep(from: &Value, path: &[String], into: &mut Value) {
    let (Some((name, rest)), Some(into)) = (path.split_first(), into.as_object_mut()) else {
        return;
    };
    let Some(value) = from.get(name) else {
        return;
    };
    if rest.is_empty() || !value.is_object() {
        into.insert(name.clone(), value.clone());
    } else {
        let empty = || Value::Object(Map::new());
        keep(value, rest, into.entry(name.clone()).or_insert_with(empty));
    }
}

fn take_away(from: &mut Value, path: &[String]) {
    let (Some((name, rest)), Some(from)) = (path.split_first(), from.as_object_mut()) else {
        return;
    };
    if rest.is_empty() {
        from.remove(name);
    } else if let Some(inner) = from.get_mut(name) {
        take_away(inner, rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_chosen() {
        let file = json!({"id": "1", "name": "a", "metadata": {"sample_id": "S", "library": "L"}});
        let shape = |asked, usual: &[&str]| Fields::new(asked, usual).shape(file.clone());
        assert_eq!(shape(None, &["id"]), json!({"id": "1"}));
        assert_eq!(shape(None, &[]), file);
        assert_eq!(shape(Some("_all"), &["id"]), file);
        assert_eq!(
            shape(Some("id,metadata.sample_id,nothing"), &["name"]),
            json!({"id": "1", "metadata": {"sample_id": "S"}})
        );
        assert_eq!(shape(Some("!name"), &["id", "name"]), json!({"id": "1"}));
        assert_eq!(
            shape(Some("_all,!metadata.library,!id"), &["id"]),
            json!({"name": "a", "metadata": {"sample_id": "S"}})
        );
        assert!(!Fields::new(Some("_all,!name"), &[]).wants("name"));
        assert!(Fields::new(Some("metadata.sample_id"), &[]).wants("metadata"));
    }
}
