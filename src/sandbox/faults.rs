//! Faults by name: which endpoint shall misbehave, how, and how often.
//!
//! Owns the grammar and the list of what is switched on. Does not carry any fault out; that is
//! `misbehave`, and `storage` for ranges.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A way in which a server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 413.
    TooLarge,
    /// 429 with `Retry-After: 1`.
    RateLimited,
    /// 429 without any hint when to come back.
    RateLimitedSilent,
    /// 500.
    ServerError,
    /// 503.
    Unavailable,
    /// 502 with a web page, as a proxy sends.
    BadGateway,
    /// 504 with plain text, as a proxy sends.
    GatewayTimeout,
    /// 500 with a JSON list instead of an object.
    ErrorList,
    /// 200 with a web page, as a login wall or a proxy sends.
    Html,
    /// 200 with JSON that ends in the middle.
    Garbled,
    /// The request is read and never answered.
    Hang,
    /// The request is read and the answer sent in small pieces with pauses.
    Slow,
    /// The connection is reset before anything is processed.
    RefuseBefore,
    /// The request is processed in full; the connection is reset instead of the answer.
    LostAnswer,
    /// The connection ends in the middle of the answer's body.
    CutBody,
    /// The whole body arrives, but fewer bytes than `Content-Length` announced.
    WrongLength,
    /// Storage only: 403 with the XML of an expired link.
    ExpiredLink,
    /// 302 to another host.
    RedirectElsewhere,
    /// Storage only: `Range` is ignored and the whole file sent with 200.
    NoRange,
}

const NAMES: [(&str, Fault); 23] = [
    ("unauthorized", Fault::Unauthorized),
    ("forbidden", Fault::Forbidden),
    ("not-found", Fault::NotFound),
    ("conflict", Fault::Conflict),
    ("too-large", Fault::TooLarge),
    ("rate-limited", Fault::RateLimited),
    ("rate-limited-silent", Fault::RateLimitedSilent),
    ("server-error", Fault::ServerError),
    ("unavailable", Fault::Unavailable),
    ("bad-gateway", Fault::BadGateway),
    ("gateway-timeout", Fault::GatewayTimeout),
    ("error-list", Fault::ErrorList),
    ("html", Fault::Html),
    ("garbled", Fault::Garbled),
    ("hang", Fault::Hang),
    ("slow", Fault::Slow),
    ("refuse-before", Fault::RefuseBefore),
    ("lost-answer", Fault::LostAnswer),
    ("cut-body", Fault::CutBody),
    ("wrong-length", Fault::WrongLength),
    ("expired-link", Fault::ExpiredLink),
    ("redirect-elsewhere", Fault::RedirectElsewhere),
    ("no-range", Fault::NoRange),
];

/// The name of every fault.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Why a fault or setting was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault of that name.
    #[error("there is no fault “{name}”; known are {known}")]
    UnknownFault {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// No endpoint of that name.
    #[error("there is no endpoint “{name}”; known are {known}")]
    UnknownEndpoint {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The number after `*` is not a positive whole number.
    #[error("“{0}” is not a number of times")]
    BadCount(String),
    /// The fault exists only at storage.
    #[error("the fault “{0}” exists only at storage endpoints")]
    StorageOnly(String),
    /// No setting of that name.
    #[error("there is no setting “{name}”; known are {known}")]
    UnknownSetting {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The setting does not take that value.
    #[error("the setting “{name}” takes {allowed}, not “{value}”")]
    BadValue {
        /// The setting.
        name: String,
        /// What was asked for.
        value: String,
        /// What it takes, in words.
        allowed: String,
    },
}

/// A setting a simulator offers: how it behaves where the vendor's pages leave a choice.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, such as `biodock.style`.
    pub name: &'static str,
    /// The values it takes, the first being the one in force at the start; a single `#` stands for
    /// any whole number and has no starting value.
    pub values: &'static [&'static str],
}

/// The names faults and settings may use.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    endpoints: Vec<&'static str>,
    settings: Vec<Setting>,
}

