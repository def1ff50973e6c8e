//! The table of jobs: batches as groups, jobs as rows, a filter above. Only visible rows are drawn.

use std::sync::Arc;

use egui::{Align, Button, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder, TableRow};

use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::batch::Batch;
use crate::model::job::Stage;
use crate::ui::jobs::{self, Chosen, JobsState};
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// The rows after filtering and folding, kept until something changes.
#[derive(Debug, Default)]
pub struct Rows {
    made_for: Option<MadeFor>,
    shown: Vec<Row>,
    jobs_shown: usize,
}

/// What the rows were made for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MadeFor {
    seq: u64,
    words: String,
    stage: Option<Stage>,
    platform: Option<&'static str>,
    folded: usize,
}

/// One row.
#[derive(Clone, Debug)]
enum Row {
    Group {
        batch: Arc<Batch>,
        done: usize,
        failed: usize,
        open: usize,
        total: usize,
        bytes: u64,
    },
    Job(Arc<JobView>),
}

/// The list with its filter.
pub fn list_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut JobsState) {
    ui.horizontal(|ui| {
        widgets::page_title(ui, "Jobs");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            jobs::adopt::button_ui(ui, snapshot, state);
        });
    });
    filter_ui(ui, snapshot, state);
    collect(snapshot, state);
    if state.rows.shown.is_empty() {
        widgets::empty(
            ui,
            icon::JOBS,
            "No job matches the filter",
            "Clear the words above, or choose another state or platform",
        );
        return;
    }
    let rows = std::mem::take(&mut state.rows.shown);
    table_ui(ui, &rows, state);
    state.rows.shown = rows;
}

fn filter_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut JobsState) {
    ui.horizontal_wrapped(|ui| {
        let field = widgets::line(&mut state.words)
            .desired_width(170.0)
            .hint_text("Filter by words");
        ui.add(field).accessible_name("Filter jobs by words");
        let shown = state.stage.map_or("Any state", Stage::word);
        egui::ComboBox::from_id_salt("stage")
            .selected_text(shown)
            .width(120.0)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut state.stage, None, "Any state");
                for stage in Stage::ALL {
                    ui.selectable_value(&mut state.stage, Some(stage), stage.word());
                }
            })
            .response
            .accessible_name("State");
        let shown = state.platform.unwrap_or("Any platform");
        egui::ComboBox::from_id_salt("platform")
            .selected_text(shown)
            .width(130.0)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut state.platform, None, "Any platform");
                for facts in snapshot.providers.iter() {
                    ui.selectable_value(&mut state.platform, Some(facts.name), facts.name);
                }
            })
            .response
            .accessible_name("Platform");
        let filtered = !state.words.is_empty() || state.stage.is_some() || state.platform.is_some();
        if filtered {
            if ui.button("Clear filter").clicked() {
                state.words.clear();
                state.stage = None;
                state.platform = None;
            }
            let words = format!(
                "{} of {}",
                format::grouped(state.rows.jobs_shown as u64),
                format::count(snapshot.jobs.len(), "job", "jobs")
            );
            widgets::weak(ui, words);
        }
    });
    ui.add_space(2.0);
}

/// Makes the rows anew when the snapshot or the filter changed.
fn collect(snapshot: &Snapshot, state: &mut JobsState) {
    let key = MadeFor {
        seq: snapshot.seq,
        words: state.words.trim().to_lowercase(),
        stage: state.stage,
        platform: state.platform,
        folded: state.folded.len(),
    };
    if state.rows.made_for.as_ref() == Some(&key) {
        return;
    }
    let mut rows = Vec::with_capacity(snapshot.jobs.len() + snapshot.batches.len());
    let mut jobs_shown = 0;
    let filtered = !key.words.is_empty() || state.stage.is_some() || state.platform.is_some();
    // Jobs come sorted by batch, in the order of the batches.
    let mut jobs = snapshot.jobs.as_slice();
    for batch in &snapshot.batches {
        let own = jobs
            .iter()
            .take_while(|view| view.job.batch == batch.id)
            .count();
        let (mine, rest) = jobs.split_at(own);
        jobs = rest;
        let matching: Vec<&Arc<JobView>> = mine
            .iter()
            .filter(|view| matches(view, batch, &key.words, state.stage, state.platform))
            .collect();
        if matching.is_empty() && filtered {
            continue;
        }
        let count = |stage| mine.iter().filter(|view| view.job.stage == stage).count();
        rows.push(Row::Group {
            batch: Arc::clone(batch),
            done: count(Stage::Done),
            failed: count(Stage::Failed),
            open: count(Stage::Unconfirmed)
                + mine.iter().filter(|view| view.waits_for_person).count(),
            total: mine.len(),
            bytes: batch.files.iter().map(|file| file.local.size_bytes).sum(),
        });
        jobs_shown += matching.len();
        if !state.folded.contains(&batch.id) {
            rows.extend(matching.into_iter().map(|view| Row::Job(Arc::clone(view))));
        }
    }
    state.rows = Rows {
        made_for: Some(key),
        shown: rows,
        jobs_shown,
    };
}

