//! The wire from outside: each test plays the daemon and the engine by hand, byte for byte.

mod answer;
mod bench;
mod cut;
mod forwarding;
mod frames;
mod gates;
mod lifecycle;
mod malformed;
mod phases;
mod refuse;
mod upgrades;
