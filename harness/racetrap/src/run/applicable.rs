//! Whether a scenario is for the daemon that it is about to run on: what it supposes is looked for
//! before its first step.
//!
//! Signs that cost nothing come first: the help and the discovery ConfigMap (contract 9.2). A sign that
//! is missing proves nothing, so the daemon is then watched in a world of its own while it runs an
//! App. Only what it has not shown by the time at which the contract promises it is missing.

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{EngineStep, GuestOp, Platform, Scenario, Step, Supposes, View, VmMode};

use crate::clock::Clock;
use crate::recorder::Recorder;
use crate::wait::until;
use crate::world::{EngineChoice, World, WorldOptions};

/// The platform of this harness.
const PLATFORM: Platform = Platform::Linux;

/// The condition that every revision reports when its engine is connected (contract 3.7).
const READY: &str = "ContainerEngineReady";

/// How long a daemon may take until its engine is connected, when it is watched.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Why a scenario cannot be run on any daemon here, before a world is made.
pub(super) fn refused(
    scenario: &Scenario,
    wanted: Option<VmMode>,
    engine: EngineChoice,
) -> Option<String> {
    let platforms = scenario.about.as_ref().map_or(&[][..], |about| &about.platforms);
    if !platforms.is_empty() && !platforms.contains(&PLATFORM) {
        let names: Vec<_> = platforms.iter().map(ToString::to_string).collect();
        return Some(format!("the finding can be shown on {} only", names.join(" and ")));
    }
    if scenario.needs_guest() && engine.guest().is_none() {
        return Some(format!(
            "the scenario needs an engine in a virtual machine, such as `vm`, and runs on `{engine}`"
        ));
    }
    let modes = &scenario.needs.vm;
    let is_guest_only = wanted == Some(VmMode::Guest) || modes.as_slice() == [VmMode::Guest];
    if is_guest_only && (engine.guest().is_none() || engine.needs_limactl()) {
        return Some(format!(
            "VM mode `guest` boots an engine in a virtual machine, `vm`, by the daemon's own Lima, and the \
             run is on `{engine}`"
        ));
    }
    if engine.needs_limactl() && scenario.steps.iter().any(is_not_for_limactl) {
        return Some(format!(
            "the scenario lets the guest's kernel panic, changes its disk or clock, or kills a hostagent of the \
             daemon; on `{engine}`, Lima chooses the disk, has the console, and sets a wrong clock right, and \
             the daemon has no hostagent"
        ));
    }
    if is_guest_only && scenario.needs_own_machine() {
        return Some(
            "the scenario lets the guest's kernel panic, or changes its disk or clock; in VM mode `guest` the \
             daemon's Lima chooses the disk, has the console, and sets a wrong clock right"
                .to_owned(),
        );
    }
    if is_guest_only && scenario.disturbs_first_connection() {
        return Some(
            "the scenario disturbs the first connection to the engine, and in VM mode `guest` the App runs \
             before the first step"
                .to_owned(),
        );
    }
    let wanted = wanted.filter(|mode| !modes.is_empty() && !modes.contains(mode))?;
    let names: Vec<_> = modes.iter().map(ToString::to_string).collect();
    let names = names.join(" or ");
    Some(format!("the scenario needs VM mode `{names}`, and `--vm {wanted}` was asked for"))
}

/// Whether a step does something that cannot be done to a guest that the harness's Lima boots.
fn is_not_for_limactl(step: &Step) -> bool {
    let step = step.for_neighbour().unwrap_or(step);
    let Step::Engine(EngineStep::Guest(op)) = step else { return false };
    op.needs_own_machine() || *op == GuestOp::KillHostagent
}