fn matches(
    view: &JobView,
    batch: &Batch,
    words: &str,
    stage: Option<Stage>,
    platform: Option<&'static str>,
) -> bool {
    stage.is_none_or(|stage| view.job.stage == stage)
        && platform.is_none_or(|platform| view.provider_name == platform)
        && words.split_whitespace().all(|word| {
            [
                &view.job.name,
                &view.job.connection_label,
                &view.job.pipeline.name,
                &batch.name,
            ]
            .iter()
            .any(|text| text.to_lowercase().contains(word))
        })
}

/// Which columns there is room for.
#[derive(Clone, Copy)]
struct Room {
    place: bool,
    elapsed: bool,
    size: bool,
}

fn table_ui(ui: &mut Ui, rows: &[Row], state: &mut JobsState) {
    let width = ui.available_width();
    let room = Room {
        place: width > 520.0,
        elapsed: width > 660.0,
        size: width > 760.0,
    };
    let palette = Palette::of(ui);
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(8)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let mut table = TableBuilder::new(ui)
                .id_salt(("jobs", room.place, room.elapsed, room.size))
                .striped(false)
                .auto_shrink([false, false])
                .sense(Sense::click())
                .cell_layout(Layout::left_to_right(Align::Center))
                .column(Column::remainder().at_least(120.0).clip(true));
            if room.place {
                let place = Column::initial(width * 0.24).range(90.0..=320.0);
                table = table.column(place.clip(true).resizable(true));
            }
            table = table
                .column(Column::exact(116.0).clip(true))
                .column(Column::exact(116.0).clip(true));
            if room.elapsed {
                table = table.column(Column::exact(96.0).clip(true));
            }
            if room.size {
                table = table.column(Column::exact(76.0).clip(true));
            }
            if state.scroll_to_chosen {
                state.scroll_to_chosen = false;
                if let Some(at) = rows.iter().position(|row| row.is(state.chosen)) {
                    table = table.scroll_to_row(at, Some(Align::Center));
                }
            }
            table
                .header(theme::ROW_HEIGHT, |mut header| {
                    let mut titles = vec!["Name"];
                    titles.extend(room.place.then_some("Where"));
                    titles.extend(["State", "Progress"]);
                    titles.extend(room.elapsed.then_some("Elapsed"));
                    titles.extend(room.size.then_some("Size"));
                    for title in titles {
                        header.col(|ui| {
                            widgets::weak(ui, title);
                        });
                    }
                })
                .body(|body| {
                    body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                        if let Some(entry) = rows.get(row.index()) {
                            row.set_selected(entry.is(state.chosen));
                            match entry {
                                Row::Group { .. } => group_row(&mut row, entry, state, room),
                                Row::Job(view) => job_row(&mut row, view, state, room),
                            }
                            if row.response().clicked() {
                                state.chosen = Some(entry.chosen());
                            }
                        }
                    });
                });
        });
    let moving = rows
        .iter()
        .any(|row| matches!(row, Row::Job(view) if !view.job.stage.is_settled()));
    if moving {
        // Elapsed times are on screen and run; a window without running jobs does not repaint.
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs(1));
    }
}

impl Row {
    fn chosen(&self) -> Chosen {
        match self {
            Self::Group { batch, .. } => Chosen::Batch(batch.id),
            Self::Job(view) => Chosen::Job(view.job.id),
        }
    }

