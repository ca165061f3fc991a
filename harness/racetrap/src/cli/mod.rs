//! The command line: one file per subcommand, and the exit codes.
//!
//! - `command`: parses the command line, and turns the result of a subcommand into an exit code;
//! - `list`, `promises`, `workloads`, `run`, `repro`, `matrix`, `survey`, `lanes`, `search` (and `learn`), `hunt`,
//!   `merge`, `report`, `judge`, `open`, `clean`, `doctor`, `engine`, `vm`: the subcommands; `manual`: shell
//!   completions and the man page;
//! - `search_log`: what a search keeps in its state file;
//! - `options`: options that several subcommands have; `targets`: turns ids, globs and files into
//!   scenarios;
//! - `evidence`: how much evidence there is, and whose;
//! - `columns`: the same scenarios on several daemons or engines, for `survey` and `lanes`;
//! - `index`: the page that links to all runs of a command;
//! - `reports`: JUnit and GitHub output, beside the report on the terminal;
//! - `daemon`: which daemon is run, and what it says about itself;
//! - `stop`: requests to stop; `again`: the command that repeats a run;
//! - `format`: text for people, or JSON;
//! - `checks`: what this machine has and lacks;
//! - `exit`: the published exit codes.

mod again;
mod checks;
mod clean;
mod columns;
mod command;
mod daemon;
mod doctor;
mod engine;
mod evidence;
mod exit;
mod format;
mod hunt;
mod index;
mod judge;
mod lanes;
mod list;
mod manual;
mod matrix;
mod merge;
mod open;
mod options;
mod promises;
mod report;
mod reports;
mod repro;
mod run;
mod search;
mod search_end;
mod search_log;
mod stop;
mod survey;
mod targets;
mod vm;
mod workloads;
mod worlds;

pub use command::main;
pub use exit::Exit;
