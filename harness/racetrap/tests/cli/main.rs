//! The command as its users see it: output and exit codes.

mod daemon;
mod deadlines;
mod engines;
mod evidence;
mod guests;
mod help;
mod known;
mod listing;
mod machine;
mod manual;
mod merge;
mod output;
mod pasted;
mod promises;
mod report;
mod reports;
mod sandbox;
mod scenario_files;
mod selection;
mod stop;
mod terminal;
mod workloads;
