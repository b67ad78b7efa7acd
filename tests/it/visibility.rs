//! Who sees what, printed: every table, every node, every door and every root field, for every partner of a seeded
//! district. `visibility.txt` is what is meant; `ONESTOP_BLESS=1` rewrites it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use entity::kinds::{PartnerKind, Scope};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use onestop::access::policy::Sliced;
use onestop::access::{Slice, is_of_people};
use onestop::schema::cut;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use serde_json::json;

use crate::harness::district::PARTNERS;
use crate::harness::sdl::{nodes_of, roots_of, types_of};
use crate::harness::{Partner, Town, golden};

/// Rows by owner, so that a partner that sees all sees more than each of the others.
struct Table {
    name: &'static str,
    seen: for<'a> fn(&'a DatabaseConnection, &'a Slice) -> BoxFuture<'a, String>,
    rows: for<'a> fn(&'a DatabaseConnection) -> BoxFuture<'a, u64>,
}

/// How many rows a slice sees; `-` when none of the partner's systems ever holds the scope that reading takes.
async fn seen<E>(look: &DatabaseConnection, slice: &Slice) -> String
where
    E: Sliced,
    E::Model: Send + Sync,
{
    let own = E::find().filter(E::rows(slice.viewer().partner())).all(look).await.unwrap().len();
    match (slice.select::<E>(), E::READ) {
        (Ok(selection), _) => {
            let selected = selection.all().await.unwrap().len();
            assert_eq!(selected, own, "{} of {}", E::NAME, slice.viewer().partner().code);
            selected.to_string()
        }
        (Err(_), Some(scope)) => {
            assert!(!slice.viewer().has(scope));
            // The bureau's own people see what none of its systems does.
            assert!(
                own == 0 || is_of_people(scope),
                "{} has rows of {} without the scope",
                slice.viewer().partner().code,
                E::NAME
            );
            "-".to_owned()
        }
        (Err(error), None) => panic!("{}: {error:?}", E::NAME),
    }
}

macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        vec![$(Table {
            name: <entity::$table::Entity as Sliced>::NAME,
            seen: |look, slice| seen::<entity::$table::Entity>(look, slice).boxed(),
            rows: |look| async move { entity::$table::Entity::find().count(look).await.unwrap() }.boxed(),
        }),*]
    };
}

fn tables() -> Vec<Table> {
    onestop::every_sliced_table!(tables)
}

/// Lines of cells, each column as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(line, "  {cell:>width$}").unwrap();
        }
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

fn heads(first: &str) -> Vec<String> {
    let codes = PARTNERS.iter().map(|(code, _, _)| (*code).to_owned());
    [first.to_owned(), "rows".to_owned()].into_iter().chain(codes).collect()
}

async fn names_in(look: &DatabaseConnection) -> BTreeSet<String> {
    let backend = look.get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        _ => "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
    };
    let rows = look.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn print_tables(town: &Town, slices: &[Slice]) -> String {
    let look = town.district.database.look().await;
    let mut lines = vec![heads("table")];
    for table in tables() {
        let rows = (table.rows)(&look).await;
        assert!(rows > 0, "no rows of {} in the town", table.name);
        let mut line = vec![table.name.to_owned(), rows.to_string()];
        for slice in slices {
            line.push((table.seen)(&look, slice).await);
        }
        lines.push(line);
    }
    aligned(&lines)
}

/// How many of these ids a partner is shown by `nodes`; each of them must be what its type says.
async fn shown(partner: &Partner, name: &str, ids: &[String]) -> String {
    let reply = partner
        .ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", json!({ "ids": ids }))
        .await;
    let reply = reply.fine();
    let kind = PARTNERS.iter().find(|(code, _, _)| *code == partner.code).unwrap().1;
    let shown: Vec<_> = reply.at("nodes").as_array().unwrap().iter().filter(|node| !node.is_null()).collect();
    assert!(
        shown.iter().all(|node| node["__typename"] == name && ids.iter().any(|id| node["id"] == id.as_str()))
    );
    let known = nodes_of(&onestop::schema::sdl_of(kind)).contains(name);
    assert!(known || shown.is_empty(), "{} is shown a {name}, which its schema does not have", partner.code);
    shown.len().to_string()
}

