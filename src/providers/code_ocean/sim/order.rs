//! What a run is asked to do: the request read, checked against what there is, and its values laid over the defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::Account;
use crate::providers::code_ocean::sim::answer::{Refusal, bad, list, number, object, text};
use crate::providers::code_ocean::sim::assets::{Asset, Standing};
use crate::providers::code_ocean::sim::capsules::{self, Capsule, Kind};
use crate::providers::code_ocean::sim::create::check_mount;
use crate::sandbox::faults::Faults;

/// A file a run finds below `/data`.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Mount, folders and name, joined by `/`.
    pub(super) path: String,
    pub(super) disk: PathBuf,
}

/// The values of the run itself or of one of its processes.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Name of the process; empty for the run itself.
    pub(super) name: String,
    pub(super) ordered: Vec<String>,
    pub(super) named: BTreeMap<String, String>,
    /// What the computation says it was given.
    pub(super) told: Vec<Value>,
}

/// A run as ordered.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) capsule: &'static Capsule,
    pub(super) version: Option<u64>,
    pub(super) nextflow_profile: Option<String>,
    /// The run itself first, then its processes.
    pub(super) scopes: Vec<Scope>,
    /// Id and mount of the data assets asked for.
    pub(super) assets: Vec<(String, String)>,
    pub(super) inputs: Vec<Input>,
}

impl Order {
    pub(super) fn read(account: &Account, body: &[u8]) -> Result<Self, Refusal> {
        let request = object(body)?;
        let id = |name| text(&request, name);
        // With both, the capsule wins.
        let capsule = match (id("capsule_id")?, id("pipeline_id")?) {
            (Some(id), _) => capsules::find(Kind::Capsule, id)?,
            (None, Some(id)) => capsules::find(Kind::Pipeline, id)?,
            (None, None) => return Err(bad("capsule_id or pipeline_id is required")),
        };
        let version = capsule.version(number(&request, "version")?)?;
        if let Some(earlier) = text(&request, "resume_run_id")? {
            account.run(earlier)?;
        }
        let faults = account.world.faults();
        let panel = capsule.panel.map(|panel| panel(faults));
        let scopes = scopes(faults, capsule.kind, panel.as_ref(), &request)?;
        let asked = assets(account, &request)?;
        if capsule.kind == Kind::Pipeline {
            check_places(account, panel.as_ref(), &asked)?;
        }
        let mounted = mounted(account, capsule, panel.as_ref(), &asked);
        Ok(Self {
            capsule,
            version,
            nextflow_profile: text(&request, "nextflow_profile")?.map(str::to_owned),
            scopes,
            assets: asked
                .into_iter()
                .map(|(asset, mount)| (asset.id, mount))
                .collect(),
            inputs: inputs(account, &mounted),
        })
    }
}

/// The parameters of the run and of each process.
fn scopes(
    faults: &Faults,
    kind: Kind,
    panel: Option<&Value>,
    request: &Map<String, Value>,
) -> Result<Vec<Scope>, Refusal> {
    let mut top = Given::read(request)?;
    if kind == Kind::Pipeline {
        // Ignored without any error.
        top.ordered.clear();
    }
    let definitions = panel.map(|panel| members(panel.get("parameters")));
    let mut scopes = vec![top.scope(faults, String::new(), definitions.as_deref())?];
    let mut given = BTreeMap::new();
    for process in list(request, "processes")? {
        let process = process.as_object().ok_or_else(|| bad("invalid process"))?;
        let name = text(process, "name")?.ok_or_else(|| bad("a process needs a name"))?;
        given.insert(name.to_owned(), Given::read(process)?);
    }
    let known = panel.map(|panel| members(panel.get("processes")));
    for process in known.iter().flatten() {
        let name = process.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        let given = given.remove(&name).unwrap_or_default();
        let definitions = members(process.get("parameters"));
        scopes.push(given.scope(faults, name, Some(&definitions))?);
    }
    for (name, given) in given {
        if known.is_some() {
            return Err(bad(format!("there is no process {name}")));
        }
        scopes.push(given.scope(faults, name, None)?);
    }
    Ok(scopes)
}

/// A list, or a single entry in its place.
fn members(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items.clone(),
        Some(single @ Value::Object(_)) => vec![single.clone()],
        _ => Vec::new(),
    }
}

/// Values as sent.
#[derive(Debug, Default)]
struct Given {
    ordered: Vec<String>,
    named: Vec<(String, String)>,
}

impl Given {
    fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        // How the real server takes a number is not documented; an error shows a client that sends one.
        let text_of = |value: Option<&Value>| match value {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(bad("values of parameters must be strings")),
        };
        let ordered = list(members, "parameters")?
            .iter()
            .map(|value| text_of(Some(value)))
            .collect::<Result<_, _>>()?;
        let named = list(members, "named_parameters")?
            .iter()
            .map(|given| {
                let name = given.get("param_name").and_then(Value::as_str);
                let name = name.ok_or_else(|| bad("param_name is required"))?;
                Ok((name.to_owned(), text_of(given.get("value"))?))
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Self { ordered, named })
    }

