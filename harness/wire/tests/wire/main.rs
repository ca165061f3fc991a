//! The wire from outside: each test plays the client and the upstream by hand, byte for byte.

mod answer;
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
mod testbed;
mod tls;
mod transport;
mod truncate;
mod upgrades;
