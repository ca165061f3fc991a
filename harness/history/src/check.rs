//! Checks of oracles, by names that stay when the oracles' source changes.
//!
//! Two violations of the same check have the same cause more often than not. So searches take two failures
//! of one check for the same failure, and lists of known failures name checks. A name is the number of the
//! promise that the check judges, or of the section if it judges several, and the kind of the check. Once
//! released, a name is neither changed nor used for another check: state files and lists have it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::OracleName;

/// The checks of each oracle. What a check reports stands in its documentation.
macro_rules! checks {
    ($($oracle:ident { $($name:ident $text:literal $summary:literal;)+ })+) => {
        /// What an oracle looks for.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Check {
            $($(#[doc = $summary] #[serde(rename = $text)] $name,)+)+
        }

        impl Check {
            /// All checks, in the order of the oracles.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            /// Its name, such as `4.5.8-missing`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => $text,)+)+
                }
            }

            /// The oracle that makes it.
            #[must_use]
            pub fn oracle(self) -> OracleName {
                match self {
                    $($(Self::$name => OracleName::$oracle,)+)+
                }
            }
        }
    };
}

checks! {
    Convergence {
        MirrorsDiffer "4.2-mirrors-differ" "In a quiet world, a mirror is missing, left over, or has other fields than the engine's object.";
    }
    Identity {
        MirrorDeleted "4.7.3-mirror-deleted" "An object lived throughout, and its mirror was deleted.";
        UidChanged "4.7.3-uid-changed" "An object lived throughout, and its mirror has another UID.";
    }
    TruthfulConditions {
        WrongEnd "1.2.7-wrong-end" "The exit code or the text of a command contradicts how it ended.";
        ConditionNotReached "1.5.1-not-reached" "A command returned 0, and the condition that it waited for is not reached.";
        MirrorsListed "1.5.1-mirrors-listed" "A command that stops the App returned 0, and mirrors are still listed.";
        UnknownReason "3.7-unknown-reason" "A condition has a reason that the contract does not have.";
        WrongSettled "3.7-wrong-settled" "`Settled` has another status or reason than the table says.";
        FailedWithoutCause "3.7-failed-without-cause" "The daemon reports a failed connection to an engine that could be reached.";
        ConnectedAfterStop "3.7.13-connected-after-stop" "A stopped App still reports that its engine is connected.";
        SettledWithoutEngine "3.7.22-settled-without-engine" "The App has settled, and its engine is not ready.";
        KubernetesDisagrees "3.7.11-disagrees" "`KubernetesReady` does not agree with the App and its VM.";
        KubernetesReadyEarly "3.8.3-early" "`KubernetesReady` became `True` before Kubernetes has shown that it is ready.";
        KubernetesFailedWithoutCause "3.8.4-without-cause" "`KubernetesReady` became `False`, and Kubernetes has given no reason.";
        KubernetesStaysReady "3.8.5-stays" "`KubernetesReady` stays `True` although Kubernetes refuses connections.";
        MirrorsLeft "4.6.4-mirrors-left" "A stopped App has settled, and mirrors still existed.";
        MirrorsCameBack "4.6.4-mirrors-came-back" "A stopped App has settled, and mirrors were created later.";
    }
    NoLostUpdate {
        FieldLost "3.6.23-field-lost" "A field that a user wrote has another value.";
        NeverAsked "4.3-never-asked" "A user deleted a mirror, and the daemon never asked the engine to remove the object.";
        MirrorRemovedAlone "4.3.6-mirror-alone" "A user deleted a mirror, and the daemon removed it without the engine's object.";
        MirrorCameBack "4.3.10-came-back" "A user deleted a mirror, and it came back although the engine's object is gone.";
        RemovedUnasked "4.3.11-unasked" "The daemon removed an object from the engine without a request by a user.";
        ForeignDeleted "4.3.12-foreign-deleted" "The daemon deleted an object that a user created and that is no mirror.";
    }
    BoundedWork {
        IdleTouched "4.8.1-touched" "A change of the App that asks for nothing made the daemon work.";
        RequestsRepeated "4.8.2-requests" "The daemon sent a request more often than its causes explain.";
        WritesRepeated "4.8.3-writes" "The daemon wrote a mirror without a change more often than its causes explain.";
        ReconnectedIdle "4.8.4-reconnected" "A connected daemon subscribed to the engine's events again, and nothing had happened.";
    }
    Counts {
        CreatedAgain "4.2.13-created-again" "The mirror of one life of an object was deleted and created again.";
    }
    ObjectForm {
        WrongChange "3.1-wrong-change" "A version, a generation or a field that stays has changed as it must not.";
        NewMirror "3.6-new-mirror" "A mirror was created in another form than the contract says.";
        WrittenMirror "3.6-written-mirror" "A mirror has another name or form than the contract says.";
        WrongCondition "3.7-wrong-condition" "A condition has a wrong generation or time.";
        ContainerConditions "3.7.27-container" "The conditions of a container do not fit its state.";
    }
    EngineRequests {
        ConnectedEarly "3.7.6-early" "The daemon reports its engine as connected before it has synced and subscribed.";
        SyncOrder "4.1-order" "A daemon that connects does not ask for what it must, or in another order.";
        RequestWords "4.3-words" "A request to the engine has other words than the contract says.";
        ActionRepeated "4.4.7-repeated" "An action was sent to the engine more often than it was requested.";
        ProbeWaits "5.2.13-waits" "A probe that a newer one replaces still waits for its answer.";
    }
    CommandLine {
        WrongMessage "1.1-message" "What a command printed is on the wrong stream, or has the wrong form.";
        WrongCode "1.2-code" "A command ended with another code than the contract says.";
        WordsNotRefused "1.2-not-refused" "A command did not refuse words that it must refuse.";
        WrongOutput "1.3-output" "`svc` printed other data than the contract says.";
        WrongProperties "1.4-properties" "`set` accepted, refused or reported properties wrongly.";
        WrongEffect "1.4-effect" "A command returned, and the App does not have what it was to write.";
        WrongProgress "1.5.2-progress" "A command that waits reported an old condition, or one twice, or left one out.";
    }
    Hygiene {
        LeftByDaemon "3.9.2-left" "The daemon has stopped, and something of it is left.";
    }
    VmLifecycle {
        TwoHostagents "7.1.5-two-hostagents" "A hostagent of a VM began while another one ran.";
        ProcessCount "7.1.5-processes" "A VM that runs has none or several of its processes.";
        NoOwnGroup "7.3.1-group" "A hostagent does not lead a process group.";
        DriverLeft "7.3.4-driver-left" "A hostagent began while the driver of the boot before ran.";
        RestartNotCounted "7.3.4-not-counted" "A VM has another hostagent, and its restarts were not counted.";
        BystanderEnded "7.3.6-bystander" "A process that has nothing to do with a VM was ended.";
        KeysReplaced "7.3.7-replaced" "A whole pair of SSH keys was replaced.";
        KeysNotWhole "7.3.7-not-whole" "A VM runs, and the pair of SSH keys is not whole.";
        BootLogs "7.3.8-logs" "A hostagent's logs of earlier boots are lost, or too many are kept.";
        KilledEarly "7.4.1-killed-early" "A hostagent was killed before the time of its graceful stop was over.";
        VmStopsLate "7.4.2-late" "A VM that was told to stop still runs.";
        VmProcessLeft "7.4.2-process-left" "A VM has stopped, and one of its processes runs on.";
        VmFilesLeft "7.4.2-files-left" "A VM has stopped, and files of it are left.";
        OrphanKilledEarly "7.4.4-killed-early" "A hostagent that an earlier daemon left was killed before the time of its graceful stop was over.";
        OrphanLate "7.4.4-late" "A hostagent that an earlier daemon left still runs.";
        DaemonStopsLate "7.4.5-late" "The daemon took too long to stop.";
        ProcessOutlives "7.4.5-process-left" "The daemon has stopped, and a process of a VM runs on.";
        FilesOutlive "7.4.5-files-left" "The daemon has stopped, and files of a VM are left.";
        VmListens "7.4.7-listens" "A VM or its daemon has stopped, and a process of the VM still listens.";
        UnregisteredRunning "7.5.4-running" "A distribution of WSL was to be unregistered while it ran.";
        DistributionLeft "7.5.4-left" "A VM was deleted, and its distribution of WSL is left.";
        WslUnbounded "7.5.5-unbounded" "The daemon waits longer for wsl.exe than it may.";
        DistributionRuns "7.5.6-runs" "A VM has stopped, and its distribution of WSL runs on.";
    }
    DockerConfigIntegrity {
        ErrorUnlogged "2.5.6-unlogged" "The daemon did not log an error about the docker command's configuration.";
        OwnContext "5.1-own-context" "The daemon's own context is missing, left over, or wrong.";
        WrongCurrent "5.2-current" "The current context is another one than the daemon must select.";
        FilesDamaged "5.3-files" "A file of the docker command's configuration was damaged, or lost what is the user's.";
        AttributesLost "5.3-attributes" "`config.json` has another mode, owner or kind of file.";
    }
    KubeconfigIntegrity {
        KubeconfigEntries "3.8-entries" "The user's kubeconfig lacks the daemon's entries, or has them too long.";
        KubeconfigDamaged "3.8-damaged" "The user's kubeconfig was damaged, or lost what is the user's.";
    }
    LogFidelity {
        FailureUnlogged "2.5.5-unlogged" "A log of a container failed, and the daemon's log does not say so.";
        EndpointOrder "3.2.5-order" "The daemon announces the same endpoints in another order.";
        WrongStatus "6.1-status" "A client of logs was answered with another status than promised.";
        Unanswered "6.1-unanswered" "A client of logs was not answered.";
        SentAsText "6.1.17-text" "Bytes of a log that are no text came as text.";
        WrongBytes "6.1.18-bytes" "A client received other bytes than the engine has sent for it.";
        WrongClose "6.1.22-close" "The stream of a client ended with a code that no rule allows.";
        BrokenAsWhole "6.1.22-broken-as-whole" "The stream of a client ended as whole, and the engine had not ended it.";
        StreamsLeft "6.1.24-streams-left" "The engine has more open streams of logs than there are clients.";
        DescriptorsLeft "6.1.24-descriptors" "The daemon has more open descriptors than its clients explain.";
        MemoryGrown "6.1.25-memory" "The daemon keeps logs in memory that clients do not read.";
    }
    QuietLogs {
        BadLine "2.5-line" "The log has a panic, a secret, or an error where nothing went wrong.";
        RepeatedLine "2.5.4-repeated" "The same message fills the log.";
    }
    Liveness {
        DaemonDied "3.9.1-died" "A process of the daemon ended by itself.";
        StepFailed "3.9.4-step" "The daemon did not do in time what a step waits for.";
        RequestForgotten "4.4.1-forgotten" "A state that a user requested was neither reached nor reported as failed.";
    }
    Healing {
        RestartChanges "4.5.7-restart" "A restart of the daemon in a quiet world changed something.";
    }
    CleanRuns {
        ObjectMissing "4.5.8-missing" "An object is missing that each clean run has.";
        FieldDiffers "4.5.8-field" "A field has another value than in each clean run.";
        WrittenOften "4.5.8-writes" "A mirror was written more often than in clean runs, and than the disturbance explains.";
        MadeOften "4.5.8-made" "A mirror was made more often than in clean runs, and than the disturbance explains.";
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
