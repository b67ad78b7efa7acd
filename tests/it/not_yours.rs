//! What is another's is not there: every root field answers about it as about nobody's and about nonsense.

use std::collections::BTreeSet;

use async_graphql::parser::types::{BaseType, InputValueDefinition, Type, TypeKind};
use entity::id::{
    AgreementId, AidCardId, ConsentId, PartnerId, PolicyVersionId, ProgrammeId, RedemptionId, ReferralId,
    SettlementId,
};
use entity::{consent, redemption, referral, settlement};
use onestop::access::recording;
use onestop::schema::cut::has;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::asks::{ASKS, About, absent, anothers, kind_of, malformed, without};
use crate::harness::district::{CARE, CF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_SHOP, PARTNERS, SHOP};
use crate::harness::partner::new_key;
use crate::harness::sdl::types_of;
use crate::harness::town::nobodys;
use crate::harness::{Town, Within};

#[tokio::test]
async fn anothers_is_answered_like_nobodys_and_like_nonsense() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.about != About::Nothing) {
        let partner = town.partner(ask.asker);
        let none = absent(ask.about);
        let expected = ask.by(partner, &none, &new_key()).await;
        assert_eq!(expected.error(), "", "{}: {}", ask.field, expected.body);
        let theirs = anothers(&town, ask).await;
        for id in [vec![theirs], malformed(ask.about)].concat() {
            let escaped = serde_json::to_string(&id).unwrap();
            let reply = ask.by(partner, escaped.trim_matches('"'), &new_key()).await;
            assert_eq!(reply.status, expected.status, "{} {id:?}", ask.field);
            assert_eq!(without(&reply, &id), without(&expected, &none), "{} {id:?}", ask.field);
        }
        if ask.arguments.contains("KEY") && ask.field != "voidOperation" {
            assert_eq!(expected.refusals(ask.field), ["NOT_FOUND"], "{}", ask.field);
        }
    }
}

#[tokio::test]
async fn asking_about_anothers_changes_nothing_of_theirs() {
    let town = Town::new().await;
    let look = town.district.database.look().await;
    let state = async || {
        (
            settlement::Entity::find().all(&look).await.unwrap(),
            redemption::Entity::find().all(&look).await.unwrap(),
            referral::Entity::find().all(&look).await.unwrap(),
            consent::Entity::find().all(&look).await.unwrap(),
            entity::referral_event::Entity::find().all(&look).await.unwrap(),
            entity::aid_card::Entity::find().all(&look).await.unwrap(),
        )
    };
    let before = state().await;
    for ask in ASKS.iter().filter(|ask| ask.about != About::Nothing && ask.arguments.contains("KEY")) {
        let id = anothers(&town, ask).await;
        ask.by(town.partner(ask.asker), &id, &new_key()).await.fine();
    }
    assert!(state().await == before);
    let key = anothers(&town, ASKS.iter().find(|ask| ask.field == "voidOperation").unwrap()).await;
    let seen = town
        .partner(OTHER_SHOP)
        .ask("query($k: IdempotencyKey!) { operation(key: $k) { status voidedBy } }", json!({ "k": key }))
        .await;
    assert_eq!(seen.at("operation"), &json!({ "status": "SUCCEEDED", "voidedBy": null }));
}

/// The other names of things: numbers and codes that are another's, and such as nobody has.
#[tokio::test]
async fn other_names_of_anothers_things_find_nothing() {
    let town = Town::new().await;
    let look = town.district.database.look().await;
    let stay = settlement::Column::HospitalId.eq(town.district.partner_id(OTHER_HOSPITAL).await);
    let stay = settlement::Entity::find().filter(stay).one(&look).await.unwrap().unwrap();
    let sale = redemption::Column::SupermarketId.eq(town.district.partner_id(OTHER_SHOP).await);
    let sale = redemption::Entity::find().filter(sale).one(&look).await.unwrap().unwrap();
    let way = referral::Column::SenderId.eq(town.district.partner_id(CARE).await);
    let way = referral::Entity::find().filter(way).one(&look).await.unwrap().unwrap();
    for (asker, field, by, theirs) in [
        (HOSPITAL, "settlement", "invoiceNumber", stay.invoice_number),
        (HOSPITAL, "settlement", "insurerSettlementId", stay.insurer_settlement_id),
        (HOSPITAL, "settlement", "key", stay.operation_key),
        (SHOP, "redemption", "key", sale.operation_key),
        (SHOP, "partner", "code", HOSPITAL.to_owned()),
        (OFFICE, "partner", "code", SHOP.to_owned()),
        (CF, "referral", "number", way.number),
    ] {
        let partner = town.partner(asker);
        for name in [theirs.as_str(), "nobody's", ""] {
            if by == "key" && name.is_empty() {
                continue;
            }
            let query = format!("{{ {field}(by: {{ {by}: \"{name}\" }}) {{ id }} }}");
            let reply = partner.ask(&query, json!({})).await;
            assert_eq!(reply.body, json!({ "data": { field: null } }), "{field} by {by} {name:?}");
        }
    }
}

