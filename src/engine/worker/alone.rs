//! Work that needs no client of a platform at hand: files, folders, tables, drafts, connections, archives, receipts.

use std::path::PathBuf;

use crate::engine::connect;
use crate::engine::draft::{self, Forms};
use crate::engine::event::{DraftRequest, Event, Prepared, Work, WorkKey};
use crate::engine::place;
use crate::engine::profiles;
use crate::engine::scan;
use crate::engine::sheet;
use crate::engine::snapshot::KeyringState;
use crate::engine::transfer;
use crate::engine::worker::{Outcome, Toolbox, blocking, flatten};
use crate::model::batch::Finding;
use crate::model::connection::{Account, Connection, ConnectionDraft, KeyState};
use crate::model::error::{Doing, Error, Result, system_words};
use crate::model::ids::ConnectionId;
use crate::model::meter::Meter;
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::samples::SampleSheet;
use crate::model::secret::Secret;
use crate::results::receipt::Receipt;
use crate::results::{names, provenance, receipt};

/// Does a piece of work that needs no client of a platform.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
pub(in crate::engine) async fn work_alone(work: Work, tools: Toolbox, meter: Meter) -> Outcome {
    match work {
        Work::Scan { paths, known } => {
            match blocking(move || scan::scan(&paths, &known)).await {
                Ok(found) => Event::Scanned(found).into(),
                // Said aloud: files that were picked must not vanish in silence.
                Err(error) => Event::Broke(WorkKey::Scan(0), error.to_string()).into(),
            }
        }
        Work::ReadSheet(path) => {
            let wanted = path.clone();
            Event::SheetRead(wanted, read_sheet(path).await).into()
        }
        Work::PrepareAdoption {
            connection,
            listed,
            results_folder,
            folder,
        } => {
            let made = blocking(move || {
                written(&tools, Doing::WriteReceipt)?;
                draft::make_folder(&results_folder, &names::clean(&folder))
                    .map_err(|error| Error::from_io(&error, Doing::WriteReceipt))
            });
            Event::AdoptionPrepared(connection, listed, flatten(made.await)).into()
        }
        Work::ReadProfiles(provider) => {
            let wanted = provider.clone();
            let names = blocking(move || profiles::names(&provider, &tools)).await;
            Event::ProfilesRead(wanted, names.unwrap_or_else(|_broke| Err(Words::default()))).into()
        }
        Work::Check(request) => Event::Checked(check(request, tools).await).into(),
        Work::Prepare(request) => Event::Prepared(prepare(request, tools).await).into(),
        Work::StoreConnection {
            draft,
            secrets,
            profile,
            id,
            vault_name,
        } => {
            let filled_in = FilledIn {
                draft,
                secrets,
                profile,
                id,
                vault_name,
            };
            store(filled_in, tools).await
        }
        Work::Try {
            draft,
            secrets,
            profile,
        } => Event::Tried(try_out(draft, secrets, profile, tools).await).into(),
        Work::Connect(connection) => connect(connection, tools).await,
        Work::ProbeKeyring => {
            let found = blocking(move || tools.keys.probe()).await;
            Event::KeyringProbed(found.unwrap_or(KeyringState::Absent)).into()
        }
        Work::CheckFolder(folder) => check_folder(folder, meter).await.into(),
        Work::Unpack {
            artifact,
            batch_folder,
            archive,
            into,
            below,
            keep_archive,
        } => {
            let unpacked = blocking(move || {
                place::look_for(&batch_folder, Doing::Unpack)?;
                written(&tools, Doing::Unpack)?;
                transfer::unpack(&archive, &into, &below, keep_archive, &meter)
                    .map_err(|error| place::reason(error, &batch_folder, 0))
            });
            Event::Unpacked(artifact, flatten(unpacked.await)).into()
        }
        Work::WriteReceipt {
            batch,
            finishing,
            folder,
            spent,
            receipt,
        } => {
            let written = write_receipt(folder, spent, receipt, tools).await;
            Event::ReceiptWritten(batch, finishing, written).into()
        }
        Work::Ask(_)
        | Work::ReadForm(..)
        | Work::Browse(..)
        | Work::ListJobs(..)
        | Work::Recognize(..)
        | Work::Gather { .. }
        | Work::Stage { .. }
        | Work::ReadBaseline(..)
        | Work::Submit { .. }
        | Work::LookUp { .. }
        | Work::Poll(..)
        | Work::Cancel(..)
        | Work::ListOutputs(..)
        | Work::Fetch { .. } => Event::Tick.into(),
    }
}

async fn connect(connection: Connection, tools: Toolbox) -> Outcome {
    let id = connection.id;
    let made =
        blocking(move || connect::client(&connection, &tools.keys, &tools.http, tools.entries));
    let (state, client) = made
        .await
        .unwrap_or_else(|error| (KeyState::Missing, Err(error)));
    let (client, outcome) = match client {
        Ok(client) => (Some((id, client)), Ok(())),
        Err(error) => (None, Err(error)),
    };
    Outcome {
        event: Event::Connected(id, state, outcome),
        client,
        budget: None,
    }
}

