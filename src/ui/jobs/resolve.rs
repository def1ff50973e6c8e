//! The three choices about a submission whose answer was lost.

use egui::{RichText, Ui};

use crate::engine::command::{Command, Resolution};
use crate::engine::snapshot::JobView;
use crate::model::ids::JobId;
use crate::model::remote::RemoteJob;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::widgets;

/// The choices, with the jobs that may be the lost one.
pub fn resolve_ui(
    ui: &mut Ui,
    view: &JobView,
    candidate: &mut Option<(JobId, String)>,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    ui.label(RichText::new("Which of these is true?").strong());
    if job.candidates.is_empty() {
        typed_ui(ui, view, candidate, outbox);
    } else {
        candidates_ui(ui, view, candidate, outbox);
    }
    ui.horizontal_wrapped(|ui| {
        let again = ui.button("Send again").on_hover_text(format!(
            "Only when {} has no such job; else it runs, and may cost, twice",
            view.provider_name
        ));
        if again.clicked() {
            outbox.command(Command::ResolveUnconfirmed(job.id, Resolution::SendAgain));
        }
        let leave = ui
            .button("Leave it")
            .on_hover_text("Ends as cancelled here; nothing is sent");
        if leave.clicked() {
            outbox.command(Command::ResolveUnconfirmed(job.id, Resolution::Leave));
        }
    });
}

fn candidates_ui(
    ui: &mut Ui,
    view: &JobView,
    chosen: &mut Option<(JobId, String)>,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    widgets::weak(
        ui,
        format!("Jobs on {} that may be this one", view.provider_name),
    );
    for candidate in &job.candidates {
        ui.horizontal_wrapped(|ui| {
            let is_chosen = *chosen == Some((job.id, candidate.id.clone()));
            if ui.radio(is_chosen, &candidate.id).clicked() {
                *chosen = Some((job.id, candidate.id.clone()));
            }
            if let Some(page) = &candidate.web_page {
                let look = ui.link("Look at it");
                if look.on_hover_text("Open in browser").clicked() {
                    outbox.wish(Wish::OpenPage(page.clone()));
                }
            }
        });
    }
    let adopted = job
        .candidates
        .iter()
        .find(|candidate| *chosen == Some((job.id, candidate.id.clone())));
    let button = widgets::primary_button(ui, "It is this one", adopted.is_some())
        .on_disabled_hover_text("Choose one above first");
    if let Some(adopted) = adopted
        && button.clicked()
    {
        adopt(job.id, adopted.clone(), outbox);
    }
}

/// Without candidates the person may know the id from the platform's own page or mail.
fn typed_ui(
    ui: &mut Ui,
    view: &JobView,
    chosen: &mut Option<(JobId, String)>,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    let mut text = chosen
        .as_ref()
        .filter(|(id, _)| *id == job.id)
        .map(|(_, text)| text.clone())
        .unwrap_or_default();
    let field = widgets::text_field(
        ui,
        &format!("Its id, if {} has it", view.provider_name),
        &mut text,
        "",
    );
    if field.changed() {
        *chosen = Some((job.id, text.clone()));
    }
    let typed = text.trim();
    if widgets::primary_button(ui, "It is this one", !typed.is_empty()).clicked() {
        let remote = RemoteJob {
            id: typed.to_owned(),
            web_page: None,
            memo: String::new(),
        };
        adopt(job.id, remote, outbox);
    }
}

fn adopt(job: JobId, remote: RemoteJob, outbox: &mut Outbox) {
    outbox.command(Command::ResolveUnconfirmed(job, Resolution::Adopt(remote)));
}
