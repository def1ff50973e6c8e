//! Results are dragged out of the window.

use egui::vec2;
use egui_kittest::kittest::Queryable as _;

use super::{Window, fixture};

#[test]
fn a_result_is_dragged_out_once_and_a_job_is_not() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    let path = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count/objects.csv";
    let mut drag = |name: &str| {
        let rows: Vec<_> = window.harness.get_all_by_label(name).collect();
        let at = rows[0].rect().center();
        drop(rows);
        window.harness.drag_at(at);
        window.harness.run();
        for step in 1..20_u8 {
            let away = vec2(f32::from(step) * 20.0, f32::from(step) * 3.0);
            window.harness.hover_at(at + away);
            window.harness.run();
        }
        window.harness.drop_at(at + vec2(400.0, 60.0));
        window.harness.run();
        let asked = window.desktop.asked.take();
        assert!(window.taken().is_empty(), "a drag opens nothing");
        asked
    };
    assert_eq!(drag("objects.csv"), [format!("drag {path}")]);
    assert!(drag("Plate 7 nuclei").is_empty());
}
