//! Whole hosts that are gone: a port that refuses connections, a name that no server has, TLS spoken to a server that does
//! not speak it.
//!
//! These three concern a host and not an endpoint, so they are tried for each kind of host and at each moment at which a
//! person can meet them: when connecting, while files are sent, while the platform works, while results come. The
//! interface and the bucket are moved away by saving the connection with another address under the same label, as the
//! same jobs then meet what is there; what signed links point at is moved by a setting of the sandbox. Names below
//! `.invalid` are answered by every resolver without asking anybody.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use labferry::engine::snapshot::{CheckState, Snapshot};
use labferry::model::ids::ConnectionId;
use labferry::model::job::Stage;
use labferry::model::notice::Words;
use tokio::net::TcpSocket;

use crate::faults::matrix::cell::keeps_trying;
use crate::faults::matrix::stand::{PLATFORMS, Platform, Stand, in_parallel};
use crate::harness::{demo_draft, describe};

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gone {
    Refused,
    NoName,
    NoTls,
}

const ALL: [Gone; 3] = [Gone::Refused, Gone::NoName, Gone::NoTls];

/// Which host, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// The interface, when connecting.
    Connecting,
    /// The interface, while files are sent.
    Sending,
    /// The interface, while the platform works.
    Running,
    /// What links of uploads in parts point at.
    Parts,
    /// What links of results point at.
    Fetching,
    /// The person's bucket, while files are sent.
    Bucket,
}

impl Moment {
    const ALL: [Self; 6] = [
        Self::Connecting,
        Self::Sending,
        Self::Running,
        Self::Parts,
        Self::Fetching,
        Self::Bucket,
    ];

    fn is_there(self, platform: &Platform) -> bool {
        match self {
            Self::Connecting | Self::Sending | Self::Running => true,
            Self::Parts => platform.word == "seven-bridges",
            // Result files of that one come from its own host.
            Self::Fetching => platform.word != "analytics-automated",
            Self::Bucket => platform.word == "code-ocean",
        }
    }
}

/// Where jobs are held: before anything is sent, at the bucket, at the platform.
fn held(platform: &Platform) -> (&'static str, &'static str) {
    match platform.word {
        "biodock" => ("biodock.upload", "biodock.status"),
        "code-ocean" => ("code_ocean.assets", "code_ocean.status"),
        "seven-bridges" => ("sb.files", "sb.bulk-tasks"),
        _ => ("aa.submit", "aa.status"),
    }
}

/// An address in the place of another: same path, nobody there.
fn moved(address: &str, gone: Gone, refusing: &TcpSocket) -> String {
    let (_, rest) = address.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match gone {
        Gone::Refused => {
            let port = refusing.local_addr().unwrap().port();
            format!("http://127.0.0.1:{port}/{path}")
        }
        Gone::NoName => format!("https://nobody.invalid/{path}"),
        Gone::NoTls => format!("https://{host}/{path}"),
    }
}

/// A port that is taken, so that nobody else gets it, and at which nobody listens.
fn refusing() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    socket
}

#[expect(clippy::too_many_lines, reason = "an arm for each moment")]
async fn cell(platform: &'static Platform, moment: Moment, gone: Gone) -> String {
    let stand = Stand::new(platform, false).await;
    let (entries, _) = demo_draft(&stand.sandbox, platform.word, "");
    let url = entries.entries["url"].clone();
    let taken = refusing();
    match moment {
        Moment::Connecting => {
            let connection = stand.save(&[("url", moved(&url, gone, &taken))]).await;
            let checked = |now: &Snapshot| {
                matches!(
                    now.connection(connection).unwrap().check,
                    CheckState::Bad(_)
                )
            };
            let snapshot = stand.until("the check", checked).await;
            let CheckState::Bad(words) = &snapshot.connection(connection).unwrap().check else {
                panic!("{}", describe(&snapshot))
            };
            let said = words.sentence();
            stand.connect().await;
            said
        }
        Moment::Sending | Moment::Bucket => {
            let connection = stand.connect().await;
            let field = if moment == Moment::Bucket {
                "bucket_endpoint"
            } else {
                "url"
            };
            let place = if moment == Moment::Bucket {
                "code_ocean.bucket"
            } else {
                held(platform).0
            };
            stand.set(&format!("rate-limited-silent@{place}"));
            stand.send(connection).await;
            stand
                .until("waiting", |now| now.jobs[0].job.attempts > 0)
                .await;
            let away = moved(&entries.entries[field], gone, &taken);
            waited_out(&stand, connection, &[(field, away)]).await
        }
        Moment::Running => {
            let connection = stand.connect().await;
            stand.set(&format!("rate-limited-silent@{}", held(platform).1));
            stand.send(connection).await;
            stand
                .until("the platform has it", |now| {
                    now.jobs[0].job.remote.is_some()
                })
                .await;
            waited_out(&stand, connection, &[("url", moved(&url, gone, &taken))]).await
        }
        Moment::Parts | Moment::Fetching => {
            let connection = stand.connect().await;
            if moment == Moment::Fetching {
                stand.set(platform.stays.unwrap());
                stand.send(connection).await;
                stand
                    .until("running", |now| now.jobs[0].job.stage == Stage::Running)
                    .await;
            }
            stand.set(match gone {
                Gone::Refused => "storage.links=refused",
                Gone::NoName => "storage.links=unresolvable",
                Gone::NoTls => "storage.links=tls",
            });
            if moment == Moment::Fetching {
                let life = platform.stays.unwrap().replace("stays", "usual");
                stand.set(&life);
            } else {
                stand.send(connection).await;
            }
            let snapshot = stand
                .until("attempts", |now| keeps_trying(&now.jobs[0]))
                .await;
            let said = said(&snapshot);
            stand.set("storage.links=usual");
            done(&stand).await;
            said
        }
    }
}

