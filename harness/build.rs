//! Embeds the cases and the answers, so that one file can be copied to another machine and run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for (name, folder) in [("CASES", "cases"), ("EXPECTED", "expected")] {
        println!("cargo:rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        let _ = writeln!(code, "/// Files below `{folder}/`: path and text.");
        let _ = writeln!(code, "pub const {name}: &[(&str, &str)] = &[");
        for file in files {
            let below = file.strip_prefix(root.join(folder)).unwrap_or(&file);
            let below = below.to_string_lossy().replace('\\', "/");
            let _ = writeln!(code, "    ({below:?}, include_str!({:?})),", file.display());
        }
        code.push_str("];\n");
    }
    fs::write(out.join("embedded.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "snap") {
            files.push(path);
        }
    }
    Ok(())
}
