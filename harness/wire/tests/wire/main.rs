//! The wire from outside: each test plays the daemon and the engine by hand, byte for byte.

mod answer;
mod bench;
mod carrier;
mod cut;
mod drop;
mod duplicate;
mod forwarding;
mod frames;
mod gates;
mod half_open;
mod inject;
mod kubernetes;
mod lifecycle;
mod lose;
mod malformed;
mod phases;
mod random;
mod refuse;
mod reorder;
mod replace;
mod rewrite;
mod slow;
mod stale;
mod tls;
mod truncate;
mod upgrades;
