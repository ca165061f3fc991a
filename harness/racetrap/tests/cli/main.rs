//! The command as its users see it: output and exit codes.

mod daemon;
mod deadlines;
mod engines;
mod guests;
mod help;
mod known;
mod listing;
mod machine;
mod output;
mod promises;
mod report;
mod reports;
mod sandbox;
mod scenario_files;
mod selection;
mod stop;
