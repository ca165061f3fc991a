//! `racetrap open`.

use std::path::PathBuf;

use miette::{IntoDiagnostic as _, Report, WrapErr as _};

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::bundle::LoadedBundle;
use crate::bundle_server::{BundleServer, CapturedWorld, is_served};
use crate::report::{self, Terminal};
use crate::sys::StopRequests;

/// Arguments of `open`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Evidence of a run: its directory, or the archive of one
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Serve the world of the second daemon
    #[arg(long)]
    neighbour: bool,
}

/// Serves the contents of a bundle until a request to stop comes.
pub(super) async fn open(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let mut requests = StopRequests::listen()
        .into_diagnostic()
        .wrap_err("racetrap cannot listen for signals")
        .map_err(Failure::machine)?;
    let bundle = LoadedBundle::read(&args.bundle, is_served)
        .map_err(|error| Failure::usage(Report::from_err(error)))?;
    let world = CapturedWorld::from_bundle(&bundle, args.neighbour).map_err(|error| {
        let context = format!("{} cannot be opened", args.bundle.display());
        Failure::usage(Report::from_err(error).wrap_err(context))
    })?;
    let mut server = BundleServer::start(&world)
        .await
        .map_err(|error| Failure::machine(Report::from_err(error)))?;
    let (kubeconfig, docker_host) = (server.kubeconfig(), server.docker_host());
    let told = terminal.write(&match format {
        Format::Human => report::opened(kubeconfig, docker_host.as_deref(), terminal.paint()),
        Format::Json => report::opened_json(kubeconfig, docker_host.as_deref()),
    });
    let ended = match told {
        Ok(()) => tokio::select! {
            // Cancel-safe: a request that was not received yet stays in the queue.
            _ = requests.next() => Ok(Exit::Success),
            // Cancel-safe: waiting has no side effect.
            error = server.failed() => {
                Err(Failure::machine(Report::from_err(error).wrap_err("the bundle can no longer be served")))
            }
        },
        Err(error) => Err(error.into()),
    };
    let closed = server.close().await.into_diagnostic();
    let closed = closed.wrap_err("the temporary files of the server could not be removed");
    closed.map_err(Failure::machine).and(ended)
}
