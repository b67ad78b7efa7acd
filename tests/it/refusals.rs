//! Every root field, asked by whoever may not: without a token, without the scope, as another kind of partner, about what is
//! another's. A root field that is missing in [`ASKS`] fails.

use std::collections::BTreeSet;
use std::time::Duration;

use entity::id::{
    AgreementId, AidCardId, ConsentId, PartnerId, PolicyVersionId, ProgrammeId, RedemptionId, ReferralId,
    SettlementId,
};
use entity::kinds::Scope;
use entity::{consent, operation, redemption, referral, settlement};
use onestop::access::{may_hold, scopes_of};
use onestop::page::type_id;
use onestop::schema::cut::{ROOT_FIELDS, has};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::district::{
    CARE, CF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_OFFICE, OTHER_SHOP, PARTNERS, SHOP,
};
use crate::harness::partner::new_key;
use crate::harness::town::nobodys;
use crate::harness::{Partner, Reply, Town};
use crate::visibility::roots_of;

/// What a field is asked about; of each there is one that is another's, one that is nobody's and one that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    Nothing,
    Settlement,
    Redemption,
    Referral,
    Consent,
    Partner,
    /// The key of another partner's request.
    Key,
    /// A resident: another name than the number's, or a number that nobody has.
    Patient,
}

use About::{Consent, Key, Nothing, Patient, Redemption, Referral, Settlement};

/// `ID` in the arguments stands for what it is asked about, `KEY` for a new key.
struct Ask {
    field: &'static str,
    asker: &'static str,
    about: About,
    arguments: &'static str,
    shape: &'static str,
}

const fn ask(
    field: &'static str,
    asker: &'static str,
    about: About,
    arguments: &'static str,
    shape: &'static str,
) -> Ask {
    Ask { field, asker, about, arguments, shape }
}

const BILL: &str = r#"bill: { patient: { nationalId: "ID", name: "某某" }, admittedOn: "2016-05-01", dischargedOn: "2016-05-10", admissionNumber: "ZY", invoiceNumber: "FP", insurerSettlementId: "JS", totalCost: "10.00", inScope: "10.00", basicInsurancePaid: "0.00" }"#;
const STEP: &str = r#"(input: { key: "KEY", referralId: "ID" })"#;
const REASON: &str = r#"(input: { key: "KEY", referralId: "ID", reason: "no" })"#;
const REFERRED: &str = "{ referral { id } replayed userErrors { code message field } }";
const CONSENTED: &str = "{ consent { id } replayed userErrors { code message field } }";
const PERSON: &str = r#"person: { nationalId: "419999197001010014", name: "某人" }"#;

