//! Each kind of partner has a schema of its own: what belongs to other kinds is not in it, however it is asked for.

use std::collections::BTreeSet;

use entity::kinds::PartnerKind;
use onestop::schema::cut::{ROOT_FIELDS, has};
use onestop::schema::{sdl, sdl_of};
use serde_json::{Value, json};

use crate::harness::district::PARTNERS;
use crate::harness::sdl::{nodes_of, roots_of, types_of, words_of};
use crate::harness::{District, Reply};

fn kind(word: &str) -> PartnerKind {
    PartnerKind::of_word(word).unwrap()
}

fn set(names: &str) -> BTreeSet<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

fn names(sdl: &str) -> BTreeSet<String> {
    types_of(sdl).iter().map(|definition| definition.name.node.to_string()).collect()
}

fn in_same_words(reply: &Reply, name: &str, other: &Reply, nonsense: &str) {
    assert_eq!(reply.status, other.status);
    assert_eq!(
        reply.body.to_string().replace(name, "NAME"),
        other.body.to_string().replace(nonsense, "NAME")
    );
}

#[test]
fn each_kind_has_its_own_root_fields() {
    let common = "viewer node nodes operation partner partners voidOperation events";
    let agency = "referral referrals consents requestReferral acceptReferral declineReferral startReferral holdReferral \
                  completeReferral failReferral cancelReferral recordConsent withdrawConsent";
    let cards = "aidCard redemption redemptions";
    let owner = "budgets appropriate statement statements reconcile payStatement";
    let owed = "statement statements reconcile confirmStatement";
    let administration = "clients staffMembers registerPartner registerAgreement endAgreement registerClient \
                          rotateClientSecret registerDocuments registerStaff suspend resume";
    for (word, own) in [
        (
            "BUREAU",
            format!(
                "{agency} {cards} settlement settlements {owner} auditTrail looksAtPerson ledger {administration}"
            ),
        ),
        ("SUBDISTRICT_OFFICE", agency.to_owned()),
        (
            "HOSPITAL",
            format!(
                "{agency} {owed} coverage settlementPreview settlement settlements settle reverseSettlement"
            ),
        ),
        ("DISABILITY_FEDERATION", agency.to_owned()),
        ("CHARITY_FEDERATION", format!("{agency} {cards} {owner}")),
        ("CHARITY_SUPERMARKET", format!("{cards} {owed} redeemAidCard refundRedemption")),
        ("HOME_CARE_PROVIDER", format!("{agency} {owed}")),
    ] {
        let found: BTreeSet<String> = roots_of(&sdl_of(kind(word))).into_iter().collect();
        assert_eq!(found, set(&format!("{common} {own}")), "{word}");
    }
}

#[test]
fn each_kind_has_its_own_nodes_and_scopes() {
    let common = "Partner Agreement Programme";
    let referring = "REFERRAL_READ REFERRAL_WRITE CONSENT_WRITE";
    for (word, nodes, scopes) in [
        (
            "BUREAU",
            "Settlement PolicyVersion AidCard Redemption Referral Consent Statement Client Staff",
            // Whoever registers clients names the scopes of every kind.
            "REFERRAL_READ REFERRAL_WRITE CONSENT_WRITE SETTLEMENT_READ CARD_READ STATEMENT_READ STATEMENT_PAY BUDGET_READ BUDGET_WRITE AUDIT_READ \
             PERSON_UNMASK ADMINISTRATION_READ ADMINISTRATION_WRITE COVERAGE_READ SETTLEMENT_WRITE CARD_REDEEM STATEMENT_CONFIRM",
        ),
        ("SUBDISTRICT_OFFICE", "Referral Consent", referring),
        (
            "HOSPITAL",
            "Settlement PolicyVersion Referral Consent Statement",
            "REFERRAL_READ REFERRAL_WRITE CONSENT_WRITE COVERAGE_READ SETTLEMENT_READ SETTLEMENT_WRITE STATEMENT_READ STATEMENT_CONFIRM",
        ),
        ("DISABILITY_FEDERATION", "Referral Consent", referring),
        (
            "CHARITY_FEDERATION",
            "AidCard Redemption Referral Consent Statement",
            "REFERRAL_READ REFERRAL_WRITE CONSENT_WRITE CARD_READ STATEMENT_READ STATEMENT_PAY BUDGET_READ BUDGET_WRITE",
        ),
        (
            "CHARITY_SUPERMARKET",
            "AidCard Redemption Statement",
            "CARD_READ CARD_REDEEM STATEMENT_READ STATEMENT_CONFIRM",
        ),
        (
            "HOME_CARE_PROVIDER",
            "Referral Consent Statement",
            "REFERRAL_READ REFERRAL_WRITE CONSENT_WRITE STATEMENT_READ STATEMENT_CONFIRM",
        ),
    ] {
        let sdl = sdl_of(kind(word));
        assert_eq!(nodes_of(&sdl), set(&format!("{common} {nodes}")), "{word}");
        assert_eq!(words_of(&sdl, "Scope"), set(&format!("EVENT_READ {scopes}")), "{word}");
    }
}

