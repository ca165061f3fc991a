//! Configuration in the world's HOME: Docker's and its contexts, Kubernetes's, the daemon's, Lima's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::mask::{DocumentKind, Hits, Masker, Place};
use crate::world_directory::engine;

/// The longest file that is taken for a configuration, in bytes.
const LONGEST: u64 = 1 << 20;

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("home", Duration::from_secs(2), move |shelf| look(shelf, &patient))
}

/// How a file is read and masked.
#[derive(Clone, Copy)]
enum Form {
    /// JSON of a kind whose secrets are known by their places.
    Json(DocumentKind),
    /// The same in YAML.
    Yaml(DocumentKind),
    /// Any other JSON or YAML.
    Tree,
    /// A list of arguments.
    Arguments,
}

fn look(shelf: &Shelf, patient: &Patient) {
    let home = &patient.home;
    let mut files = vec![
        (home.join(".docker/config.json"), Form::Json(DocumentKind::DockerConfig)),
        (home.join(".kube/config"), Form::Yaml(DocumentKind::Kubeconfig)),
    ];
    for meta in below(&home.join(".docker/contexts/meta"), "meta.json") {
        files.push((meta, Form::Tree));
    }
    let said = |name: &str| patient.paths.get(name).cloned();
    files.extend(said("args_file").map(|path| (path, Form::Arguments)));
    for kubeconfig in
        [said("config"), said("k3s_config"), said("short_dir").map(|it| it.join("kube.config"))]
    {
        files.extend(kubeconfig.map(|path| (path, Form::Yaml(DocumentKind::Kubeconfig))));
    }
    if let Some(lima) = said("lima_home") {
        files.push((lima.join("_config/default.yaml"), Form::Tree));
        files.push((lima.join("_config/override.yaml"), Form::Tree));
        files.push((lima.join("_config/networks.yaml"), Form::Tree));
        files.extend(below(&lima, "lima.yaml").into_iter().map(|path| (path, Form::Tree)));
    }
    for (path, form) in files {
        take(shelf, home, &path, form);
    }
    let engine = engine(&patient.directory).join("daemon.json");
    put(shelf, "engine/daemon.json", &engine, Form::Json(DocumentKind::Docker));
}

/// The files of this name in the directories of `place`.
fn below(place: &Path, name: &str) -> Vec<PathBuf> {
    let directories = fs::read_dir(place).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = directories
        .map(|directory| directory.path().join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

fn take(shelf: &Shelf, home: &Path, path: &Path, form: Form) {
    match path.strip_prefix(home) {
        Ok(name) => put(shelf, &format!("home/{}", name.display()), path, form),
        Err(_) => shelf.missing("home", format!("{} lies outside of it", path.display())),
    }
}

fn put(shelf: &Shelf, name: &str, path: &Path, form: Form) {
    let masker = shelf.masker();
    let content = read(path).and_then(|text| match form {
        Form::Json(kind) => masked(masker.json(kind, text.as_bytes())),
        Form::Yaml(kind) => masked(masker.yaml(kind, &text)),
        // JSON is YAML too.
        Form::Tree => match serde_yaml::from_str(&text) {
            Ok(value) => Ok(Content::Json(value)),
            Err(_) => Err("left out: it is neither JSON nor YAML".to_owned()),
        },
        Form::Arguments => arguments(masker, &text),
    });
    match content {
        Ok(content) => shelf.put(name, content),
        Err(why) => shelf.missing(name, why),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LONGEST {
        return Err(format!("it has {length} bytes, and {LONGEST} are the most"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

fn masked(document: Result<(String, Hits), impl ToString>) -> Result<Content, String> {
    document.map(|(text, hits)| Content::Masked(text, hits)).map_err(|left| left.to_string())
}

/// The daemon's saved arguments: masked as a command line.
fn arguments(masker: &Masker, text: &str) -> Result<Content, String> {
    let arguments = serde_json::from_str::<Vec<String>>(text);
    let mut arguments = arguments.map_err(|_| "left out: it is no list of arguments")?;
    let mut hits = Hits::default();
    masker.command_line(&mut arguments, &Place::ROOT, &mut hits);
    let text = serde_json::to_string(&arguments).map_err(|error| error.to_string())?;
    Ok(Content::Masked(text + "\n", hits))
}
