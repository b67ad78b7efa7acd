//! SECURITY.md names the test that shows each wall; a test that is renamed or dropped must not leave a wall that nobody shows.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for (file, test) in named {
        let source = fs::read_to_string(root.join("tests/it").join(file).with_extension("rs"))
            .unwrap_or_else(|error| panic!("{file}::{test}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file}::{test} is not there");
    }
}