/// Ids of every type of node that are nobody's, and of types that are no nodes.
#[tokio::test]
async fn nobodys_nodes_are_null_for_everybody() {
    let town = Town::new().await;
    let ids = [
        nobodys::<AgreementId>(),
        nobodys::<AidCardId>(),
        nobodys::<ConsentId>(),
        nobodys::<PartnerId>(),
        nobodys::<PolicyVersionId>(),
        nobodys::<ProgrammeId>(),
        nobodys::<RedemptionId>(),
        nobodys::<ReferralId>(),
        nobodys::<SettlementId>(),
        nobodys::<entity::id::PersonId>(),
        nobodys::<entity::id::TokenId>(),
        nobodys::<entity::id::OperationId>(),
        json!("settlement_zzz"),
        json!(""),
    ];
    for partner in &town.partners {
        let reply =
            partner.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
        assert_eq!(
            reply.body,
            json!({ "data": { "nodes": vec![Value::Null; ids.len()] } }),
            "{}",
            partner.code
        );
    }
    let kinds: BTreeSet<&str> = PARTNERS.iter().map(|(_, kind, _)| kind.word()).collect();
    assert_eq!(kinds.len(), entity::kinds::PartnerKind::ALL.len(), "every kind is asked");
}

/// What was sent to the database, without the values that differ from request to request.
fn texts(sent: &[sea_orm::Statement]) -> Vec<&str> {
    sent.iter().map(|statement| statement.sql.as_str()).collect()
}

/// Another's takes the same statements as nobody's, by every kind of partner that may ask: neither time nor load tells them apart.
#[tokio::test]
async fn anothers_takes_the_same_statements_as_nobodys() {
    let town = Town::new().await;
    let mut compared = 0;
    for partner in &town.partners {
        let within = Within::of(&town.district, &partner.code).await;
        for ask in ASKS.iter().filter(|ask| has(kind_of(&partner.code), ask.field)) {
            if ask.about == About::Nothing {
                continue;
            }
            let ask_about = async |id: &str| {
                let document = ask.document(ask.field, id, &new_key());
                recording(within.ask(&document, json!({}))).await
            };
            let nobodys = || if ask.about == About::Key { new_key() } else { absent(ask.about) };
            // Once, so that nothing is looked up for the first time.
            ask_about(&nobodys()).await;
            let (theirs, none) = (anothers(&town, ask).await, nobodys());
            let (answer, sent) = ask_about(&theirs).await;
            let (expected, sent_for_none) = ask_about(&none).await;
            if without(&answer, &theirs) != without(&expected, &none) {
                // It is this partner's own, or everybody's.
                assert!(partner.code != ask.asker, "{} as {}: {}", ask.field, partner.code, answer.body);
                continue;
            }
            assert_eq!(texts(&sent), texts(&sent_for_none), "{} as {}", ask.field, partner.code);
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

/// Every place where an input names a row: an argument, or a member of an input object. One that no root field asks about fails.
#[test]
fn every_input_that_names_a_row_is_asked_about() {
    let names_row = |ty: &str| ["ID", "PartnerBy"].contains(&ty);
    let sdl = onestop::schema::sdl();
    let types = types_of(&sdl);
    let roots = types.iter().filter_map(|definition| match &definition.kind {
        TypeKind::Object(object) if ["Query", "Mutation"].contains(&definition.name.node.as_str()) => {
            Some(object)
        }
        _ => None,
    });
    let mut taken = BTreeSet::new();
    for field in roots.flat_map(|root| &root.fields) {
        for argument in &field.node.arguments {
            taken.insert((bare(&argument.node.ty.node), field.node.name.node.to_string()));
        }
    }
    // An input that root fields take stands for itself; one that is part of others is known by its member's name.
    let asked = |object: &str, name: &str| {
        let takes = |field: &str| taken.contains(&(object.to_owned(), field.to_owned()));
        let is_taken = taken.iter().any(|(ty, _)| ty == object);
        ASKS.iter().any(|ask| {
            let is_place = !is_taken || takes(ask.field);
            ask.about != About::Nothing && is_place && ask.arguments.contains(&format!("{name}: "))
        })
    };
    let mut missing = BTreeSet::new();
    for definition in &types {
        let inputs: Vec<(String, String)> = match &definition.kind {
            TypeKind::InputObject(input) => {
                let member =
                    |member: &InputValueDefinition| (member.name.node.to_string(), bare(&member.ty.node));
                input.fields.iter().map(|found| member(&found.node)).collect()
            }
            TypeKind::Object(object) => {
                let arguments = object.fields.iter().flat_map(|field| &field.node.arguments);
                arguments.map(|found| (found.node.name.node.to_string(), bare(&found.node.ty.node))).collect()
            }
            _ => Vec::new(),
        };
        for (name, _) in
            inputs.iter().filter(|(name, ty)| names_row(ty) && !asked(&definition.name.node, name))
        {
            missing.insert(format!("{}.{name}", definition.name.node));
        }
    }
    // Asked about by tests of their own: `consents`, `owed` and `unmasking`; and `administration`, whose administrators see every row.
    let elsewhere = [
        "EndAgreementInput.agreementId",
        "Query.partnerId",
        "Query.subject",
        "RegisterAgreementInput.partnerId",
        "RegisterClientInput.partnerId",
        "RegisterDocumentsInput.clientId",
        "RequestReferralInput.consentId",
        "RotateClientSecretInput.clientId",
        "StatementFilter.partner",
        "SuspensionInput.id",
    ];
    assert_eq!(missing, elsewhere.map(str::to_owned).into());
}

fn bare(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => bare(inner),
    }
}
