//! The daemon's database, for when its API does not answer: a copy is read, and the daemon's own file
//! is not opened by SQLite at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};

/// The longest database that is copied, in bytes.
const LONGEST: u64 = 64 << 20;

/// How many rows of a table are taken, the last ones.
const ROWS: u32 = 5_000;

const FILE: &str = "database.yaml";

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("database", Duration::from_secs(4), move |shelf| look(shelf, &patient))
}

fn look(shelf: &Shelf, patient: &Patient) {
    let Some(directory) = patient.paths.get("dir") else {
        return shelf.missing(FILE, "the daemon has not said where it is");
    };
    let copied = database(&directory.join("db")).and_then(|path| Copy::of(&path));
    match copied.and_then(|copy| dump(&copy.database)) {
        Ok(tables) => shelf.put(FILE, Content::Json(tables)),
        Err(why) => shelf.missing(FILE, why),
    }
}

/// The one database of the directory.
fn database(directory: &Path) -> Result<PathBuf, String> {
    let listed = fs::read_dir(directory).map_err(|error| error.to_string())?;
    let mut paths = listed.filter_map(Result::ok).map(|entry| entry.path());
    let found = paths.find(|path| path.extension().is_some_and(|kind| kind == "db"));
    found.ok_or_else(|| format!("there is none in {}", directory.display()))
}

/// A copy that is removed when it was read. The log is copied last: what it has more than the
/// database is newer, and what is torn in it, SQLite leaves out by its checksums.
struct Copy {
    directory: PathBuf,
    database: PathBuf,
}

impl Copy {
    fn of(path: &Path) -> Result<Self, String> {
        let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
        if length > LONGEST {
            return Err(format!("it has {length} bytes, and {LONGEST} are the most"));
        }
        let directory = path.with_extension(format!("copy-{}", std::process::id()));
        let copy = Self { database: directory.join("state.db"), directory };
        let make = || {
            fs::create_dir_all(&copy.directory)?;
            fs::copy(path, &copy.database)?;
            let log = path.with_extension("db-wal");
            if log.is_file() {
                fs::copy(log, copy.database.with_extension("db-wal"))?;
            }
            std::io::Result::Ok(())
        };
        make().map_err(|error| format!("no copy could be made: {error}"))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It lies in the world's directory, which goes with all that is in it.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Every table by its name, with its last rows.
fn dump(path: &Path) -> Result<Value, String> {
    let read = || -> rusqlite::Result<Value> {
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
        if found.len() == ROWS as usize {
            found.pop_front();
        }
        found.push_back(Value::Object(object));
    }
    Ok(found.into())
}

/// A cell; one that holds JSON as that, so that its secrets are known by their places. What is neither
/// JSON nor text is left out, for nobody knows what is in it.
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
