//! Builds anew when the catalogue, which is embedded, has an entry more or less.

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios/catalogue");
}
