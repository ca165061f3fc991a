//! The catalogue's tests: each finding on the correct daemon, under its defect, under another's.
