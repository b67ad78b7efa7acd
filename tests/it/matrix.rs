//! Which scope opens what, printed from what the server does: every operation, asked by every kind of partner with a token of each
//! single scope that it may hold, and every field that leads to a row. `matrix.txt` is what is meant; `ONESTOP_BLESS=1` rewrites
//! it. A root field that is not asked, or a field that leads to a row and is not written down below, fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use async_graphql::parser::types::{BaseType, Type, TypeKind};
use entity::kinds::{PartnerKind, Scope};
use onestop::access::may_hold;
use onestop::schema::cut::has;
use serde_json::json;

use crate::asks::{ASKS, kind_of};
use crate::harness::district::{BUREAU, CARE, CF, DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::sdl::types_of;
use crate::harness::{Partner, Town, golden};

/// One partner of every kind, in the order of the kinds.
const ONE_OF_EACH: [&str; 7] = [BUREAU, OFFICE, HOSPITAL, DPF, CF, SHOP, CARE];

/// Types that are rows of a table, beside those that implement `Node`.
const ROWS: [&str; 11] = [
    "AuditRecord",
    "Budget",
    "Coverage",
    "Entitlement",
    "Event",
    "LedgerEntry",
    "Operation",
    "Posting",
    "ReferralEvent",
    "ReferredPerson",
    "StatementLine",
];

/// What a field that leads to a row of another table takes.
#[derive(Clone, Copy)]
enum Takes {
    /// Nothing of its own: whoever is shown the one is shown the other, which every partner may know, or which belongs to it.
    Nothing,
    /// The scope that reads what is there; without it the field is null.
    ItsOwn,
    /// The scope of the request that made it, or the one that reads it.
    TheActs,
}

/// Every field of an object, no root field, that leads to a row.
const LEADING: &[(&str, Takes)] = &[
    ("Agreement.programme", Takes::Nothing),
    ("AgreementPayload.agreement", Takes::TheActs),
    ("AppropriatePayload.budget", Takes::TheActs),
    ("AuditRecord.partner", Takes::Nothing),
    ("Budget.programme", Takes::Nothing),
    ("CalculationPart.policyVersion", Takes::Nothing),
    ("CalculationPart.programme", Takes::Nothing),
    ("Client.partner", Takes::Nothing),
    ("ClientPayload.client", Takes::TheActs),
    ("ConfirmStatementPayload.statement", Takes::TheActs),
    ("Consent.receiver", Takes::Nothing),
    ("Consent.recorder", Takes::Nothing),
    ("ConsentPayload.consent", Takes::TheActs),
    ("Coverage.entitlements", Takes::Nothing),
    ("Entitlement.policyVersion", Takes::Nothing),
    ("Entitlement.programme", Takes::Nothing),
    ("Event.subject", Takes::ItsOwn),
    ("Operation.result", Takes::TheActs),
    ("PayStatementPayload.statement", Takes::TheActs),
    ("PolicyVersion.programme", Takes::Nothing),
    ("Posting.entries", Takes::Nothing),
    ("RedeemAidCardPayload.card", Takes::TheActs),
    ("RedeemAidCardPayload.redemption", Takes::TheActs),
    ("Redemption.statement", Takes::Nothing),
    ("Redemption.supermarket", Takes::Nothing),
    ("Referral.events", Takes::Nothing),
    ("Referral.person", Takes::Nothing),
    ("Referral.programme", Takes::Nothing),
    ("Referral.receiver", Takes::Nothing),
    ("Referral.sender", Takes::Nothing),
    ("ReferralEvent.actor", Takes::Nothing),
    ("ReferralPayload.referral", Takes::TheActs),
    ("RefundRedemptionPayload.card", Takes::TheActs),
    ("RefundRedemptionPayload.redemption", Takes::TheActs),
    ("RegisterDocumentsPayload.client", Takes::TheActs),
    ("RegisterPartnerPayload.partner", Takes::TheActs),
    ("RegisterStaffPayload.staff", Takes::TheActs),
    ("ReverseSettlementPayload.settlement", Takes::TheActs),
    ("SettlePayload.settlement", Takes::TheActs),
    ("Settlement.hospital", Takes::Nothing),
    ("Settlement.statement", Takes::Nothing),
    ("Statement.lines", Takes::Nothing),
    ("Statement.partner", Takes::Nothing),
    ("StatementLine.source", Takes::Nothing),
    ("SuspensionPayload.subject", Takes::TheActs),
    ("Viewer.agreements", Takes::Nothing),
    ("Viewer.partner", Takes::Nothing),
    ("Viewer.staff", Takes::Nothing),
    ("VoidOperationPayload.operation", Takes::TheActs),
];

fn bare(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => bare(inner),
    }
}

