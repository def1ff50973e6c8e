//! A worker broke down: what its work counts as.

use std::sync::Arc;

use crate::engine::decide::{
    connecting, drafting, fetching, finishing, folders, listing, sampling, saving, sending,
    watching,
};
use crate::engine::event::{Now, WorkKey, breakdown};
use crate::engine::snapshot::KeyringState;
use crate::engine::world::World;
use crate::model::error::Doing;
use crate::model::notice::{About, Notice, Weight, Words};

fn words_of_breakdown() -> Words {
    Words {
        what: "A part of Labferry stopped unexpectedly.".to_owned(),
        did: "Everything else goes on; what it was doing counts as failed and can be tried again."
            .to_owned(),
        next: "Report the problem with the details below.".to_owned(),
        action: None,
    }
}

/// A worker broke down: its work counts as failed by our own fault. A broken submission has no known outcome.
pub(super) fn broke(world: &mut World, key: &WorkKey, text: &str, now: Now) {
    let words = words_of_breakdown();
    let facts = vec![
        ("Work".to_owned(), format!("{key:?}")),
        ("Message".to_owned(), text.to_owned()),
    ];
    // What breaks down again and again, such as a poll, is said once.
    let said = |notice: &Arc<Notice>| notice.about == About::App && notice.details == facts;
    if !world.notices.values().any(said) {
        world.notice(now, About::App, Weight::Problem, words, facts);
    }
    let failed = |doing| breakdown(text, doing);
    match key.clone() {
        WorkKey::Scan(_) => drafting::scanned(world, Vec::new()),
        WorkKey::ReadSheet(path) => {
            let words = "The table could not be read".to_owned();
            sampling::sheet_read(world, &path, Err(words));
        }
        WorkKey::Check => drafting::checked(world, Vec::new(), now),
        WorkKey::Prepare => drafting::prepared(world, Err(Vec::new()), now),
        WorkKey::StoreConnection(id) => saving::broke(world, id, now),
        // Tried again by the person; unknown, it would be at once and without end.
        WorkKey::ProbeKeyring => connecting::keyring_probed(world, KeyringState::Absent),
        WorkKey::PrepareAdoption(..) => {}
        WorkKey::CheckFolder(folder) => folders::broke(world, &folder),
        WorkKey::Try => connecting::tried(world, Err(failed(Doing::Connect))),
        WorkKey::Connect(id) => {
            let key_state = world.link(id).key;
            connecting::connected(world, id, key_state, Err(failed(Doing::Connect)), now);
        }
        WorkKey::Ask(id) => connecting::asked(world, id, Err(failed(Doing::CheckKey)), None, now),
        WorkKey::ReadForm(id, pipeline) => {
            connecting::form_read(world, id, pipeline, Err(failed(Doing::ReadForm)), now);
        }
        WorkKey::Stage(connection, file) => {
            sending::staged(world, connection, file, Err(failed(Doing::Upload)), now);
        }
        WorkKey::Gather(job) => {
            sending::gathered(world, job, Err(failed(Doing::Gather)), now);
        }
        WorkKey::Browse(id) => listing::browse_broke(world, id, failed(Doing::Browse), now),
        WorkKey::ListJobs(id) => listing::list_broke(world, id, failed(Doing::ListJobs), now),
        WorkKey::Recognize(id) => listing::recognize_broke(world, id),
        WorkKey::ReadProfiles(provider) => {
            connecting::profiles_read(world, provider, Err(words_of_breakdown()));
        }
        WorkKey::ReadBaseline(job) => {
            sending::baseline_read(world, job, Err(failed(Doing::FindSubmission)), now);
        }
        WorkKey::Submit(job) => sending::submitted(world, job, Err(failed(Doing::Submit)), now),
        WorkKey::LookUp(job) => {
            sending::looked_up(world, job, Err(failed(Doing::FindSubmission)), now);
        }
        WorkKey::Poll(connection) => {
            watching::polled(world, connection, Err(failed(Doing::Poll)), now);
        }
        WorkKey::Cancel(job) => {
            watching::cancel_answered(world, job, Err(failed(Doing::Cancel)), now);
        }
        WorkKey::ListOutputs(job) => {
            fetching::outputs_listed(world, job, Err(failed(Doing::ListOutputs)), now);
        }
        WorkKey::Fetch(artifact) => {
            fetching::fetched(world, artifact, Err(failed(Doing::Download)), now);
        }
        WorkKey::Unpack(artifact) => {
            fetching::unpacked(world, artifact, Err(failed(Doing::Unpack)), now);
        }
        WorkKey::WriteReceipt(batch) => {
            let jobs = finishing(world, batch);
            fetching::receipt_written(world, batch, &jobs, &Err(failed(Doing::WriteReceipt)), now);
        }
    }
}