async fn check_folder(folder: PathBuf, meter: Meter) -> Event {
    let wanted = folder.clone();
    let checked = blocking(move || {
        receipt::compare(&folder, &meter)
            .map_err(|error| Error::from_io(&error, Doing::Preview).hint(system_words(&error)))
    });
    Event::FolderChecked(wanted, flatten(checked.await))
}

async fn read_sheet(path: PathBuf) -> std::result::Result<SampleSheet, String> {
    let read = blocking(move || sheet::read(&path)).await;
    read.unwrap_or_else(|_broke| Err("The table could not be read".to_owned()))
}

/// A connection to be saved, as filled in.
struct FilledIn {
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
    profile: Option<String>,
    id: ConnectionId,
    vault_name: String,
}

/// Validates what was filled in and puts its secrets where they belong.
async fn store(filled_in: FilledIn, tools: Toolbox) -> Outcome {
    let FilledIn {
        draft,
        secrets,
        profile,
        id,
        vault_name,
    } = filled_in;
    let wanted = draft.clone();
    let stored = blocking(move || {
        let entry = connect::entry_of(tools.entries, &draft.provider)?;
        let (draft, secrets) = match profile {
            Some(name) => profiles::filled_in(draft, &name, entry, &tools)?,
            None => (draft, secrets),
        };
        let purpose = connect::Purpose::Save;
        let connection = connect::validate(&draft, &secrets, entry.facts, id, vault_name, purpose)?;
        let state = tools.keys.store(&connection.vault_name, &secrets)?;
        Ok((connection, state))
    });
    Event::ConnectionStored(wanted, flatten(stored.await)).into()
}

async fn try_out(
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
    profile: Option<String>,
    tools: Toolbox,
) -> Result<Account> {
    let made = blocking(move || profiles::trial_client(draft, secrets, profile, &tools)).await;
    flatten(made)?.check().await
}

async fn write_receipt(
    folder: PathBuf,
    spent: Vec<PathBuf>,
    receipt: Box<Receipt>,
    tools: Toolbox,
) -> Result<()> {
    let done = blocking(move || {
        place::look_for(&folder, Doing::WriteReceipt)?;
        written(&tools, Doing::WriteReceipt)?;
        transfer::remove_spent(&spent)?;
        let receipt = transfer::with_earlier(&folder, *receipt);
        provenance::write(&folder, receipt)
            .map_err(|error| Error::from_io(&std::io::Error::from(error), Doing::WriteReceipt))
            .map_err(|error| place::reason(error, &folder, 0))
    });
    flatten(done.await)
}

/// Something is about to be written.
fn written(tools: &Toolbox, doing: Doing) -> Result<()> {
    let written = tools.writes.next();
    written.map_err(|error| Error::from_io(&error, doing))
}

async fn check(request: DraftRequest, tools: Toolbox) -> Vec<Finding> {
    let forms = forms(&request, &tools).await;
    let found = blocking(move || draft::findings(&request, &forms, &tools.facts)).await;
    found.unwrap_or_default()
}

async fn prepare(
    request: DraftRequest,
    tools: Toolbox,
) -> std::result::Result<Prepared, Vec<Finding>> {
    let forms = forms(&request, &tools).await;
    let prepared =
        blocking(move || draft::prepare(&request, &forms, &tools.facts, &|| tools.writes.next()))
            .await;
    prepared.unwrap_or_else(|_broke| Err(Vec::new()))
}

/// The forms of all targets: known ones, else asked for now.
async fn forms(request: &DraftRequest, tools: &Toolbox) -> Forms {
    let mut forms = Forms::new();
    for target in &request.draft.targets {
        let key = (target.connection, target.pipeline.id.clone());
        if let Some(known) = request.forms.get(&key) {
            forms.push(Ok(known.clone()));
            continue;
        }
        let Some(connection) = request.connections.get(&target.connection).cloned() else {
            forms.push(Err(String::new()));
            continue;
        };
        let label = connection.label.clone();
        let client = if let Some(client) = tools.clients.get(&target.connection) {
            Ok(client.clone())
        } else {
            let tools = tools.clone();
            flatten(
                blocking(move || {
                    connect::client(&connection, &tools.keys, &tools.http, tools.entries).1
                })
                .await,
            )
        };
        let form = match client {
            Ok(client) => client.form(&target.pipeline.id).await,
            Err(error) => Err(error),
        };
        forms.push(form.map_err(|error| {
            let subject = Subject {
                provider: "The platform",
                connection: &label,
                name: &target.pipeline.name,
            };
            explain(&error, subject, Did::NothingSent).sentence()
        }));
    }
    forms
}
