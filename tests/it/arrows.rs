//! The arrows between the rooms, as `src/lib.rs` draws them, against what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

const ROOT: &str = "src";

fn at_home(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The folder or file directly below `src` in which a file lies.
fn room(file: &Path) -> String {
    let inside = file.strip_prefix(at_home(ROOT)).unwrap();
    let first = Path::new(inside.components().next().unwrap().as_os_str());
    first.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// What stands behind each `crate::`; of a group `crate::{a::…, b}`, the head of each member.
fn named_after(code: &str, root: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(root) {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = code[at + root.len()..].trim_start();
        match rest.strip_prefix('{') {
            None => {
                names.insert(word(rest));
            }
            Some(group) => {
                let mut depth = 0;
                let mut starts = true;
                for (at, sign) in group.char_indices() {
                    match sign {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => starts = true,
                        _ if starts && !sign.is_whitespace() => {
                            names.insert(word(&group[at..]));
                            starts = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect()
}

fn rooms() -> BTreeSet<String> {
    files(&at_home(ROOT)).iter().map(|file| room(file)).collect()
}

/// The paragraph of `src/lib.rs` that begins with `Arrows:`, up to its first full stop.
fn drawn() -> Arrows {
    let text = std::fs::read_to_string(at_home("src/lib.rs")).unwrap();
    let docs: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let docs = docs.join(" ");
    let (_, arrows) = docs.split_once("Arrows:").expect("src/lib.rs draws the arrows");
    let arrows = arrows.split_once(". ").map_or(arrows, |(arrows, _)| arrows);
    let mut drawn = Arrows::new();
    for arrow in arrows.split('·') {
        let (from, to) = arrow.split_once('→').unwrap_or_else(|| panic!("no arrow in `{arrow}`"));
        let to: BTreeSet<String> = match to.trim().strip_prefix("everything but ") {
            Some(but) => {
                let not =
                    |room: &String| but.split(',').chain([from, "main", "lib"]).any(|no| no.trim() == room);
                rooms().into_iter().filter(|room| !not(room)).collect()
            }
            None => to.split(',').map(|to| to.trim().trim_end_matches('.').to_owned()).collect(),
        };
        for from in from.split(',') {
            drawn.entry(from.trim().to_owned()).or_default().extend(to.iter().cloned());
        }
    }
    drawn
}

fn taken() -> Arrows {
    let mut taken = Arrows::new();
    for file in files(&at_home(ROOT)) {
        let from = room(&file);
        let code = code(&file);
        let to = taken.entry(from.clone()).or_default();
        to.extend(named_after(&code, "crate::"));
        to.extend(named_after(&code, "onestop::"));
        to.remove(&from);
    }
    taken.remove("lib");
    taken
}

#[test]
fn every_arrow_in_the_code_is_drawn() {
    let drawn = drawn();
    let rooms = rooms();
    let nothing = BTreeSet::new();
    let mut wrong = Vec::new();
    for (from, to) in taken() {
        let allowed = drawn.get(&from).unwrap_or(&nothing);
        wrong.extend(
            to.iter()
                .filter(|to| rooms.contains(*to) && !allowed.contains(*to))
                .map(|to| format!("{from} → {to}")),
        );
    }
    assert_eq!(wrong, Vec::<String>::new(), "arrows that src/lib.rs does not draw");
}

#[test]
fn the_arrows_that_are_drawn_lead_from_room_to_room_without_circles() {
    let mut drawn = drawn();
    for (from, to) in &drawn {
        assert!(!to.contains(from), "{from} leads to itself");
    }
    while !drawn.is_empty() {
        let open: BTreeSet<String> = drawn.keys().cloned().collect();
        drawn.retain(|_, to| to.iter().any(|to| open.contains(to)));
        assert!(drawn.len() < open.len(), "a circle among {open:?}");
    }
}

#[test]
fn only_access_holds_a_connection() {
    for file in files(&at_home(ROOT)) {
        let code = code(&file);
        for held in [
            "ConnectionTrait",
            "DatabaseConnection",
            "DatabaseExecutor",
            "DatabaseTransaction",
            "TransactionTrait",
        ] {
            assert!(!code.contains(held) || room(&file) == "access", "{} holds a {held}", file.display());
        }
    }
}

#[test]
fn rules_are_pure() {
    for file in files(&at_home("src/rules")) {
        for crate_name in
            ["sea_orm", "async_graphql", "axum", "tokio", "rand::", "Utc::now", "SystemTime", "Instant::now"]
        {
            assert!(!code(&file).contains(crate_name), "{} uses {crate_name}", file.display());
        }
    }
}

#[test]
fn the_clock_is_passed_in() {
    for file in files(&at_home(ROOT)) {
        let asks = code(&file).contains("Utc::now") || code(&file).contains("Local::now");
        assert!(!asks || room(&file) == "clock", "{} asks the machine for the time", file.display());
    }
}

#[test]
fn tables_and_migrations_import_no_room() {
    for (folder, foreign) in
        [("entity/src", ["onestop::", "migration::"]), ("migration/src", ["onestop::", "entity::"])]
    {
        for file in files(&at_home(folder)) {
            let code = code(&file);
            for root in foreign {
                assert_eq!(named_after(&code, root), BTreeSet::new(), "{}", file.display());
            }
        }
    }
}
