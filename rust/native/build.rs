//! Gathers what an installed harness needs besides its Python modules: the corpus, and the
//! sources of the Rust VM, which other toolchains build and interpret. maturin takes them from
//! `OUT_DIR` into the wheel (`tool.maturin.include` in `pyproject.toml`), and
//! `harness/resources.py` finds them there.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What is gathered, from the repository's root.
const RESOURCES: [&str; 7] = [
    "corpus",
    "rust/vm/Cargo.toml",
    "rust/vm/Cargo.lock",
    "rust/vm/src",
    "rust/pulley/Cargo.toml",
    "rust/pulley/Cargo.lock",
    "rust/pulley/src",
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bundle = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("bundle");
    if bundle.exists() {
        // What is no longer in the repository must not be in the wheel.
        fs::remove_dir_all(&bundle)?;
    }
    for resource in RESOURCES {
        println!("cargo::rerun-if-changed=../../{resource}");
        let from = root.join(resource);
        copy(&from, &bundle.join(resource))
            .map_err(|error| io::Error::other(format!("{}: {error}", from.display())))?;
    }
    // An editable install copies the bundle into the checkout, where a later wheel must not
    // take it for a part of the package: maturin and searches pass over what `.ignore` names.
    fs::write(bundle.join(".ignore"), "*\n")?;
    Ok(())
}

/// Copies a file, or a directory with all that is in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).map(|_| ())
}