impl Vocabulary {
    /// Adds a simulator's endpoints and settings.
    pub fn extend(&mut self, endpoints: &[&'static str], settings: &[Setting]) {
        self.endpoints.extend_from_slice(endpoints);
        self.settings.extend_from_slice(settings);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    fault: Fault,
    /// `None` is everywhere the fault makes sense.
    endpoint: Option<String>,
    /// How many more requests are hit; `None` is all.
    left: Option<u32>,
}

impl Rule {
    fn covers(&self, endpoint: &str) -> bool {
        match &self.endpoint {
            Some(named) => covers(named, endpoint),
            None => !storage_only(self.fault) || covers("storage", endpoint),
        }
    }
}

/// What is switched on at the moment. Shared by all handlers; may be changed while they run.
#[derive(Debug, Default)]
pub struct Faults {
    vocabulary: Vocabulary,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    settings: BTreeMap<&'static str, String>,
}

impl Faults {
    /// Nothing switched on, all settings at their starting values.
    pub fn new(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            state: Mutex::default(),
        }
    }

    /// Switches a fault on, or changes a setting.
    ///
    /// A fault is `NAME[@endpoint][*COUNT]`: `server-error`, `hang@biodock.status`,
    /// `lost-answer@biodock.submit*1`. The endpoint may be a whole platform (`@biodock`). Without a
    /// count it stays on. Rules added first are used up first. A setting is `name=value`.
    pub fn add(&self, text: &str) -> Result<(), FaultError> {
        if let Some((name, value)) = text.split_once('=') {
            return self.set(name.trim(), value.trim());
        }
        let rule = self.parse(text.trim())?;
        self.state().rules.push(rule);
        Ok(())
    }

    /// Switches all faults off; settings stay as they are. How many were still to be met.
    pub fn clear(&self) -> usize {
        self.state().rules.drain(..).count()
    }

    /// Changes a setting.
    pub fn set(&self, name: &str, value: &str) -> Result<(), FaultError> {
        let Some(setting) = self.setting(name) else {
            return Err(FaultError::UnknownSetting {
                name: name.to_owned(),
                known: listed(self.vocabulary.settings.iter().map(|known| known.name)),
            });
        };
        let numeric = setting.values == ["#"];
        let fits = if numeric {
            value.parse::<u64>().is_ok()
        } else {
            setting.values.contains(&value)
        };
        if !fits {
            return Err(FaultError::BadValue {
                name: name.to_owned(),
                value: value.to_owned(),
                allowed: if numeric {
                    "a whole number".to_owned()
                } else {
                    listed(setting.values.iter().copied())
                },
            });
        }
        self.state().settings.insert(setting.name, value.to_owned());
        Ok(())
    }

    /// The value of a setting: the one set, else the one in force at the start, else nothing.
    pub fn value(&self, name: &str) -> String {
        if let Some(value) = self.state().settings.get(name) {
            return value.clone();
        }
        self.setting(name)
            .and_then(|setting| setting.values.first())
            .filter(|value| **value != "#")
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Whether a setting has this value now.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// The value of a setting that is a number, when one was set.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name).parse().ok()
    }

    /// The fault the next request at `endpoint` meets, used up by asking.
    pub(crate) fn take(&self, endpoint: &str) -> Option<Fault> {
        self.take_where(endpoint, |fault| fault != Fault::NoRange)
    }

    /// Whether ranges are ignored for the next request at `endpoint`, used up by asking.
    pub(crate) fn take_no_range(&self, endpoint: &str) -> bool {
        self.take_where(endpoint, |fault| fault == Fault::NoRange)
            .is_some()
    }

    fn take_where(&self, endpoint: &str, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut state = self.state();
        let meets = |rule: &Rule| wanted(rule.fault) && rule.covers(endpoint);
        let place = state.rules.iter().position(meets)?;
        let rule = state.rules.get_mut(place)?;
        let fault = rule.fault;
        match &mut rule.left {
            Some(left) if *left > 1 => *left -= 1,
            Some(_) => drop(state.rules.remove(place)),
            None => {}
        }
        Some(fault)
    }

    fn parse(&self, text: &str) -> Result<Rule, FaultError> {
        let (head, left) = match text.split_once('*') {
            Some((head, count)) => {
                let count = count.parse().ok().filter(|count| *count > 0);
                let count = count.ok_or_else(|| FaultError::BadCount(text.to_owned()))?;
                (head, Some(count))
            }
            None => (text, None),
        };
        let (name, endpoint) = match head.split_once('@') {
            Some((name, endpoint)) => (name, Some(endpoint)),
            None => (head, None),
        };
        let Some((_, fault)) = NAMES.iter().find(|(known, _)| *known == name) else {
            return Err(FaultError::UnknownFault {
                name: name.to_owned(),
                known: listed(names()),
            });
        };
        if let Some(endpoint) = endpoint {
            let known = &self.vocabulary.endpoints;
            if !known.iter().any(|known| covers(endpoint, known)) {
                return Err(FaultError::UnknownEndpoint {
                    name: endpoint.to_owned(),
                    known: listed(known.iter().copied()),
                });
            }
            if storage_only(*fault) && !covers("storage", endpoint) {
                return Err(FaultError::StorageOnly(name.to_owned()));
            }
        }
        Ok(Rule {
            fault: *fault,
            endpoint: endpoint.map(str::to_owned),
            left,
        })
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        let settings = &self.vocabulary.settings;
        settings.iter().find(|setting| setting.name == name)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn storage_only(fault: Fault) -> bool {
    matches!(fault, Fault::ExpiredLink | Fault::NoRange)
}

/// Whether the name of an endpoint or of a whole platform covers an endpoint.
fn covers(named: &str, endpoint: &str) -> bool {
    match endpoint.strip_prefix(named) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Faults {
        let mut vocabulary = Vocabulary::default();
        vocabulary.extend(
            &["biodock.submit", "biodock.status", "storage.get"],
            &[
                Setting {
                    name: "biodock.style",
                    values: &["mixed", "flat"],
                },
                Setting {
                    name: "biodock.limit",
                    values: &["#"],
                },
            ],
        );
        Faults::new(vocabulary)
    }

    #[test]
    fn counts_are_used_up_and_only_where_named() {
        let faults = faults();
        faults.add("lost-answer@biodock.submit*2").unwrap();
        assert_eq!(faults.take("biodock.status"), None);
        assert_eq!(faults.take("biodock.submit"), Some(Fault::LostAnswer));
        assert_eq!(faults.take("biodock.submit"), Some(Fault::LostAnswer));
        assert_eq!(faults.take("biodock.submit"), None);
    }

    #[test]
    fn without_count_and_endpoint_a_fault_stays_everywhere() {
        let faults = faults();
        faults.add("server-error").unwrap();
        for endpoint in ["biodock.submit", "storage.get", "biodock.submit"] {
            assert_eq!(faults.take(endpoint), Some(Fault::ServerError));
        }
        faults.clear();
        assert_eq!(faults.take("storage.get"), None);
    }

    #[test]
    fn a_platform_covers_its_endpoints_and_storage_faults_stay_at_storage() {
        let faults = faults();
        faults.add("hang@biodock*1").unwrap();
        faults.add("expired-link*1").unwrap();
        faults.add("no-range*1").unwrap();
        assert_eq!(faults.take("storage.get"), Some(Fault::ExpiredLink));
        assert_eq!(faults.take("storage.get"), None);
        assert_eq!(faults.take("biodock.status"), Some(Fault::Hang));
        assert_eq!(faults.take("biodock.status"), None);
        assert!(faults.take_no_range("storage.get"));
        assert!(!faults.take_no_range("storage.get"));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let faults = faults();
        let error = |text: &str| faults.add(text).unwrap_err();
        assert!(matches!(error("hanging"), FaultError::UnknownFault { .. }));
        assert!(matches!(error(""), FaultError::UnknownFault { .. }));
        assert!(matches!(
            error("hang@biodock.sub"),
            FaultError::UnknownEndpoint { .. }
        ));
        assert!(matches!(error("hang@"), FaultError::UnknownEndpoint { .. }));
        assert!(matches!(error("hang*0"), FaultError::BadCount(_)));
        assert!(matches!(error("hang*-1"), FaultError::BadCount(_)));
        assert!(matches!(error("hang*"), FaultError::BadCount(_)));
        assert!(matches!(
            error("expired-link@biodock.status"),
            FaultError::StorageOnly(_)
        ));
        assert!(matches!(error("x=1"), FaultError::UnknownSetting { .. }));
        assert!(matches!(
            error("biodock.style=round"),
            FaultError::BadValue { .. }
        ));
        assert!(matches!(
            error("biodock.limit=few"),
            FaultError::BadValue { .. }
        ));
    }

    #[test]
    fn settings_start_with_their_first_value() {
        let faults = faults();
        assert!(faults.is("biodock.style", "mixed"));
        assert_eq!(faults.number("biodock.limit"), None);
        faults.add("biodock.style=flat").unwrap();
        faults.add("biodock.limit=7").unwrap();
        assert!(faults.is("biodock.style", "flat"));
        assert_eq!(faults.number("biodock.limit"), Some(7));
    }
}
