//! The wire from outside: a test plays the daemon on one side and the engine on the other.

mod forwarding;
mod peer;
mod scene;