const ASKS: &[Ask] = &[
    ask("viewer", HOSPITAL, Nothing, "", "{ partner { code } }"),
    ask("node", HOSPITAL, Settlement, r#"(id: "ID")"#, "{ id }"),
    ask("nodes", SHOP, Redemption, r#"(ids: ["ID"])"#, "{ id }"),
    ask("operation", SHOP, Key, r#"(key: "ID")"#, "{ status }"),
    ask("partner", SHOP, About::Partner, r#"(by: { id: "ID" })"#, "{ id }"),
    ask("partners", SHOP, Nothing, "", "{ nodes { id } }"),
    ask(
        "coverage",
        HOSPITAL,
        Patient,
        r#"(nationalId: "ID", name: "某某")"#,
        "{ covered reason patientName }",
    ),
    ask("settlementPreview", HOSPITAL, Patient, "(BILL)", "{ userErrors { code message field } }"),
    ask("settlement", HOSPITAL, Settlement, r#"(by: { id: "ID" })"#, "{ id }"),
    ask("settlements", HOSPITAL, Nothing, "", "{ nodes { id } }"),
    ask("aidCard", SHOP, Nothing, r#"(number: "20161020010000015")"#, "{ id }"),
    ask("redemption", SHOP, Redemption, r#"(by: { id: "ID" })"#, "{ id }"),
    ask("redemptions", SHOP, Nothing, "", "{ nodes { id } }"),
    ask("referral", CF, Referral, r#"(by: { id: "ID" })"#, "{ id }"),
    ask("referrals", CF, Nothing, "", "{ nodes { id } }"),
    ask(
        "settle",
        HOSPITAL,
        Patient,
        r#"(input: { key: "KEY", BILL })"#,
        "{ settlement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "reverseSettlement",
        HOSPITAL,
        Settlement,
        r#"(input: { key: "KEY", settlementId: "ID", reason: "no" })"#,
        "{ settlement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "redeemAidCard",
        SHOP,
        Nothing,
        r#"(input: { key: "KEY", cardNumber: "20161020010000015", amount: "1.00", receiptNumber: "R" })"#,
        "{ redemption { id } replayed userErrors { code message field } }",
    ),
    ask(
        "refundRedemption",
        SHOP,
        Redemption,
        r#"(input: { key: "KEY", redemptionId: "ID", reason: "no" })"#,
        "{ redemption { id } replayed userErrors { code message field } }",
    ),
    ask(
        "voidOperation",
        SHOP,
        Key,
        r#"(input: { key: "KEY", operationKey: "ID", reason: "no" })"#,
        "{ operation { key mutation status } replayed userErrors { code message field } }",
    ),
    ask(
        "requestReferral",
        OFFICE,
        About::Partner,
        r#"(input: { key: "KEY", receiver: { id: "ID" }, PERSON, reason: "no" })"#,
        REFERRED,
    ),
    ask("acceptReferral", CF, Referral, STEP, REFERRED),
    ask("declineReferral", CF, Referral, REASON, REFERRED),
    ask("startReferral", CF, Referral, STEP, REFERRED),
    ask("holdReferral", CF, Referral, REASON, REFERRED),
    ask(
        "completeReferral",
        CF,
        Referral,
        r#"(input: { key: "KEY", referralId: "ID", outcome: "no" })"#,
        REFERRED,
    ),
    ask("failReferral", CF, Referral, REASON, REFERRED),
    ask("cancelReferral", CF, Referral, REASON, REFERRED),
    ask(
        "recordConsent",
        OFFICE,
        About::Partner,
        r#"(input: { key: "KEY", receiver: { id: "ID" }, PERSON, fields: [PHONE], purpose: "p", wordingVersion: "1", givenOn: "2016-06-01" })"#,
        CONSENTED,
    ),
    ask("withdrawConsent", OTHER_OFFICE, Consent, r#"(input: { key: "KEY", consentId: "ID" })"#, CONSENTED),
];

impl Ask {
    fn document(&self, field: &str, id: &str, key: &str) -> String {
        let root = if self.arguments.contains("KEY") { "mutation" } else { "query" };
        let arguments = self.arguments.replace("BILL", BILL).replace("PERSON", PERSON);
        let arguments = arguments.replace("ID\"", &format!("{id}\"")).replace("KEY\"", &format!("{key}\""));
        format!("{root} {{ {field}{arguments} {} }}", self.shape)
    }

    fn scopes(&self) -> &'static [Scope] {
        ROOT_FIELDS.iter().find(|(name, _)| *name == self.field).unwrap().1
    }

    async fn by(&self, partner: &Partner, id: &str, key: &str) -> Reply {
        partner.ask(&self.document(self.field, id, key), json!({})).await
    }

    /// An id that can be asked about without any scope.
    fn harmless(&self) -> String {
        match self.about {
            Patient => "419999197001010014".into(),
            Key => "never used".into(),
            Nothing | Settlement | Redemption | Referral | Consent | About::Partner => {
                type_id(entity::id::ProgrammeId::from(uuid::Uuid::nil()))
            }
        }
    }
}

fn kind_of(code: &str) -> entity::kinds::PartnerKind {
    PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap().1
}

/// What is another's, by the side of the one who asks.
async fn anothers(town: &Town, ask: &Ask) -> String {
    let look = town.district.database.look().await;
    let owner = async |code: &str| town.district.partner_id(code).await;
    match ask.about {
        Nothing => String::new(),
        Settlement => {
            let of = settlement::Column::HospitalId.eq(owner(OTHER_HOSPITAL).await);
            type_id(settlement::Entity::find().filter(of).one(&look).await.unwrap().unwrap().id)
        }
        Redemption => {
            let of = redemption::Column::SupermarketId.eq(owner(OTHER_SHOP).await);
            type_id(redemption::Entity::find().filter(of).one(&look).await.unwrap().unwrap().id)
        }
        Referral => {
            let of = referral::Column::SenderId.eq(owner(CARE).await);
            type_id(referral::Entity::find().filter(of).one(&look).await.unwrap().unwrap().id)
        }
        Consent => {
            let of = consent::Column::RecorderId.eq(owner(OFFICE).await);
            type_id(consent::Entity::find().filter(of).one(&look).await.unwrap().unwrap().id)
        }
        About::Partner => type_id(owner(if ask.asker == SHOP { HOSPITAL } else { SHOP }).await),
        Key => {
            let of = operation::Column::PartnerId.eq(owner(OTHER_SHOP).await);
            operation::Entity::find().filter(of).one(&look).await.unwrap().unwrap().key
        }
        Patient => town.patient.0.clone(),
    }
}

fn absent(about: About) -> String {
    let id: Value = match about {
        Nothing => Value::String(String::new()),
        Settlement => nobodys::<SettlementId>(),
        Redemption => nobodys::<RedemptionId>(),
        Referral => nobodys::<ReferralId>(),
        Consent => nobodys::<ConsentId>(),
        About::Partner => nobodys::<PartnerId>(),
        Key => "nobody's key".into(),
        Patient => "419999193601010028".into(),
    };
    id.as_str().unwrap().to_owned()
}

fn malformed(about: About) -> Vec<String> {
    match about {
        Nothing | Key | Patient => Vec::new(),
        Settlement | Redemption | Referral | Consent | About::Partner => {
            let other_type = nobodys::<entity::id::PersonId>();
            ["", "x", "settlement_", "referral_0000", "' OR 1=1 --", "\u{0}", other_type.as_str().unwrap()]
                .map(str::to_owned)
                .to_vec()
        }
    }
}

fn without(reply: &Reply, id: &str) -> String {
    let body = reply.body.to_string();
    if id.is_empty() { body } else { body.replace(id, "ID") }
}

#[test]
fn every_root_field_is_asked() {
    let asked: Vec<&str> = ASKS.iter().map(|ask| ask.field).collect();
    assert_eq!(asked, roots_of(&onestop::schema::sdl()));
}

#[tokio::test]
async fn nobody_is_answered_without_a_token() {
    let town = Town::new().await;
    let http = reqwest::Client::new();
    for ask in ASKS {
        for authorization in [None, Some("Bearer "), Some("Bearer nonsense"), Some("Basic dXNlcjpwYXNz")] {
            let document = ask.document(ask.field, &ask.harmless(), &new_key());
            let mut request =
                http.post(format!("{}/graphql", town.district.url)).json(&json!({ "query": document }));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{}", ask.field);
            let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
            let presented = authorization == Some("Bearer nonsense");
            assert_eq!(
                challenge,
                if presented { "Bearer error=\"invalid_token\"" } else { "Bearer" },
                "{authorization:?}"
            );
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
            assert!(body.get("data").is_none());
        }
    }
}

#[tokio::test]
async fn a_token_without_scopes_is_told_which_one_it_lacks() {
    let town = Town::new().await;
    for ask in ASKS {
        let bare = town.district.partner_with(ask.asker, &[]).await;
        let reply = ask.by(&bare, &ask.harmless(), &new_key()).await;
        let lacking = ask.scopes().iter().find(|scope| may_hold(kind_of(ask.asker), **scope));
        let Some(lacking) = lacking else {
            assert_eq!(reply.error(), "", "{}: {}", ask.field, reply.body);
            continue;
        };
        assert_eq!(reply.error(), "FORBIDDEN", "{}: {}", ask.field, reply.body);
        let error = &reply.body["errors"][0];
        assert_eq!(error["extensions"]["scope"], lacking.word(), "{}", ask.field);
        assert_eq!(error["message"], format!("This token lacks the scope {}.", lacking.word()));
        assert_eq!(error["path"], json!([ask.field]));
        assert!(reply.at(ask.field).is_null());
    }
}

#[tokio::test]
async fn every_other_scope_does_not_help() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| !ask.scopes().is_empty()) {
        let mut others = scopes_of(kind_of(ask.asker));
        others.retain(|scope| !ask.scopes().contains(scope));
        let partner = town.district.partner_with(ask.asker, &others).await;
        let reply = ask.by(&partner, &ask.harmless(), &new_key()).await;
        assert_eq!(reply.error(), "FORBIDDEN", "{}: {}", ask.field, reply.body);
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_says_nothing_about_what_is_there() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.about != Nothing && !ask.scopes().is_empty()) {
        let bare = town.district.partner_with(ask.asker, &[]).await;
        let (theirs, none) = (anothers(&town, ask).await, absent(ask.about));
        let there = ask.by(&bare, &theirs, &new_key()).await;
        let not_there = ask.by(&bare, &none, &new_key()).await;
        assert_eq!(without(&there, &theirs), without(&not_there, &none), "{}", ask.field);
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_burns_no_key() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.arguments.contains("KEY")) {
        let key = new_key();
        let bare = town.district.partner_with(ask.asker, &[]).await;
        assert_eq!(ask.by(&bare, &ask.harmless(), &key).await.error(), "FORBIDDEN");
        let reply = ask.by(town.partner(ask.asker), &ask.harmless(), &key).await.fine();
        assert_eq!(reply.at(ask.field)["replayed"], json!(false), "{}", ask.field);
        assert!(!reply.body.to_string().contains("KEY_REUSED"), "{}", ask.field);
    }
}

/// What another kind may do is answered in exactly the words for a name that does not exist.
#[tokio::test]
async fn what_another_kind_may_do_does_not_exist() {
    let town = Town::new().await;
    let mut asked = 0;
    for ask in ASKS {
        for partner in town.partners.iter().filter(|partner| !has(kind_of(&partner.code), ask.field)) {
            let nonsense = "z".repeat(ask.field.len());
            let (id, key) = (ask.harmless(), new_key());
            let reply = ask.by(partner, &id, &key).await;
            assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{} as {}", ask.field, partner.code);
            assert!(reply.body.get("data").is_none(), "{}", reply.body);
            let unknown = partner.ask(&ask.document(&nonsense, &id, &key), json!({})).await;
            assert_eq!(reply.status, unknown.status);
            assert_eq!(
                reply.body.to_string().replace(&format!("\\\"{}\\\"", ask.field), "NAME"),
                unknown.body.to_string().replace(&format!("\\\"{nonsense}\\\""), "NAME"),
            );
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
}

/// A token that claims a scope which its kind may never hold is not issued, and the field stays away.
#[tokio::test]
async fn no_token_carries_a_scope_outside_its_kind() {
    let town = Town::new().await;
    for (code, kind, _) in PARTNERS {
        for scope in Scope::ALL.iter().filter(|scope| !may_hold(kind, **scope)) {
            let refused = town.district.gate.issue(code, &[*scope], Duration::from_secs(60)).await;
            let refused = refused.err().unwrap_or_else(|| panic!("{code} was given {}", scope.word()));
            assert!(
                matches!(refused, onestop::access::IssueError::ScopeNotAllowed(found) if found == *scope)
            );
        }
    }
}

#[tokio::test]
async fn anothers_is_answered_like_nobodys_and_like_nonsense() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.about != Nothing) {
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
    for ask in ASKS.iter().filter(|ask| ask.about != Nothing && ask.arguments.contains("KEY")) {
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
