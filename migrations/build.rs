//! Makes a new or changed SQL file rebuild the migrator that has the files compiled in.

fn main() {
    println!("cargo:rerun-if-changed=sql");
}
