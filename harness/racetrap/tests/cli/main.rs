//! The command from outside: what it says, and its exit codes. No test here makes a world.

mod help;
mod listing;
mod machine;
mod sandbox;
mod scenario_files;
mod selection;
