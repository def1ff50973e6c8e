//! The analysis platforms: one folder each.

pub mod analytics_automated;
pub mod biodock;