/// The connection's host goes away under a job that waits, and comes back.
async fn waited_out(stand: &Stand, connection: ConnectionId, away: &[(&str, String)]) -> String {
    let before = stand.engine.snapshot().notices.len();
    stand.save(away).await;
    let checked = |now: &Snapshot| {
        !matches!(
            now.connection(connection).unwrap().check,
            CheckState::Checking | CheckState::NotChecked
        )
    };
    // By then nothing is on its way to where it was.
    stand.until("the check", checked).await;
    stand.clear();
    let snapshot = stand
        .until("attempts, or a notice", |now| {
            checked(now)
                && (now.jobs.iter().any(|view| keeps_trying(view)) || now.notices.len() > before)
        })
        .await;
    let said = said(&snapshot);
    stand.connect().await;
    done(stand).await;
    said
}

/// What a person reads of it, with a time.
fn said(snapshot: &Snapshot) -> String {
    let words = snapshot.jobs[0].words.iter().map(Words::sentence);
    let notices = snapshot
        .notices
        .iter()
        .map(|notice| notice.words.sentence());
    words
        .chain(notices)
        .find(|said| said.contains("try again at"))
        .unwrap_or_else(|| panic!("nothing is said; {}", describe(snapshot)))
}

/// The reason, and what Labferry does about it: which of several files it was, and when, is that of this run.
fn in_short(said: &str) -> String {
    let first = |known: &[&'static str]| known.iter().find(|words| said.contains(*words)).copied();
    let reason = first(&[
        "The server refuses connections",
        "No server of this name was found",
        "could not be reached",
    ]);
    let does = first(&["No file was sent", "Labferry will try again at"]);
    format!("{} · {}", reason.unwrap_or(said), does.unwrap_or(said))
}

/// It comes back, and everything ends well: one job, and every file.
async fn done(stand: &Stand) {
    let snapshot = stand
        .until("the end", |now| now.jobs[0].job.stage.is_settled())
        .await;
    assert_eq!(
        snapshot.jobs[0].job.stage,
        Stage::Done,
        "{}",
        describe(&snapshot)
    );
    assert_eq!(stand.acted(stand.platform.submit), 1);
    assert!(!stand.look().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_host_that_is_gone_is_waited_out_at_every_moment() {
    let mut wanted = Vec::new();
    for platform in PLATFORMS {
        for moment in Moment::ALL {
            for gone in ALL {
                if moment.is_there(platform) {
                    wanted.push((platform, moment, gone));
                }
            }
        }
    }
    let cells = wanted.len();
    let mut table = String::new();
    let came = in_parallel(wanted, |(platform, moment, gone)| async move {
        cell(platform, moment, gone).await
    })
    .await;
    for ((platform, moment, gone), said) in came {
        let said = said.unwrap_or_else(|error| format!("PANIC {error}"));
        writeln!(
            table,
            "{} · {moment:?} · {gone:?} · {}",
            platform.word,
            in_short(&said)
        )
        .unwrap();
    }
    println!("{cells} cells of hosts");
    insta::assert_snapshot!("hosts", table);
}