    fn is(&self, chosen: Option<Chosen>) -> bool {
        chosen == Some(self.chosen())
    }
}

fn group_row(row: &mut TableRow<'_, '_>, entry: &Row, state: &mut JobsState, room: Room) {
    let Row::Group {
        batch,
        done,
        failed,
        open,
        total,
        bytes,
    } = entry
    else {
        return;
    };
    row.col(|ui| {
        let folded = state.folded.contains(&batch.id);
        let (mark, verb) = if folded {
            (icon::FOLDED, "Unfold")
        } else {
            (icon::OPEN, "Fold")
        };
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding.x = 4.0;
        let name = format!("{verb} {}", batch.name);
        if widgets::bare_icon_button(ui, mark, &name).clicked() {
            if folded {
                state.folded.remove(&batch.id);
            } else {
                state.folded.insert(batch.id);
            }
            state.rows.made_for = None;
        }
        name_button(
            ui,
            RichText::new(&batch.name).strong(),
            entry.is(state.chosen),
        )
        .clicked()
        .then(|| {
            state.chosen = Some(entry.chosen());
        });
    });
    if room.place {
        row.col(|ui| {
            widgets::weak(ui, format::count(*total, "job", "jobs"));
        });
    }
    row.col(|ui| {
        let palette = Palette::of(ui);
        if *open > 0 {
            ui.label(
                RichText::new(if *open == 1 {
                    "1 needs you".to_owned()
                } else {
                    format!("{open} need you")
                })
                .color(palette.warning),
            );
        } else if *failed > 0 {
            ui.label(RichText::new(format!("{failed} failed")).color(palette.bad));
        } else if done == total && *total > 0 {
            ui.label(RichText::new("All done").color(palette.good));
        }
    });
    row.col(|ui| {
        widgets::weak(ui, format!("{done} of {total} done"));
    });
    if room.elapsed {
        row.col(|ui| {
            let at = format::moment(batch.created);
            let (_, time) = at.split_at_checked(5).unwrap_or_default();
            widgets::weak(ui, time).on_hover_text(&at);
        });
    }
    if room.size {
        row.col(|ui| {
            widgets::weak(ui, format::bytes(*bytes));
        });
    }
}

fn job_row(row: &mut TableRow<'_, '_>, view: &JobView, state: &mut JobsState, room: Room) {
    let job = &view.job;
    let chosen = Chosen::Job(job.id);
    row.col(|ui| {
        ui.add_space(26.0);
        let shown = RichText::new(jobs::short_name(view));
        let button = name_button(ui, shown, state.chosen == Some(chosen));
        if button
            .on_hover_text(&job.name)
            .accessible_name(&job.name)
            .clicked()
        {
            state.chosen = Some(chosen);
        }
    });
    if room.place {
        row.col(|ui| {
            let place = format!("{} – {}", job.connection_label, job.pipeline.name);
            let color = Palette::of(ui).weak;
            widgets::one_line(ui, RichText::new(&place).color(color));
        });
    }
    row.col(|ui| stage_ui(ui, view));
    row.col(|ui| {
        let (fraction, words) = jobs::how_far(view);
        if fraction.is_some() || !words.is_empty() {
            widgets::progress(ui, &job.name, fraction, &words);
        }
    });
    if room.elapsed {
        row.col(|ui| {
            widgets::weak(ui, jobs::elapsed(view));
        });
    }
    if room.size {
        row.col(|ui| {
            widgets::weak(ui, format::bytes(view.input_bytes));
        });
    }
}

/// The name as something to choose, so that the row can be reached by keyboard and by name.
fn name_button(ui: &mut Ui, name: RichText, chosen: bool) -> egui::Response {
    ui.spacing_mut().button_padding.x = 6.0;
    ui.add(Button::selectable(chosen, name).truncate())
}

/// Icon and word of a job's stage; the platform's own word is one hover away.
pub fn stage_ui(ui: &mut Ui, view: &JobView) {
    let palette = Palette::of(ui);
    let (mark, color) = jobs::stage_mark(&palette, view.job.stage);
    ui.spacing_mut().item_spacing.x = 5.0;
    widgets::picture(ui, mark, 17.0, color);
    ui.label(RichText::new(view.job.stage.word()).color(color))
        .on_hover_text(jobs::platform_says(view));
}
