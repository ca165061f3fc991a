//! HTTP/1.1 interposer between a daemon and its container engine.
