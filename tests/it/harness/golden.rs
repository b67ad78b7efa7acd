//! Files that hold what is expected; `ONESTOP_BLESS=1` rewrites them.

use std::path::Path;

/// Fails unless a file of the project says exactly this.
pub fn check(file: &Path, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("ONESTOP_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(found.lines()).position(|(expected, found)| expected != found);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{} differs from line {} on; if that is meant, run this test again with ONESTOP_BLESS=1\nexpected: {}\nfound:    {}",
        file.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or("(end)"),
        found.lines().nth(line).unwrap_or("(end)"),
    );
}
