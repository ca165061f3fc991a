//! Configuration files in the world's HOME: of Docker and its contexts, of Kubernetes, the daemon
//! and Lima.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::limits::check_length;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::mask::{DocumentKind, Hits, Location, Masker};
use crate::world_directory::engine;

/// The largest configuration file that is read, in bytes.
const CONFIGURATION_MAX: u64 = 1 << 20;

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("home", Duration::from_secs(2), move |output| collect(output, &target))
}

/// The format of a file, which decides how it is masked.
#[derive(Clone, Copy)]
enum Form {
    /// JSON of a kind whose secrets have known locations.
    Json(DocumentKind),
    /// YAML of a kind whose secrets have known locations.
    Yaml(DocumentKind),
    /// Any other JSON or YAML.
    Tree,
    /// A JSON list of command-line arguments.
    Arguments,
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    let home = &target.home;
    // A file that this world does not have gets an entry as missing.
    let mut files = vec![
        (home.join(".docker/config.json"), Form::Json(DocumentKind::DockerConfig)),
        (home.join(".kube/config"), Form::Yaml(DocumentKind::Kubeconfig)),
    ];
    for meta in below(&home.join(".docker/contexts/meta"), "meta.json") {
        files.push((meta, Form::Tree));
    }
    let daemon_path = |name: &str| target.paths.get(name).cloned();
    files.extend(daemon_path("args_file").map(|path| (path, Form::Arguments)));
    let kube_config = daemon_path("short_dir").map(|directory| directory.join("kube.config"));
    for kubeconfig in [daemon_path("config"), daemon_path("k3s_config"), kube_config] {
        files.extend(kubeconfig.map(|path| (path, Form::Yaml(DocumentKind::Kubeconfig))));
    }
    if let Some(lima) = daemon_path("lima_home") {
        files.push((lima.join("_config/default.yaml"), Form::Tree));
        files.push((lima.join("_config/override.yaml"), Form::Tree));
        files.push((lima.join("_config/networks.yaml"), Form::Tree));
        files.extend(below(&lima, "lima.yaml").into_iter().map(|path| (path, Form::Tree)));
    }
    for (path, form) in files {
        put_from_home(output, home, &path, form);
    }
    let engine = engine(&target.directory).join("daemon.json");
    put(output, "engine/daemon.json", &engine, Form::Json(DocumentKind::Docker));
}

/// The files `*/NAME` in `parent`, sorted.
fn below(parent: &Path, name: &str) -> Vec<PathBuf> {
    let directories = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = directories
        .map(|directory| directory.path().join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

/// Stores a file under its path in HOME. The daemon names some of the paths, so one may be outside
/// of HOME; that file is not read.
fn put_from_home(output: &CollectorOutput, home: &Path, path: &Path, form: Form) {
    match path.strip_prefix(home) {
        Ok(name) => put(output, &format!("home/{}", name.display()), path, form),
        Err(_) => output.missing("home", format!("{} is outside of it", path.display())),
    }
}

fn put(output: &CollectorOutput, name: &str, path: &Path, form: Form) {
    let masker = output.masker();
    let content = read(path).and_then(|text| match form {
        Form::Json(kind) => masked(masker.json(kind, text.as_bytes())),
        Form::Yaml(kind) => masked(masker.yaml(kind, &text)),
        // The YAML parser reads JSON, too. Its error may quote a secret, so it is not shown.
        Form::Tree => match serde_yaml::from_str(&text) {
            Ok(value) => Ok(Content::Json(value)),
            Err(_) => Err("left out: it is neither JSON nor YAML".to_owned()),
        },
        Form::Arguments => arguments(masker, &text),
    });
    match content {
        Ok(content) => output.put(name, content),
        Err(why) => output.missing(name, why),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    check_length(length, CONFIGURATION_MAX)?;
    fs::read_to_string(path).map_err(|error| error.to_string())
}

fn masked(document: Result<(String, Hits), impl ToString>) -> Result<Content, String> {
    document.map(|(text, hits)| Content::Masked(text, hits)).map_err(|left| left.to_string())
}

/// The daemon's saved arguments, masked as a command line.
fn arguments(masker: &Masker, text: &str) -> Result<Content, String> {
    let arguments = serde_json::from_str::<Vec<String>>(text);
    let mut arguments = arguments.map_err(|_| "left out: it is no list of arguments")?;
    let mut hits = Hits::default();
    masker.command_line(&mut arguments, &Location::ROOT, &mut hits);
    let text = serde_json::to_string(&arguments).map_err(|error| error.to_string())?;
    Ok(Content::Masked(text + "\n", hits))
}
