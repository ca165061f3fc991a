//! Builds anew when a directory that is embedded has a file more or less, or another one.

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios/catalogue");
    println!("cargo::rerun-if-changed=../../docs/contract");
}
