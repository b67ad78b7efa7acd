//! The schemas as text: whoever changes one, reads what changed. `schema.graphql` at the project's root is what the server serves,
//! `schemas` has what each kind of partner is shown of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use entity::kinds::PartnerKind;
use onestop::schema::{sdl, sdl_of};

use crate::harness::golden;

fn file_of(kind: PartnerKind) -> PathBuf {
    Path::new("tests/it/schemas").join(format!("{}.graphql", kind.word()))
}

#[test]
fn the_printed_schema_is_the_committed_one() {
    golden::check(Path::new("schema.graphql"), &sdl());
}

#[test]
fn each_kind_is_shown_the_schema_that_is_written_down() {
    for kind in PartnerKind::ALL {
        golden::check(&file_of(*kind), &sdl_of(*kind));
    }
}

#[test]
fn no_schema_of_a_kind_that_is_gone_is_left() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemas");
    let found: BTreeSet<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    let known = PartnerKind::ALL.iter().map(|kind| file_of(*kind).file_name().unwrap().into()).collect();
    assert_eq!(found, known);
}
