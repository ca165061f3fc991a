//! The record of a run, and everything that is a pure function of it.