    /// Over the defaults of these definitions; without a form everything is taken.
    fn scope(
        self,
        faults: &Faults,
        name: String,
        definitions: Option<&[Value]>,
    ) -> Result<Scope, Refusal> {
        let mut scope = Scope {
            name,
            ..Scope::default()
        };
        let Some(definitions) = definitions else {
            for value in &self.ordered {
                scope.told.push(json!({ "name": "", "value": value }));
            }
            for (name, value) in &self.named {
                scope
                    .told
                    .push(json!({ "name": name, "param_name": name, "value": value }));
            }
            scope.ordered = self.ordered;
            scope.named = self.named.into_iter().collect();
            return Ok(scope);
        };
        let own = |definition: &Value, member: &str| {
            let text = definition.get(member).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut sent = self.ordered.into_iter();
        for definition in definitions {
            let param_name = own(definition, "param_name");
            let (label, default) = (own(definition, "name"), own(definition, "default_value"));
            if param_name.is_empty() {
                let value = sent.next();
                if let Some(value) = &value {
                    scope.told.push(json!({ "name": label, "value": value }));
                }
                let value = value.filter(|value| !value.is_empty());
                scope.ordered.push(value.unwrap_or(default));
            } else {
                let value = self
                    .named
                    .iter()
                    .rev()
                    .find(|(name, _)| *name == param_name);
                if let Some((_, value)) = value {
                    scope
                        .told
                        .push(json!({ "name": label, "param_name": param_name, "value": value }));
                }
                let value = value.map_or(default, |(_, value)| value.clone());
                scope.named.insert(param_name, value);
            }
        }
        let unknown = self
            .named
            .iter()
            .find(|(name, _)| !scope.named.contains_key(name));
        match unknown {
            Some((name, _)) if faults.is("code_ocean.unknown-parameters", "refused") => {
                Err(bad(format!("unknown parameter {name}")))
            }
            Some(_) | None => Ok(scope),
        }
    }
}

/// The data assets asked for, which must be ready.
fn assets(
    account: &Account,
    request: &Map<String, Value>,
) -> Result<Vec<(Asset, String)>, Refusal> {
    let needs_mount = account.world.faults().is("code_ocean.mount", "required");
    let mut asked = Vec::new();
    for given in list(request, "data_assets")? {
        let given = given.as_object().ok_or_else(|| bad("invalid data asset"))?;
        let id = text(given, "id")?.ok_or_else(|| bad("a data asset needs an id"))?;
        let asset = account.asset(id)?;
        let mount = match text(given, "mount")? {
            Some(mount) => mount.to_owned(),
            None if needs_mount => return Err(bad("invalid request body")),
            None => asset.mount.clone(),
        };
        check_mount(&mount)?;
        let Standing::Ready(_) = asset.standing(&account.world) else {
            return Err(bad(format!("data asset {id} is not ready")));
        };
        asked.push((asset, mount));
    }
    Ok(asked)
}

/// In a pipeline an asset can only take the place of one that is mounted there, and only of its kind.
fn check_places(
    account: &Account,
    panel: Option<&Value>,
    asked: &[(Asset, String)],
) -> Result<(), Refusal> {
    let Some(panel) = panel else { return Ok(()) };
    if account
        .world
        .faults()
        .is("code_ocean.pipeline-mounts", "free")
    {
        return Ok(());
    }
    let places = members(panel.get("data_assets"));
    for (asset, mount) in asked {
        let place = places
            .iter()
            .find(|place| place.get("mount").and_then(Value::as_str) == Some(mount));
        let Some(place) = place else {
            return Err(bad(format!("the pipeline has no data asset at {mount}")));
        };
        let external = place.get("kind").and_then(Value::as_str) == Some("external");
        if external != asset.is_external() {
            return Err(bad(format!("the data asset at {mount} is of another kind")));
        }
    }
    Ok(())
}

/// What is below `/data`: the assets asked for; without any, those attached to the capsule and those of its form. In a
/// pipeline those of its form stay where nothing takes their place.
fn mounted(
    account: &Account,
    capsule: &Capsule,
    panel: Option<&Value>,
    asked: &[(Asset, String)],
) -> Vec<(Asset, String)> {
    let mut mounted = asked.to_vec();
    if capsule.kind == Kind::Pipeline || asked.is_empty() {
        let places = members(panel.and_then(|panel| panel.get("data_assets")));
        let own = places.iter().filter_map(|place| {
            let text = |name| Some(place.get(name)?.as_str()?.to_owned());
            Some((text("id")?, text("mount")?))
        });
        for (id, mount) in account.attached(capsule.id).into_iter().chain(own) {
            let taken = mounted.iter().any(|(_, other)| *other == mount);
            if let Ok(asset) = account.asset(&id)
                && !taken
            {
                mounted.push((asset, mount));
            }
        }
    }
    mounted
}

fn inputs(account: &Account, mounted: &[(Asset, String)]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (asset, mount) in mounted {
        if let Standing::Ready(tree) = asset.standing(&account.world) {
            inputs.extend(tree.files().map(|(file, disk)| Input {
                path: format!("{mount}/{}", file.path),
                disk,
            }));
        }
    }
    inputs
}
