//! What the person set for the whole app.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::form::Settings;
use crate::model::ids::{PipelineId, ProviderId};

/// Kept in the journal; every field has a default so that an older journal reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppSettings {
    /// Where batches get their folders; none means the default place.
    pub results_folder: Option<PathBuf>,
    /// Whether archives stay beside what was unpacked from them.
    pub keep_archives: bool,
    /// Uploads at the same time, over all connections.
    pub parallel_uploads: usize,
    /// Downloads at the same time, over all connections.
    pub parallel_downloads: usize,
    /// Most bytes a second to the platforms, all uploads together; none is as fast as it goes.
    pub upload_bytes_per_second: Option<u64>,
    /// Most bytes a second from the platforms, all downloads together; none is as fast as it goes.
    pub download_bytes_per_second: Option<u64>,
    /// Proxy for all requests.
    pub proxy: ProxyChoice,
    /// A certificate authority (PEM file) to trust besides the system's.
    pub extra_authority: Option<PathBuf>,
    /// Light, dark, or as the system.
    pub theme: ThemeChoice,
    /// Text size in percent of the system's.
    pub text_percent: u16,
    /// Whether the first-start cards were closed.
    pub welcomed: bool,
    /// Settings of pipelines under names, to be used again.
    pub saved: Vec<SavedSettings>,
}

/// Settings of one pipeline under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedSettings {
    /// The platform.
    pub provider: ProviderId,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The person's name for them; unique for the pipeline.
    pub name: String,
    /// The values.
    pub settings: Settings,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            results_folder: None,
            keep_archives: false,
            parallel_uploads: 3,
            parallel_downloads: 4,
            upload_bytes_per_second: None,
            download_bytes_per_second: None,
            proxy: ProxyChoice::System,
            extra_authority: None,
            theme: ThemeChoice::System,
            text_percent: 100,
            welcomed: false,
            saved: Vec::new(),
        }
    }
}

/// Which proxy to use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyChoice {
    /// What the system says.
    #[default]
    System,
    /// None at all.
    None,
    /// This address.
    Manual(String),
}

impl ProxyChoice {
    /// Whether a password stands in the address; settings are no place for one.
    pub fn holds_password(&self) -> bool {
        let Self::Manual(address) = self else {
            return false;
        };
        let rest = address
            .split_once("://")
            .map_or(&**address, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    }
}

/// Which theme to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}
