//! The files and folders of all projects.
//!
//! Owns ids, names within a folder and where the bytes are. What is answered about them is in `files`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::call::Call;
use crate::providers::seven_bridges::sim::{new_id, time_text};

/// Bytes on this computer, shared by copies of a file and removed with the last of them.
#[derive(Debug)]
pub(super) struct Blob {
    /// Where they are; the name alone is what a signed link tells.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

impl Drop for Blob {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "a file of the sandbox was gone already");
        }
    }
}

impl Blob {
    /// Writes bytes under a new name.
    pub(super) fn write(folder: &Path, bytes: &[u8]) -> std::io::Result<Arc<Self>> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(new_id());
        let mut file = std::fs::File::create_new(&path)?;
        std::io::Write::write_all(&mut file, bytes)?;
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Arc::new(Self { path, bytes }))
    }

    /// Its name at the storage.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// What is behind an entry.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Folder,
    File(Arc<Blob>),
}

/// A file or a folder.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project: String,
    /// The folder it is in; a project's root is in none, and neither is a log.
    pub(super) parent: Option<String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) content: Content,
    pub(super) tags: Vec<Value>,
    pub(super) metadata: Map<String, Value>,
    /// The task that made it.
    pub(super) origin: Option<String>,
    /// Whether it is on a volume that is switched off.
    pub(super) offline: bool,
}

impl Item {
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.content, Content::Folder)
    }

    /// The bytes of a file.
    pub(super) fn blob(&self) -> Option<&Arc<Blob>> {
        match &self.content {
            Content::Folder => None,
            Content::File(blob) => Some(blob),
        }
    }

    /// Everything about it.
    pub(super) fn describe(&self, call: &Call, upper_case: bool) -> Value {
        let kind = if self.is_folder() { "folder" } else { "file" };
        let kind = if upper_case {
            kind.to_uppercase()
        } else {
            kind.to_owned()
        };
        let mut entry = json!({
            "href": call.href(&format!("/files/{}", self.id)),
            "id": self.id,
            "name": self.name,
            "project": self.project,
            "parent": self.parent,
            "type": kind,
            "created_on": time_text(self.created),
            "modified_on": time_text(self.modified),
        });
        let (Some(blob), Some(members)) = (self.blob(), entry.as_object_mut()) else {
            return entry;
        };
        let storage = if self.offline {
            json!({"type": "VOLUME", "volume": "john_doe/cold", "location": self.name, "hosted_on_locations": []})
        } else {
            json!({"type": "PLATFORM", "hosted_on_locations": ["aws:us-east-1"]})
        };
        let origin = self.origin.as_ref();
        let more = [
            ("size", json!(blob.bytes)),
            ("storage", storage),
            (
                "origin",
                origin.map_or(json!({}), |task| json!({ "task": task })),
            ),
            ("tags", json!(self.tags)),
            ("metadata", json!(self.metadata)),
        ];
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
        entry
    }
}

/// What a new entry is made of.
#[derive(Debug)]
pub(super) struct NewItem<'a> {
    pub(super) name: &'a str,
    pub(super) parent: &'a str,
    pub(super) content: Content,
    pub(super) metadata: Map<String, Value>,
    pub(super) origin: Option<&'a str>,
}

impl<'a> NewItem<'a> {
    /// Without metadata or origin.
    pub(super) fn plain(name: &'a str, parent: &'a str, content: Content) -> Self {
        Self {
            name,
            parent,
            content,
            metadata: Map::new(),
            origin: None,
        }
    }
}

/// A folder that is not there, or a name that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    NoFolder,
    NameTaken,
}

/// All entries.
#[derive(Debug, Default)]
pub(super) struct Files {
    items: BTreeMap<String, Item>,
    /// Ids of what is in a folder, oldest first.
    children: BTreeMap<String, Vec<String>>,
    /// Id by folder and name.
    names: BTreeMap<(String, String), String>,
    /// The root folder by project.
    roots: BTreeMap<String, String>,
}

impl Files {
    /// The root folder of a project, made when it is first asked for.
    pub(super) fn root(&mut self, project: &str, now: Timestamp) -> String {
        if let Some(root) = self.roots.get(project) {
            return root.clone();
        }
        let root = bare(project, project, now, Content::Folder);
        let id = root.id.clone();
        self.roots.insert(project.to_owned(), id.clone());
        self.items.insert(id.clone(), root);
        id
    }

