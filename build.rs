//! How the program is linked: on Linux each of its pages lies as far from the file's beginning as it does in memory
//! from the program's, and it is loaded at an address of its own.
//!
//! LLD saves the padding between segments, so that the code's place in the file and its address agree to a page and no
//! further. The kernel (6.18) maps a large piece of the page cache at once where they agree to 2 MB: a static launch has
//! 81 page faults where it had 132, and takes a twentieth less time. That costs 2 kB. GNU ld does it by itself, and
//! passes the option by.
//!
//! One that could be loaded anywhere needs some 12,000 relocations at each start, which writes to 60 pages:
//! a quarter of a launch. What is given up is that an attacker would have to guess where the program's own code
//! lies; its stack, heap and libraries still move, it lives for a moment, and none of its own code is unsafe.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // A static program is said whole by its RUSTFLAGS, and this would undo half of that.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-Wl,-z,separate-loadable-segments");
    if !is_static {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
