//! `schema.graphql` at the project's root is what the server serves.

use std::path::Path;

use crate::harness::golden;

#[test]
fn the_printed_schema_is_the_committed_one() {
    golden::check(Path::new("schema.graphql"), &onestop::schema::sdl());
}