async fn print_nodes(town: &Town) -> String {
    let mut lines = vec![heads("node")];
    let nodes = town.nodes().await;
    let covered: BTreeSet<String> = nodes.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(nodes_of(&onestop::schema::sdl()), covered, "every type that implements Node is in the table");
    for (name, ids) in nodes {
        let mut line = vec![name.to_owned(), ids.len().to_string()];
        for partner in &town.partners {
            line.push(shown(partner, name, &ids).await);
        }
        lines.push(line);
    }
    aligned(&lines)
}

/// What is met only by knowing something: the number at a list's `totalCount`, or 1 and 0; `-` where the field does not exist.
async fn print_doors_and_lists(town: &Town) -> String {
    let (id, name) = &town.patient;
    let asked = [
        ("partners", "{ partners { totalCount } }".to_owned(), "partners.totalCount"),
        ("settlements", "{ settlements { totalCount } }".to_owned(), "settlements.totalCount"),
        ("redemptions", "{ redemptions { totalCount } }".to_owned(), "redemptions.totalCount"),
        ("referrals", "{ referrals { totalCount } }".to_owned(), "referrals.totalCount"),
        ("referrals: person", "{ referrals { nodes { person { name } } } }".to_owned(), "referrals.nodes"),
        ("card by its number", format!("{{ aidCard(number: \"{}\") {{ id }} }}", town.card), "aidCard.id"),
        (
            "patient by number and name",
            format!("{{ coverage(nationalId: \"{id}\", name: \"{name}\") {{ patientName }} }}"),
            "coverage.patientName",
        ),
        (
            "patient by number alone",
            format!("{{ coverage(nationalId: \"{id}\", name: \"某某\") {{ patientName }} }}"),
            "coverage.patientName",
        ),
    ];
    let mut lines = vec![heads("list or door").into_iter().filter(|head| head != "rows").collect::<Vec<_>>()];
    for (what, query, path) in asked {
        let mut line = vec![what.to_owned()];
        for partner in &town.partners {
            let reply = partner.ask(&query, json!({})).await;
            let found = match (reply.error().as_str(), reply.at(path)) {
                ("GRAPHQL_VALIDATION_FAILED", _) => "-".to_owned(),
                ("", serde_json::Value::Number(number)) => number.to_string(),
                ("", serde_json::Value::Array(nodes)) => {
                    nodes.iter().filter(|node| node["person"]["name"].is_string()).count().to_string()
                }
                ("", serde_json::Value::Null) => "0".to_owned(),
                ("", serde_json::Value::String(_)) => "1".to_owned(),
                other => panic!("{what}: {other:?}"),
            };
            line.push(found);
        }
        lines.push(line);
    }
    aligned(&lines)
}

fn print_names(
    title: &str,
    all: &[String],
    of_kind: impl Fn(&str) -> Vec<String>,
    note: impl Fn(&str) -> String,
) -> String {
    let kinds = PartnerKind::ALL.iter().map(|kind| kind.word().to_owned());
    let mut lines =
        vec![[title.to_owned()].into_iter().chain(kinds).chain([String::new()]).collect::<Vec<_>>()];
    let of_kinds: Vec<Vec<String>> =
        PartnerKind::ALL.iter().map(|kind| of_kind(&onestop::schema::sdl_of(*kind))).collect();
    for name in all {
        let marks = of_kinds.iter().map(|names| if names.contains(name) { "x" } else { "-" }.to_owned());
        lines.push([name.clone()].into_iter().chain(marks).chain([note(name)]).collect());
    }
    aligned(&lines)
}

