//! The commands with which an open bundle can be read.

use std::path::Path;

use super::terminal::Paint;

/// Lines to paste into a shell, and the key that ends the server.
pub(crate) fn opened(kubeconfig: Option<&Path>, docker_host: Option<&str>, paint: Paint) -> String {
    let variable = |name: &str, value: Option<String>, what: &str| match value {
        Some(value) => format!("export {name}={value}\n"),
        None => paint.faint(&format!("# the bundle has nothing of {what}")) + "\n",
    };
    let kubeconfig = kubeconfig.map(|path| path.display().to_string());
    variable("KUBECONFIG", kubeconfig, "the daemon's API")
        + &variable("DOCKER_HOST", docker_host.map(str::to_owned), "the engine")
        + &paint.faint("# it can be read by kubectl and docker until this command ends (Ctrl-C)")
        + "\n"
}
