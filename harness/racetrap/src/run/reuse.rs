//! Which world a scenario needs, and whether it leaves one that can be used again.

use racetrap_history::{
    ApiStep, CommandStep, EngineStep, FaultStep, GateStep, Needs, Scenario, Side, Step, Streams,
    VmMode,
};

use super::options::RunOptions;
use crate::world::{Key, Pool};

/// What a world for this run must be like.
pub(super) fn key(scenario: &Scenario, options: &RunOptions, vm: VmMode) -> Key {
    Key {
        daemon: options.daemon.clone(),
        defects: options.defects.clone(),
        vm,
        engine: options.engine,
        needs: Needs { vm: Vec::new(), ..scenario.needs.clone() },
        has_admission: scenario.needs.reviews || scenario.steps.iter().any(asks_admission),
        has_client_wire: scenario.steps.iter().any(stands_before_api),
    }
}

/// Whether a reset can undo everything that the scenario does: the scenario neither ends nor changes
/// processes, and creates no object that only its creator may remove.
pub(super) fn can_be_undone(scenario: &Scenario) -> bool {
    let stays = |step: &Step| {
        matches!(
            step,
            Step::Daemon(_)
                | Step::Engine(EngineStep::Process(_) | EngineStep::Guest(_))
                | Step::Neighbour(_)
                | Step::Fault(FaultStep::ReplaceSocket)
                | Step::Api(ApiStep::CreateObject(_))
        ) || writes_by_command(step)
    };
    // A daemon in its own namespace, or a user's files, would need a proof that costs more than a new
    // world.
    let has_user = scenario.needs.docker.is_some();
    let changes_files = has_user || scenario.needs.kubernetes;
    !scenario.needs.neighbour && !changes_files && !scenario.steps.iter().any(stays)
}

/// Whether a command may write any object of the daemon's API, as `kubectl` can, or any file.
fn writes_by_command(step: &Step) -> bool {
    let Step::Command(CommandStep::RunCommand(run)) = step else { return false };
    run.arguments.first().is_some_and(|name| ["ctl", "limavm", "run"].contains(&name.as_str()))
}

/// The pool from which this run takes its world, and to which it gives the world back. Each run on a
/// guest forks its own.
pub(super) fn pool(scenario: &Scenario, options: &RunOptions) -> Pool {
    if needs_fresh_engine(scenario) || options.engine.guest().is_some() {
        Pool::disabled()
    } else {
        options.pool.clone()
    }
}

/// Whether the run needs an engine without a past: a daemon that is told a wrong time asks for the events
/// of earlier runs as well.
fn needs_fresh_engine(scenario: &Scenario) -> bool {
    let tells_time = |step: &Step| matches!(step, Step::Fault(FaultStep::Fault(fault)) if fault.on.route.as_deref() == Some("/info"));
    scenario.steps.iter().any(tells_time)
}

/// Whether a step may make the daemon connect to its engine.
pub(super) fn starts_app(step: &Step) -> bool {
    let Step::Command(step) = step else { return false };
    match step {
        CommandStep::App(_) | CommandStep::Set(_) => true,
        CommandStep::RunCommand(run) => run.arguments.first().is_some_and(|verb| verb == "run"),
        CommandStep::Returned(_) | CommandStep::Interrupt(_) => false,
    }
}

fn asks_admission(step: &Step) -> bool {
    matches!(step, Step::Gate(GateStep::HoldWrite(_)) | Step::Fault(FaultStep::DenyWrite { .. }))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps are about a wire")]
fn stands_before_api(step: &Step) -> bool {
    match step {
        Step::Gate(GateStep::Hold(hold)) => hold.wire == Side::Api,
        Step::Fault(FaultStep::Fault(fault)) => fault.wire == Side::Api,
        Step::Fault(FaultStep::Cut(streams)) => *streams == Streams::Watches,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn entry(id: &str) -> Scenario {
        let catalogue = Catalogue::embedded().expect("the catalogue");
        catalogue.entries().find(|entry| entry.finding.as_str() == id).expect("an entry").clone()
    }

    // Both are about the same gap; only one of them has the engine tell another time.
    #[test]
    fn a_wrong_clock_needs_an_engine_without_a_past() {
        assert!(needs_fresh_engine(&entry("rdd-E3")));
        assert!(!needs_fresh_engine(&entry("295-I3")));
    }

    // The entries are those of the catalogue: one restarts the engine, one has a neighbour, and one
    // makes an object of its own; the last two do so without their faults as well.
    #[test]
    fn what_a_reset_cannot_undo_is_not_tried() {
        assert!(can_be_undone(&entry("295-I4")));
        let (restarts, neighbour, object) = (entry("295-T3"), entry("295-S2"), entry("295-D1"));
        assert_eq!([&restarts, &neighbour, &object].map(can_be_undone), [false; 3]);
        let controls = [&restarts, &neighbour, &object].map(Scenario::control);
        assert_eq!(controls.each_ref().map(can_be_undone), [true, false, false]);
    }
}
