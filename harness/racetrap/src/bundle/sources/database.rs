//! The daemon's database, which has the same objects as its API and can be read when the API does
//! not answer. Only a copy is opened with SQLite: opening the daemon's own file could lock or
//! change it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

use crate::bundle::collect::Collector;
use crate::bundle::limits::check_length;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;

/// The largest database that is copied, in bytes.
const DATABASE_MAX: u64 = 64 << 20;

/// How many rows of each table are captured; of a longer table the last ones.
const ROWS_MAX: usize = 5_000;

const FILE: &str = "database.yaml";

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("database", Duration::from_secs(4), move |output| {
        collect(output, &target);
    })
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    let Some(directory) = target.paths.get("dir") else {
        return output.missing(FILE, "the daemon has not said where it is");
    };
    let copied = find_database(&directory.join("db")).and_then(|path| Copy::create(&path));
    match copied.and_then(|copy| dump(&copy.database)) {
        Ok(tables) => output.put(FILE, Content::Json(tables)),
        Err(why) => output.missing(FILE, why),
    }
}

/// The only database in the directory.
fn find_database(directory: &Path) -> Result<PathBuf, String> {
    let listed = fs::read_dir(directory).map_err(|error| error.to_string())?;
    let mut paths = listed.filter_map(Result::ok).map(|entry| entry.path());
    let found = paths.find(|path| path.extension().is_some_and(|kind| kind == "db"));
    found.ok_or_else(|| format!("there is none in {}", directory.display()))
}

/// A copy of the database, removed when this is dropped.
struct Copy {
    directory: PathBuf,
    database: PathBuf,
}

impl Copy {
    fn create(path: &Path) -> Result<Self, String> {
        let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
        check_length(length, DATABASE_MAX)?;
        let directory = path.with_extension(format!("copy-{}", std::process::id()));
        let copy = Self { database: directory.join("state.db"), directory };
        let copy_files = || {
            fs::create_dir_all(&copy.directory)?;
            fs::copy(path, &copy.database)?;
            // The write-ahead log last: it then only has transactions that the copied database
            // lacks. If the daemon is just writing one, SQLite ignores it because of its checksum.
            let log = path.with_extension("db-wal");
            if log.is_file() {
                fs::copy(log, copy.database.with_extension("db-wal"))?;
            }
            std::io::Result::Ok(())
        };
        copy_files().map_err(|error| format!("it could not be copied: {error}"))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The copy is in the world's directory, which is removed with everything in it when the
        // world is closed.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// All tables by name, each as a list of its last rows.
fn dump(path: &Path) -> Result<Value, String> {
    let read = || -> rusqlite::Result<Value> {
        // Writable, because SQLite merges the write-ahead log into the copy.
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let names: Vec<String> =
            names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut tables = Map::new();
        for name in names {
            let rows = rows(&database, &name)?;
            tables.insert(name, Value::from(rows));
        }
        Ok(Value::Object(tables))
    };
    read().map_err(|error| error.to_string())
}

fn rows(database: &Connection, table: &str) -> rusqlite::Result<Vec<Value>> {
    let table = table.replace('"', "\"\"");
    let mut statement = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    let mut found = std::collections::VecDeque::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (index, column) in columns.iter().enumerate() {
            object.insert(column.clone(), cell(row.get_ref(index)?));
        }
        // Keeps the last rows. Not every table has a key by which SQL could find them.
        if found.len() == ROWS_MAX {
            found.pop_front();
        }
        found.push_back(Value::Object(object));
    }
    Ok(found.into())
}

/// The value of a cell. A JSON document is parsed, so that its secrets are found by their names. A
/// blob that is not JSON is left out, because nothing could find a secret in it.
fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).ok();
            let json = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
            let json = json.filter(|value| value.is_object() || value.is_array());
            let text = text.filter(|_| matches!(value, ValueRef::Text(_))).map(Value::from);
            json.or(text).unwrap_or_else(|| json!({ "left_out_bytes": bytes.len() }))
        }
    }
}