/// What the scenario supposes and the daemon of this world lacks; nothing if it lacks nothing, or if
/// that cannot be found out.
pub(super) async fn lacking(
    world: &World,
    scenario: &Scenario,
    options: &WorldOptions,
) -> Option<String> {
    let Supposes { conditions, contexts, passthrough } = scenario.supposes();
    if passthrough && let Ok(announced) = world.api.passthroughs().await {
        let logs = announced.get("engine").is_some_and(|list| list.iter().any(|it| it == "logs"));
        if !logs {
            let why = "the scenario reads logs of containers through the daemon, and this daemon \
                       announces no such passthrough";
            return Some(why.to_owned());
        }
    }
    let is_unnamed = |name: &String| name != READY && !world.daemon.names_condition(name);
    let unnamed: Vec<_> = conditions.into_iter().filter(is_unnamed).collect();
    // A daemon whose help cannot be read is watched.
    let watch_contexts = contexts && !world.daemon.names_contexts().await.unwrap_or(false);
    if unnamed.is_empty() && !watch_contexts {
        return None;
    }
    let shown = watch(options).await?;
    let missing = unnamed.iter().find(|name| !shown.conditions.contains(name));
    if let Some(name) = missing {
        return Some(format!(
            "the scenario needs the App's condition `{name}`, and this daemon does not report it"
        ));
    }
    (watch_contexts && !shown.context)
        .then(|| "the scenario is about docker's contexts, and this daemon keeps none".to_owned())
}

/// What a daemon has shown while its App ran.
struct Shown {
    conditions: Vec<String>,
    context: bool,
}

/// Lets the daemon run an App in a world of its own, until the engine is connected and the command
/// that started the App has succeeded: by then it reports all its conditions (contract 1.5.1), and has
/// written its context (contract 5.1.3). Returns nothing if it does not come that far.
async fn watch(options: &WorldOptions) -> Option<Shown> {
    let place = tempfile::tempdir().ok()?;
    let journal = std::fs::File::create_new(place.path().join("journal")).ok()?;
    let recorder = Recorder::new(journal, Clock::start());
    let mut options = options.clone();
    options.evidence = place.path().join("evidence");
    options.needs.neighbour = false;
    let world = World::start(&options, &recorder).await.ok()?;
    let shown = let_run(&world).await;
    world.close().await;
    shown
}