fn scopes(field: &str) -> String {
    let scopes = cut::ROOT_FIELDS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or(&[] as &[Scope], |(_, scopes)| scopes);
    scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_table_of_who_sees_what() {
    let town = Town::new().await;
    let mut slices = Vec::new();
    for partner in &town.partners {
        slices.push(town.district.gate.enter(&partner.token).await.unwrap());
    }
    let sdl = onestop::schema::sdl();
    let types: Vec<String> =
        types_of(&sdl).iter().map(|definition| definition.name.node.to_string()).collect();
    let mut text = String::new();
    let sections = [
        (
            "Rows that each partner's slice holds; `-`: none of its systems ever holds the scope",
            print_tables(&town, &slices).await,
        ),
        ("Things that `node` and `nodes` show, asked for every id there is", print_nodes(&town).await),
        (
            "What lists and doors show; `-`: the field does not exist for this partner",
            print_doors_and_lists(&town).await,
        ),
        (
            "Root fields that each kind's schema has, and the scope that each takes",
            print_names("field", &roots_of(&sdl), roots_of, scopes),
        ),
        (
            "Types that each kind's schema has",
            print_names(
                "type",
                &types,
                |sdl| types_of(sdl).iter().map(|definition| definition.name.node.to_string()).collect(),
                |_| String::new(),
            ),
        ),
    ];
    for (title, table) in sections {
        writeln!(text, "# {title}\n\n{table}").unwrap();
    }
    golden::check(Path::new("tests/it/visibility.txt"), &text);
}

#[tokio::test]
async fn every_table_of_the_database_has_a_policy() {
    let town = crate::harness::District::new().await;
    let mut found = names_in(&town.database.look().await).await;
    // What the gate alone reads, before anybody has a slice.
    for beside in ["seaql_migrations", "client_assertion"] {
        assert!(found.remove(beside), "{beside}");
    }
    let known: BTreeSet<String> = tables().iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(known, found);
    assert_eq!(known.len(), tables().len(), "no table twice");
}

#[test]
fn every_root_field_has_its_scopes_written_down() {
    let written: BTreeSet<&str> = cut::ROOT_FIELDS.iter().map(|(name, _)| *name).collect();
    let served = roots_of(&onestop::schema::sdl());
    assert_eq!(written, served.iter().map(String::as_str).collect());
}

#[tokio::test]
async fn a_row_that_is_seen_has_parents_that_are_seen() {
    let town = Town::new().await;
    let look = town.district.database.look().await;
    for partner in &town.partners {
        let slice = town.district.gate.enter(&partner.token).await.unwrap();
        let me = slice.viewer().partner().clone();
        macro_rules! seen {
            ($table:ident) => {
                entity::$table::Entity::find()
                    .filter(entity::$table::Entity::rows(&me))
                    .all(&look)
                    .await
                    .unwrap()
            };
        }
        let partners: BTreeSet<_> = seen!(partner).into_iter().map(|row| row.id).collect();
        let referrals: BTreeSet<_> = seen!(referral).into_iter().map(|row| row.id).collect();
        let settlements: BTreeSet<_> = seen!(settlement).into_iter().map(|row| row.id).collect();
        let cards: BTreeSet<_> = seen!(aid_card).into_iter().map(|row| row.id).collect();
        let redemptions: BTreeSet<_> = seen!(redemption).into_iter().map(|row| row.id).collect();
        let who = &partner.code;
        for row in seen!(referral) {
            assert!(
                partners.contains(&row.sender_id) && partners.contains(&row.receiver_id),
                "{who}: a referral's side"
            );
        }
        for row in seen!(referral_event) {
            assert!(referrals.contains(&row.referral_id), "{who}: an event's referral");
            assert!(partners.contains(&row.actor_id), "{who}: an event's actor");
        }
        for row in seen!(settlement) {
            assert!(partners.contains(&row.hospital_id), "{who}: a settlement's hospital");
        }
        for row in seen!(settlement_part) {
            assert!(settlements.contains(&row.settlement_id), "{who}: a part's settlement");
        }
        for row in seen!(redemption) {
            assert!(cards.contains(&row.aid_card_id), "{who}: a redemption's card");
            assert!(partners.contains(&row.supermarket_id), "{who}: a redemption's shop");
        }
        for row in seen!(refund) {
            assert!(redemptions.contains(&row.redemption_id), "{who}: a refund's redemption");
        }
        for row in seen!(consent) {
            assert!(
                partners.contains(&row.receiver_id) && partners.contains(&row.recorder_id),
                "{who}: a consent's side"
            );
        }
        for row in seen!(agreement) {
            assert!(partners.contains(&row.partner_id), "{who}: an agreement's partner");
        }
    }
}
