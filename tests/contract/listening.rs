//! Everything that is logged, kept to be searched for keys.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What was logged since the start, by all trials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listener(Arc<Mutex<Vec<u8>>>);

impl Listener {
    /// Listens to everything the program and its HTTP library log, down to the finest level.
    pub(crate) fn install() -> Self {
        let listener = Self::default();
        let filter = EnvFilter::new("labferry=trace,reqwest=trace,hyper=trace,hyper_util=trace");
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(listener.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        listener
    }

    /// The first line with one of these texts in it.
    pub(crate) fn line_with(&self, texts: &[String]) -> Option<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let log = String::from_utf8_lossy(&log);
        log.lines()
            .find(|line| texts.iter().any(|text| line.contains(text)))
            .map(str::to_owned)
    }
}

impl io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Listener {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