/// The harness compares the codes of every answer with the schema of the one who asked.
#[test]
fn each_kind_has_its_own_codes() {
    let common = "NOT_FOUND KEY_REUSED KEY_VOIDED NOT_VOIDABLE INVALID";
    let referring = "ILLEGAL_TRANSITION CONSENT_REQUIRED DATE_OUT_OF_RANGE";
    let bills = "NOT_COVERED NO_AGREEMENT NO_POLICY_IN_FORCE SUSPENDED DECEASED THIRD_PARTY_LIABLE AMOUNTS_DO_NOT_ADD_UP \
                 AMOUNT_DIFFERS DUPLICATE_STAY OVERLAPPING_STAY ALREADY_REVERSED BUDGET_EXHAUSTED";
    let cards = "CARD_NOT_ACTIVATED CARD_FROZEN CARD_EXPIRED CARD_CANCELLED CARD_REPLACED INSUFFICIENT_BALANCE \
                 CATEGORY_NOT_ALLOWED PERIOD_LIMIT_EXCEEDED DUPLICATE_RECEIPT REFUND_EXCEEDS_REDEMPTION NO_AGREEMENT \
                 AMOUNTS_DO_NOT_ADD_UP";
    let owed = "AMOUNT_DIFFERS MONTH_NOT_OVER ALREADY_CONFIRMED DATE_OUT_OF_RANGE";
    for kind in PartnerKind::ALL {
        let own = match kind {
            PartnerKind::Hospital => format!("{referring} {bills} {owed}"),
            PartnerKind::CharitySupermarket => format!("{cards} {owed}"),
            PartnerKind::HomeCareProvider => format!("{referring} {owed}"),
            PartnerKind::Bureau | PartnerKind::CharityFederation => {
                format!("{referring} NOT_CONFIRMED ALREADY_PAID")
            }
            PartnerKind::SubdistrictOffice | PartnerKind::DisabilityFederation => referring.to_owned(),
        };
        assert_eq!(
            words_of(&sdl_of(*kind), "UserErrorCode"),
            set(&format!("{common} {own}")),
            "{}",
            kind.word()
        );
    }
}

#[test]
fn a_kinds_schema_names_no_operation_of_another() {
    for kind in PartnerKind::ALL {
        let mut own = sdl_of(*kind);
        // Whoever registers clients is told what the scopes of every kind open.
        if has(*kind, "registerClient") {
            let from = own.find("enum Scope {").unwrap();
            let to = from + own[from..].find("\n}").unwrap();
            own.replace_range(from..to, "");
        }
        for (name, _) in ROOT_FIELDS.iter().filter(|(name, _)| !has(*kind, name)) {
            assert!(!own.contains(&format!("`{name}`")), "{} is told of {name}", kind.word());
        }
    }
    let voidable = |kind| {
        let sdl = sdl_of(kind);
        let (before, _) = sdl.split_once(" can be voided").unwrap();
        before.lines().last().unwrap().trim().to_owned()
    };
    assert_eq!(voidable(PartnerKind::Hospital), "`settle`, `requestReferral`");
    assert_eq!(voidable(PartnerKind::CharitySupermarket), "`redeemAidCard`, `refundRedemption`");
    assert_eq!(voidable(PartnerKind::HomeCareProvider), "`requestReferral`");
}

