//! Folders in the project, made when they are not there.

use serde_json::{Map, Value as Json, json};

use crate::model::error::{Doing, ErrorKind, Result};
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::wire::files::{FILE_FIELDS, File};

impl Client {
    /// The folder of this path, made where it is missing; none for the project's own. What was seen before is believed
    /// unless it is to be looked for `anew`.
    pub(super) async fn folder(&self, path: &str, anew: bool) -> Result<Option<String>> {
        // Held meanwhile: uploads side by side want the same folder, and one of them makes it.
        let mut known = self.folders.lock().await;
        let mut parent: Option<String> = None;
        let mut so_far = String::new();
        for name in path
            .split('/')
            .map(folder_name)
            .filter(|name| !name.is_empty())
        {
            so_far.push('/');
            so_far.push_str(&name);
            let id = match known.get(&so_far).filter(|_| !anew) {
                Some(id) => id.clone(),
                None => self.find_or_make(parent.as_deref(), &name).await?,
            };
            known.insert(so_far.clone(), id.clone());
            parent = Some(id);
        }
        Ok(parent)
    }

    /// A place for a file or folder, as field and identifier: in a folder, or at the top of the project.
    pub(super) fn place(&self, folder: Option<&str>) -> Result<(&'static str, String)> {
        Ok(match folder {
            Some(folder) => ("parent", folder.to_owned()),
            None => ("project", self.project(Doing::Upload)?.text()),
        })
    }

    async fn find_or_make(&self, parent: Option<&str>, name: &str) -> Result<String> {
        if let Some(id) = self.find_folder(parent, name).await? {
            return Ok(id);
        }
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(name));
        body.insert("type".to_owned(), json!("folder"));
        let (field, id) = self.place(parent)?;
        body.insert(field.to_owned(), json!(id));
        let body = Json::Object(body);
        // Twice is the same as once: a second one of the name is refused.
        let made = self
            .api()
            .post_json(&["files"], &body, Idempotent::Yes, Doing::Upload)
            .await;
        match made {
            Ok(reply) => Ok(reply.json::<File>()?.id),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.find_folder(parent, name).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn find_folder(&self, parent: Option<&str>, name: &str) -> Result<Option<String>> {
        let (field, id) = self.place(parent)?;
        let query = [
            (field, id.as_str()),
            ("name", name),
            ("fields", FILE_FIELDS),
        ];
        let files: Vec<File> = self.all(&["files"], &query, Doing::Upload).await?;
        Ok(files
            .into_iter()
            .find(|file| file.is_folder() && file.name.as_deref() == Some(name))
            .map(|file| file.id))
    }
}

/// Names of folders must not begin with two underscores.
fn folder_name(name: &str) -> String {
    let name = name.trim();
    match name.strip_prefix("__") {
        Some(rest) => format!("_{}", rest.trim_start_matches('_')),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::folder_name;

    #[test]
    fn names_do_not_begin_with_two_underscores() {
        for (wished, name) in [("__x", "_x"), ("____", "_"), ("_x", "_x"), (" a ", "a")] {
            assert_eq!(folder_name(wished), name);
        }
    }
}