/// Fields of objects that lead to rows: `Type.field` and what it leads to.
fn leading(sdl: &str) -> BTreeMap<String, String> {
    let types = types_of(sdl);
    let mut rows: BTreeSet<String> = ROWS.iter().map(|name| (*name).to_owned()).collect();
    rows.insert("Node".to_owned());
    rows.extend(crate::harness::sdl::nodes_of(sdl));
    let mut found = BTreeMap::new();
    for definition in &types {
        let name = definition.name.node.as_str();
        let TypeKind::Object(object) = &definition.kind else { continue };
        let is_way = name.ends_with("Connection") || name.ends_with("Edge");
        if is_way || ["Query", "Mutation", "Subscription"].contains(&name) {
            continue;
        }
        for field in &object.fields {
            let to = bare(&field.node.ty.node);
            let to = to.strip_suffix("Connection").unwrap_or(to);
            if rows.contains(to) {
                found.insert(format!("{name}.{}", field.node.name.node), to.to_owned());
            }
        }
    }
    found
}

/// A token of one scope for each that a kind may hold, and one of none.
async fn tokens(town: &Town, code: &str) -> Vec<(Option<Scope>, Partner)> {
    let mut tokens = Vec::new();
    // Also those that only people hold: the harness has an administrator for them.
    let scopes = Scope::ALL.iter().copied().filter(|scope| may_hold(kind_of(code), *scope)).map(Some);
    for scope in [None].into_iter().chain(scopes) {
        let held: Vec<Scope> = scope.into_iter().collect();
        tokens.push((scope, town.district.partner_with(code, &held).await));
    }
    tokens
}

/// How an operation answers a token: it runs, or names the scope that is missing.
async fn runs(ask: &crate::asks::Ask, partner: &Partner) -> Result<(), String> {
    let reply = ask.by(partner, &ask.harmless(), &new_key()).await;
    match reply.error().as_str() {
        "" => Ok(()),
        "FORBIDDEN" => {
            let error = &reply.body["errors"][0];
            assert_eq!(error["path"], json!([ask.field]), "{}", reply.body);
            Err(error["extensions"]["scope"].as_str().unwrap().to_owned())
        }
        other => panic!("{} as {}: {other}: {}", ask.field, partner.code, reply.body),
    }
}

async fn operations(town: &Town) -> String {
    let mut of_kinds = Vec::new();
    for code in ONE_OF_EACH {
        of_kinds.push((kind_of(code), tokens(town, code).await));
    }
    let heads: Vec<&str> = PartnerKind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(heads, of_kinds.iter().map(|(kind, _)| kind.word()).collect::<Vec<_>>());
    let mut text = format!("{:<18} {:<18} {}\n", "operation", "scope", heads.join("  "));
    for ask in ASKS {
        let mut open: BTreeMap<Option<Scope>, BTreeSet<PartnerKind>> = BTreeMap::new();
        for (kind, tokens) in of_kinds.iter().filter(|(kind, _)| has(*kind, ask.field)) {
            let mut anybody = false;
            let mut named = BTreeSet::new();
            for (scope, partner) in tokens {
                match runs(ask, partner).await {
                    Ok(()) if anybody => {}
                    Ok(()) => {
                        anybody = scope.is_none();
                        open.entry(*scope).or_default().insert(*kind);
                    }
                    Err(scope) => _ = named.insert(scope),
                }
            }
            let opening = |word: &String| {
                Scope::of_word(word)
                    .is_some_and(|scope| open.get(&Some(scope)).is_some_and(|kinds| kinds.contains(kind)))
            };
            assert!(named.iter().all(opening), "{} names a scope that does not help: {named:?}", ask.field);
        }
        assert!(!open.is_empty(), "nobody may ask {}", ask.field);
        for (scope, kinds) in open {
            let marks: Vec<String> = PartnerKind::ALL
                .iter()
                .map(|kind| {
                    let mark = if kinds.contains(kind) { "x" } else { "-" };
                    format!("{mark:>width$}", width = kind.word().len())
                })
                .collect();
            let scope = scope.map_or("(none)", Scope::word);
            writeln!(text, "{:<18} {scope:<18} {}", ask.field, marks.join("  ")).unwrap();
        }
    }
    text
}

fn fields() -> String {
    let found = leading(&onestop::schema::sdl());
    let written: BTreeSet<&str> = LEADING.iter().map(|(field, _)| *field).collect();
    let served: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let missing: Vec<_> = served.difference(&written).collect();
    let gone: Vec<_> = written.difference(&served).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "say which scope they take: {missing:?}; are no more: {gone:?}"
    );
    let mut text = format!("{:<36} {:<15} takes\n", "field", "leads to");
    for (field, takes) in LEADING {
        let takes = match takes {
            Takes::Nothing => "no scope of its own",
            Takes::ItsOwn => "the scope that reads what is there; null without it",
            Takes::TheActs => "the scope of the act, or the one that reads it",
        };
        writeln!(text, "{field:<36} {:<15} {takes}", found[*field]).unwrap();
    }
    text
}

#[tokio::test]
async fn the_matrix_of_operations_and_scopes() {
    let town = Town::new().await;
    let text = format!(
        "# Operations, and the one scope with which each kind of partner may ask for them\n\n{}\n\
         # Fields that lead to a row, and what they take beside the scope of what they stand in\n\n{}",
        operations(&town).await,
        fields(),
    );
    golden::check(Path::new("tests/it/matrix.txt"), &text);
}