async fn let_run(world: &World) -> Option<Shown> {
    let properties = ["running=true".to_owned()];
    let (_, ending) = world.daemon.begin_set(&properties, Some(READY_LIMIT)).ok()?;
    if !ending.await.ok()?.ok()?.exit.is_success() {
        return None;
    }
    let recorder = world.recorder();
    let connected = |view: &View| {
        let app = view.app()?;
        app.holds(READY, "True").then(|| app.conditions().map(str::to_owned).collect())
    };
    let waited = until("the engine to be connected", READY_LIMIT, recorder, |view| {
        connected(view).map_or(ControlFlow::Continue("it is not".to_owned()), ControlFlow::Break)
    });
    let conditions = waited.await.ok()?;
    world.record_user_files();
    let context = recorder.with_view(|view| !view.config_is_cleared());
    Some(Shown { conditions, context })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::catalogue::Catalogue;

    // The daemon can boot only an engine in a guest, and a mode that the scenario excludes stays
    // excluded.
    #[rstest]
    #[case(&[], Some(VmMode::Guest), "vm", None)]
    #[case(&[], None, "lima", None)]
    #[case(&[], Some(VmMode::Guest), "lima", Some("the run is on `lima:20.10`"))]
    #[case(&[VmMode::Guest], None, "lima:26.1", Some("by the daemon's own Lima"))]
    #[case(&[VmMode::Guest], None, "vm", None)]
    #[case(&[VmMode::Guest], None, "dockerd", Some("boots an engine in a virtual machine"))]
    #[case(&[], Some(VmMode::Guest), "dockerd", Some("boots an engine in a virtual machine"))]
    #[case(&[VmMode::Guest], Some(VmMode::Api), "vm", Some("needs VM mode `guest`"))]
    #[case(&[VmMode::Api], Some(VmMode::Guest), "vm", Some("needs VM mode `api`"))]
    fn mode_guest_is_for_engines_in_guests(
        #[case] modes: &[VmMode],
        #[case] wanted: Option<VmMode>,
        #[case] engine: &str,
        #[case] expected: Option<&str>,
    ) {
        let catalogue = Catalogue::embedded().expect("the catalogue");
        let is_later = |scenario: &&Scenario| !scenario.disturbs_first_connection();
        let mut scenario = catalogue.entries().find(is_later).expect("an entry").clone();
        scenario.needs.vm = modes.to_vec();
        let why = refused(&scenario, wanted, engine.parse().expect("an engine"));
        assert_eq!(why.is_some(), expected.is_some(), "{why:?}");
        let text = expected.unwrap_or_default();
        assert!(why.unwrap_or_default().contains(text));
    }

    // The first finding holds a list of the first sync; the other cuts a connection that it has.
    #[rstest]
    #[case("rdd-T3", VmMode::Guest, true)]
    #[case("rdd-T3", VmMode::Api, false)]
    #[case("295-I4", VmMode::Guest, false)]
    fn in_mode_guest_the_first_connection_is_made_before_the_first_step(
        #[case] id: &str,
        #[case] mode: VmMode,
        #[case] expected: bool,
    ) {
        let catalogue = Catalogue::embedded().expect("the catalogue");
        let scenario = catalogue.get(&id.parse().expect("an id")).expect("an entry");
        let why = refused(scenario, Some(mode), "vm".parse().expect("an engine"));
        assert_eq!(why.is_some(), expected, "{why:?}");
    }

    // The same of the machine of an installed Lima, whatever the VM mode is.
    #[rstest]
    #[case(json!("panic"), "lima", true)]
    #[case(json!({ "clock": { "behind_s": 60 } }), "lima", true)]
    #[case(json!({ "disk": "failing" }), "lima", true)]
    #[case(json!("kill_hostagent"), "lima", true)]
    #[case(json!("power_cut"), "lima", false)]
    #[case(json!("kill_forward"), "lima", false)]
    #[case(json!({ "memory": "scarce" }), "lima", false)]
    #[case(json!("panic"), "vm", false)]
    fn on_an_installed_lima_some_faults_of_guests_are_not_applicable(
        #[case] op: Value,
        #[case] engine: &str,
        #[case] expected: bool,
    ) {
        let steps = json!([{ "app": { "running": true } }, { "guest": op }, "settle"]);
        let scenario = json!({ "finding": "1-A", "steps": steps });
        let scenario = serde_json::from_value(scenario).expect("a scenario");
        let why = refused(&scenario, None, engine.parse().expect("an engine"));
        assert_eq!(why.is_some(), expected, "{why:?}");
        assert!(why.is_none_or(|why| why.contains("on `lima:20.10`, Lima")));
    }

    // Of the faults of guests, the daemon's machine can have those that the agent or QEMU brings about alone.
    #[rstest]
    #[case(json!("panic"), VmMode::Guest, Some("the daemon's Lima"))]
    #[case(json!({ "clock": { "ahead_s": 60 } }), VmMode::Guest, Some("the daemon's Lima"))]
    #[case(json!({ "disk": "slow" }), VmMode::Guest, Some("the daemon's Lima"))]
    #[case(json!({ "memory": "scarce" }), VmMode::Guest, None)]
    #[case(json!("pause"), VmMode::Guest, None)]
    #[case(json!("panic"), VmMode::Api, None)]
    fn in_mode_guest_the_machine_is_the_daemons(
        #[case] op: Value,
        #[case] mode: VmMode,
        #[case] expected: Option<&str>,
    ) {
        let steps = json!([{ "app": { "running": true } }, { "guest": op }, "settle"]);
        let scenario = json!({ "finding": "1-A", "steps": steps });
        let scenario = serde_json::from_value(scenario).expect("a scenario");
        let why = refused(&scenario, Some(mode), "vm".parse().expect("an engine"));
        assert_eq!(why.is_some(), expected.is_some(), "{why:?}");
        assert!(why.unwrap_or_default().contains(expected.unwrap_or_default()));
    }
}
