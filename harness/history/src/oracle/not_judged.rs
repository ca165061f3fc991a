//! The promises that no oracle judges, each with the reason.
//!
//! `racetrap promises` shows the reasons. A test of the coverage fails if a promise is neither judged nor
//! listed here, or both.

/// Promises that no oracle judges for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJudged {
    /// Why, in one line.
    pub why: &'static str,
    /// Numbers of the promises (docs/contract.md), in rising order.
    pub numbers: &'static [&'static str],
}

/// Every promise that no oracle judges, by the reason.
#[must_use]
pub fn not_judged() -> &'static [NotJudged] {
    &NOT_JUDGED
}

#[rustfmt::skip]
const NOT_JUDGED: [NotJudged; 41] = [
    NotJudged {
        why: "the program is called under its own name only, and in one version",
        numbers: &["1.1.6", "1.1.7"],
    },
    NotJudged {
        why: "the harness starts each daemon by this command; where it fails, the run is unknown and says so",
        numbers: &["1.1.8", "1.3.1", "1.3.2", "1.3.3", "1.3.4", "1.3.5"],
    },
    NotJudged {
        why: "the harness removes a world's directories itself, so a history does not show who has removed them",
        numbers: &["1.3.8", "3.9.5"],
    },
    NotJudged {
        why: "a pid file without its process needs a process ID that is given again, which no schedule can force",
        numbers: &["1.3.13"],
    },
    NotJudged {
        why: "a wait without a limit and one with any other end alike, so no history tells them apart",
        numbers: &["1.4.8"],
    },
    NotJudged {
        why: "only scripts use it; the harness waits by the API itself",
        numbers: &["1.6.2"],
    },
    NotJudged {
        why: "the harness sets this variable for each world, and without effect the world does not start",
        numbers: &["2.1.1", "2.1.9", "2.1.11"],
    },
    NotJudged {
        why: "the variable changes the form of output or a template alone, and worlds do not set it",
        numbers: &[
            "2.1.2", "2.1.3", "2.1.4", "2.1.5", "2.1.6", "2.1.7", "2.1.8", "2.1.10", "2.1.12",
            "2.2.6",
        ],
    },
    NotJudged {
        why: "files of the daemon's own: what matters of them is what the API, the commands and the log show",
        numbers: &[
            "2.3.1", "2.3.2", "2.3.3", "2.3.4", "2.3.5", "2.3.6", "2.3.7", "2.3.8", "2.3.9",
            "2.3.10",
        ],
    },
    NotJudged {
        why: "worlds take ports that differ from each other, and read the real ones from the kubeconfig",
        numbers: &["2.4.1", "2.4.2", "2.4.3", "2.4.4", "2.4.5", "2.4.6", "2.4.7"],
    },
    NotJudged {
        why: "log lines of failed writes are judged by a docker command's file, and not by the lines of the log",
        numbers: &["2.5.7"],
    },
    NotJudged {
        why: "the API server is Kubernetes' own, and is tested there; each run uses it by a stock client",
        numbers: &["3.1.1", "3.1.2", "3.1.6"],
    },
    NotJudged {
        why: "tokens are masked before they enter a history, so two of them cannot be compared",
        numbers: &["3.1.4"],
    },
    NotJudged {
        why: "the reference daemon serves the kinds that a run uses only, so no run can ask for the others",
        numbers: &["3.1.8"],
    },
    NotJudged {
        why: "the history has the controllers once, and not the object that describes them",
        numbers: &["3.2.1", "3.2.4", "3.3.1", "3.3.2", "3.3.3"],
    },
    NotJudged {
        why: "a definition or a webhook without its manager costs two minutes or every write of the run",
        numbers: &["3.4.1", "3.4.2", "3.4.3"],
    },
    NotJudged {
        why: "which versions of Kubernetes there are is not for this harness to know, and nothing runs them",
        numbers: &["3.5.1", "3.6.5"],
    },
    NotJudged {
        why: "a file of the daemon's own, whose content is that of the user's kubeconfig, which is judged",
        numbers: &["3.8.9"],
    },
    NotJudged {
        why: "in VM mode `api` the harness plays the controller of LimaVMs, and its webhooks do not run",
        numbers: &["3.5.3", "7.1.1"],
    },
    NotJudged {
        why: "the schema of the kind refuses anything else, and the API server applies schemas itself",
        numbers: &["3.6.1", "3.6.15", "3.6.16"],
    },
    NotJudged {
        why: "in VM mode `api` the harness writes these conditions; in mode `program` a stand-in is the VM",
        numbers: &["3.7.1", "3.7.2", "3.7.3", "3.7.4", "3.7.15", "7.6.1", "7.6.2"],
    },
    NotJudged {
        why: "what users see of it is judged as 3.7.13: an App that is stopped does not stay connected",
        numbers: &["3.7.10"],
    },
    NotJudged {
        why: "a request that is not needed is judged by number only, as 4.8.2",
        numbers: &["4.2.3", "4.2.7", "6.1.16"],
    },
    NotJudged {
        why: "a user deletes such an object faster than a schedule can hold the write before",
        numbers: &["4.3.5"],
    },
    NotJudged {
        why: "an engine that is not connected cannot be asked; what follows afterwards is judged as 4.3.6",
        numbers: &["4.3.13"],
    },
    NotJudged {
        why: "requests that replace each other within one reconcile cannot be told from one request",
        numbers: &["4.4.4"],
    },
    NotJudged {
        why: "the harness reads name and file of the context from the daemon, to find it in every revision",
        numbers: &["5.1.2"],
    },
    NotJudged {
        why: "a context that is the daemon's own shows no decision",
        numbers: &["5.2.8"],
    },
    NotJudged {
        why: "the wait ends with the decision; that nothing is written after a stop is judged as 5.2.10 and 5.4.2",
        numbers: &["5.4.1"],
    },
    NotJudged {
        why: "a handler that is not ready yet lasts a few milliseconds after the start",
        numbers: &["6.1.6"],
    },
    NotJudged {
        why: "pings and limits of a minute would make each run as long",
        numbers: &["6.1.27", "6.1.29"],
    },
    NotJudged {
        why: "no client of the harness asks for a subprotocol",
        numbers: &["6.1.30"],
    },
    NotJudged {
        why: "the way to a manager past the API server is for the daemon itself",
        numbers: &["6.2.2", "6.2.4"],
    },
    NotJudged {
        why: "own-V4 waits for the restart after a change of the template; the order of its parts is not compared",
        numbers: &["7.1.3"],
    },
    NotJudged {
        why: "no schedule restarts a VM, or changes its template, while it boots",
        numbers: &["7.1.4"],
    },
    NotJudged {
        why: "it is about what a template says to the guest, and a guest of the harness has a template of its own",
        numbers: &["7.2.1", "7.2.2"],
    },
    NotJudged {
        why: "a hostagent is the daemon's own program, which no schedule keeps from writing its file",
        numbers: &["7.3.2"],
    },
    NotJudged {
        why: "a boot of 10 minutes is longer than a run may take",
        numbers: &["7.4.6"],
    },
    NotJudged {
        why: "it is about Windows, where the harness does not run; a stand-in for wsl.exe shows the rest of the section",
        numbers: &["2.1.13", "7.5.1", "7.5.2", "7.5.3"],
    },
    NotJudged {
        why: "it describes an older revision, which is judged by what it promises in common with the newest",
        numbers: &["9.1.2", "9.1.3", "9.1.4", "9.1.5", "9.1.6", "9.1.7", "9.1.8", "9.1.9"],
    },
    NotJudged {
        why: "the harness recognises a revision by it; a wrong sign makes the run unknown or not applicable",
        numbers: &["9.2.1", "9.2.2", "9.2.3", "9.2.4", "9.2.5", "9.2.6", "9.2.7", "9.2.8"],
    },
];