    pub(super) fn get(&self, id: &str) -> Option<&Item> {
        self.items.get(id)
    }

    /// To change what is neither its name nor its place.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.get_mut(id)
    }

    /// The entry of that name in a folder.
    pub(super) fn named(&self, parent: &str, name: &str) -> Option<&Item> {
        let id = self.names.get(&(parent.to_owned(), name.to_owned()))?;
        self.items.get(id)
    }

    /// What is in a folder, oldest first.
    pub(super) fn inside(&self, folder: &str) -> impl Iterator<Item = &Item> {
        let ids = self.children.get(folder).into_iter().flatten();
        ids.filter_map(|id| self.items.get(id))
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, new: NewItem<'_>, now: Timestamp) -> Result<Item, Unfit> {
        let folder = self.get(new.parent).filter(|parent| parent.is_folder());
        let project = folder.ok_or(Unfit::NoFolder)?.project.clone();
        if self.named(new.parent, new.name).is_some() {
            return Err(Unfit::NameTaken);
        }
        let mut item = bare(new.name, &project, now, new.content);
        item.metadata = new.metadata;
        item.origin = new.origin.map(str::to_owned);
        item.parent = Some(new.parent.to_owned());
        self.put(item.clone(), new.parent);
        Ok(item)
    }

    /// Adds an entry under an id that was given out before it was there.
    pub(super) fn add_as(&mut self, id: &str, new: NewItem<'_>, now: Timestamp) {
        let parent = new.parent.to_owned();
        let Ok(mut item) = self.add(new, now) else {
            return;
        };
        self.remove(&item.id);
        id.clone_into(&mut item.id);
        self.put(item, &parent);
    }

    /// Adds an entry under its name, or under the name with a number before it when that is taken, as outputs are.
    pub(super) fn add_numbered(&mut self, new: NewItem<'_>, now: Timestamp) -> Option<Item> {
        let mut name = new.name.to_owned();
        let mut number = 0;
        while self.named(new.parent, &name).is_some() {
            number += 1;
            name = format!("_{number}_{}", new.name);
        }
        let name = name.as_str();
        self.add(NewItem { name, ..new }, now).ok()
    }

    /// Adds a file that is in no folder: a log.
    pub(super) fn add_apart(
        &mut self,
        name: &str,
        project: &str,
        blob: Arc<Blob>,
        now: Timestamp,
    ) -> String {
        let item = bare(name, project, now, Content::File(blob));
        let id = item.id.clone();
        self.items.insert(id.clone(), item);
        id
    }

    /// Gives an entry another name or place.
    pub(super) fn relocate(
        &mut self,
        id: &str,
        parent: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Unfit> {
        let folder = self.get(parent).filter(|parent| parent.is_folder());
        let project = folder.ok_or(Unfit::NoFolder)?.project.clone();
        match self.named(parent, name) {
            Some(other) if other.id == id => return Ok(()),
            Some(_) => return Err(Unfit::NameTaken),
            None => {}
        }
        if let Some(mut item) = self.remove(id) {
            name.clone_into(&mut item.name);
            item.project = project;
            item.modified = now;
            self.put(item, parent);
        }
        Ok(())
    }

    /// Takes an entry out; what is in a folder stays behind unseen.
    pub(super) fn remove(&mut self, id: &str) -> Option<Item> {
        let item = self.items.remove(id)?;
        if let Some(parent) = &item.parent {
            self.names.remove(&(parent.clone(), item.name.clone()));
            if let Some(siblings) = self.children.get_mut(parent) {
                siblings.retain(|other| other != id);
            }
        }
        Some(item)
    }

    fn put(&mut self, mut item: Item, parent: &str) {
        item.parent = Some(parent.to_owned());
        let place = (parent.to_owned(), item.name.clone());
        self.names.insert(place, item.id.clone());
        let siblings = self.children.entry(parent.to_owned()).or_default();
        siblings.push(item.id.clone());
        self.items.insert(item.id.clone(), item);
    }
}

fn bare(name: &str, project: &str, now: Timestamp, content: Content) -> Item {
    Item {
        id: new_id(),
        name: name.to_owned(),
        project: project.to_owned(),
        parent: None,
        created: now,
        modified: now,
        content,
        tags: Vec::new(),
        metadata: Map::new(),
        origin: None,
        offline: false,
    }
}