#[test]
fn a_kinds_schema_is_part_of_the_whole() {
    let whole = sdl();
    let blocks: BTreeSet<&str> = whole.split("\n\n").map(str::trim).collect();
    let is_cut = |block: &str| {
        let lines: BTreeSet<&str> = block.lines().collect();
        [
            "type Query {",
            "type Mutation {",
            "enum Scope {",
            "enum UserErrorCode {",
            // The bureau alone has fields that show people in the clear.
            "type Settlement implements Node {",
            "type Referral implements Node {",
            // It alone has staff.
            "type Viewer {",
        ]
        .iter()
        .any(|head| lines.contains(head))
    };
    let mut together = BTreeSet::new();
    for kind in PartnerKind::ALL {
        let own = sdl_of(*kind);
        for block in own.split("\n\n").map(str::trim).filter(|block| !is_cut(block)) {
            assert!(blocks.contains(block), "{} has another\n{block}", kind.word());
        }
        together.extend(names(&own));
    }
    assert_eq!(together, names(&whole), "no type that no kind of partner has");
}

#[tokio::test]
async fn introspection_shows_a_kinds_own_schema() {
    let district = District::new().await;
    for (code, kind, _) in PARTNERS {
        let partner = district.partner(code).await;
        let reply = partner
            .ask(
                "{ __schema { queryType { fields { name } } mutationType { fields { name } } types { name } } \
                   __type(name: \"Node\") { possibleTypes { name } } }",
                json!({}),
            )
            .await
            .fine();
        let named = |value: &Value| -> BTreeSet<String> {
            value.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        let own = sdl_of(kind);
        let mut roots = named(&reply.at("__schema")["queryType"]["fields"]);
        roots.extend(named(&reply.at("__schema")["mutationType"]["fields"]));
        assert_eq!(roots, roots_of(&own).into_iter().collect(), "{code}");
        assert_eq!(named(&reply.at("__type")["possibleTypes"]), nodes_of(&own), "{code}");
        let mut types = named(&reply.at("__schema")["types"]);
        types.retain(|name| {
            !name.starts_with("__") && !["ID", "String", "Int", "Float", "Boolean"].contains(&name.as_str())
        });
        assert_eq!(types, names(&own), "{code}");
    }
}

#[tokio::test]
async fn a_type_of_another_kind_is_a_name_that_does_not_exist() {
    let district = District::new().await;
    let all = names(&sdl());
    let mut asked = 0;
    for (code, kind, _) in PARTNERS {
        let partner = district.partner(code).await;
        let own = names(&sdl_of(kind));
        for name in all.difference(&own) {
            let nonsense = "Z".repeat(name.len());
            let of = |name: &str| format!("{{ __type(name: \"{name}\") {{ name kind }} }}");
            let reply = partner.ask(&of(name), json!({})).await;
            assert_eq!(reply.body, json!({ "data": { "__type": null } }), "{code}: {name}");
            for form in [
                "{ node(id: \"x\") { ... on NAME { __typename } } }",
                "{ node(id: \"x\") { ...F } } fragment F on NAME { __typename }",
                "query($x: NAME) { viewer { partner { code } } }",
                "query($x: [NAME!]!) { viewer { partner { code } } }",
            ] {
                let reply = partner.ask(&form.replace("NAME", name), json!({})).await;
                let unknown = partner.ask(&form.replace("NAME", &nonsense), json!({})).await;
                assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{code}: {form} {name}");
                in_same_words(&reply, name, &unknown, &nonsense);
            }
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

#[tokio::test]
async fn no_answer_suggests_a_name() {
    let district = District::new().await;
    let shop = district.partner(crate::harness::district::SHOP).await;
    for query in [
        "{ settlement(by: { id: \"x\" }) { id } }",
        "{ viewr { partner { code } } }",
        "{ viewer { partnr { code } } }",
        "{ aidCard(numbr: \"1\") { id } }",
        "{ redemptions(filter: { stat: [REDEEMED] }) { nodes { id } } }",
        "{ redemptions(filter: { status: [REDEEMD] }) { nodes { id } } }",
    ] {
        let reply = shop.ask(query, json!({})).await;
        assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{query}: {}", reply.body);
        assert!(!reply.body.to_string().to_lowercase().contains("did you mean"), "{}", reply.body);
    }
}
