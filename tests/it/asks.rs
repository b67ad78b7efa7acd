//! One request per root field, to be asked by whoever may not. A root field that is missing in [`ASKS`] fails.

use entity::id::{ConsentId, PartnerId, RedemptionId, ReferralId, SettlementId, StatementId};
use entity::kinds::Scope;
use entity::{consent, operation, redemption, referral, settlement, statement};
use onestop::page::type_id;
use onestop::schema::cut::ROOT_FIELDS;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::district::{
    ADMINISTRATOR, BUREAU, CARE, CF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_OFFICE, OTHER_SHOP, PARTNERS,
    SHOP,
};
use crate::harness::town::nobodys;
use crate::harness::{Partner, Reply, Town};

/// What a field is asked about; of each there is one that is another's, one that is nobody's and one that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    Nothing,
    Settlement,
    Redemption,
    Referral,
    Consent,
    /// A statement of the other fund.
    Statement,
    Partner,
    /// The key of another partner's request.
    Key,
    /// A resident: another name than the number's, or a number that nobody has.
    Patient,
}

use About::{Consent, Key, Nothing, Patient, Redemption, Referral, Settlement, Statement};

/// `ID` in the arguments stands for what it is asked about, `KEY` for a new key.
pub struct Ask {
    pub field: &'static str,
    pub asker: &'static str,
    pub about: About,
    pub arguments: &'static str,
    pub shape: &'static str,
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

pub const ASKS: &[Ask] = &[
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
    ask("consents", CF, Nothing, "(side: RECEIVER)", "{ nodes { id } }"),
    ask("statement", HOSPITAL, Nothing, r#"(month: "2016-06")"#, "{ id }"),
    ask("statements", HOSPITAL, Nothing, "", "{ nodes { id } }"),
    ask("budgets", CF, Nothing, "(year: 2016)", "{ year }"),
    ask("events", CF, Nothing, "", "{ nodes { kind } }"),
    ask("auditTrail", BUREAU, Nothing, "", "{ nodes { act } }"),
    ask("looksAtPerson", BUREAU, Nothing, r#"(subject: "person_x")"#, "{ nodes { act } }"),
    ask("ledger", BUREAU, Nothing, "", "{ nodes { kind } }"),
    ask("clients", ADMINISTRATOR, Nothing, "", "{ nodes { id } }"),
    ask("staffMembers", ADMINISTRATOR, Nothing, "", "{ nodes { id } }"),
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
    ask(
        "reconcile",
        HOSPITAL,
        Nothing,
        r#"(input: { from: "2016-06-15", to: "2016-06-15", lines: [] })"#,
        "{ agreed userErrors { code message field } }",
    ),
    ask(
        "confirmStatement",
        HOSPITAL,
        Nothing,
        r#"(input: { key: "KEY", month: "2016-06", net: "1.00" })"#,
        "{ statement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "payStatement",
        CF,
        Statement,
        r#"(input: { key: "KEY", statementId: "ID", bankReference: "B" })"#,
        "{ statement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "appropriate",
        CF,
        Nothing,
        r#"(input: { key: "KEY", programmeCode: "MEDICAL_ASSISTANCE", year: 2016, amount: "1.00" })"#,
        "{ budget { year } replayed userErrors { code message field } }",
    ),
    ask(
        "registerPartner",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", code: "BUREAU", kind: BUREAU, name: "n", area: "410102" })"#,
        "{ partner { id } replayed userErrors { code message field } }",
    ),
    ask(
        "registerAgreement",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", partnerId: "partner_x", programmeCode: "NONE", validFrom: "2016-06-01" })"#,
        "{ agreement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "endAgreement",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", agreementId: "agreement_x", validTo: "2016-06-01" })"#,
        "{ agreement { id } replayed userErrors { code message field } }",
    ),
    ask(
        "registerClient",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", partnerId: "partner_x", name: "n", authentication: CLIENT_SECRET })"#,
        "{ client { id } replayed userErrors { code message field } }",
    ),
    ask(
        "rotateClientSecret",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", clientId: "client_x" })"#,
        "{ client { id } replayed userErrors { code message field } }",
    ),
    ask(
        "registerDocuments",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", clientId: "client_x", documents: [] })"#,
        "{ client { id } replayed userErrors { code message field } }",
    ),
    ask(
        "registerStaff",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", code: "S-1", name: "n", roles: [CLERK, PAYMASTER], area: "410102" })"#,
        "{ staff { id } replayed userErrors { code message field } }",
    ),
    ask(
        "suspend",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", id: "client_x" })"#,
        "{ subject { id } replayed userErrors { code message field } }",
    ),
    ask(
        "resume",
        ADMINISTRATOR,
        Nothing,
        r#"(input: { key: "KEY", id: "client_x" })"#,
        "{ subject { id } replayed userErrors { code message field } }",
    ),
];

impl Ask {
    pub fn document(&self, field: &str, id: &str, key: &str) -> String {
        let root =
            if self.arguments.contains("KEY") || self.field == "reconcile" { "mutation" } else { "query" };
        let arguments = self.arguments.replace("BILL", BILL).replace("PERSON", PERSON);
        let arguments = arguments.replace("ID\"", &format!("{id}\"")).replace("KEY\"", &format!("{key}\""));
        format!("{root} {{ {field}{arguments} {} }}", self.shape)
    }

    pub fn scopes(&self) -> &'static [Scope] {
        ROOT_FIELDS.iter().find(|(name, _)| *name == self.field).unwrap().1
    }

    pub async fn by(&self, partner: &Partner, id: &str, key: &str) -> Reply {
        partner.ask(&self.document(self.field, id, key), json!({})).await
    }

    /// An id that can be asked about without any scope.
    pub fn harmless(&self) -> String {
        match self.about {
            Patient => "419999197001010014".into(),
            Key => "never used".into(),
            Nothing | Settlement | Redemption | Referral | Consent | Statement | About::Partner => {
                type_id(entity::id::ProgrammeId::from(uuid::Uuid::nil()))
            }
        }
    }
}

pub fn kind_of(code: &str) -> entity::kinds::PartnerKind {
    let code = if code == ADMINISTRATOR { BUREAU } else { code };
    PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap().1
}

/// What is another's, by the side of the one who asks.
pub async fn anothers(town: &Town, ask: &Ask) -> String {
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
        Statement => {
            let of = statement::Column::PartnerId.eq(owner(HOSPITAL).await);
            type_id(statement::Entity::find().filter(of).one(&look).await.unwrap().unwrap().id)
        }
        About::Partner => type_id(owner(if ask.asker == SHOP { HOSPITAL } else { SHOP }).await),
        Key => {
            let of = operation::Column::PartnerId.eq(owner(OTHER_SHOP).await);
            operation::Entity::find().filter(of).one(&look).await.unwrap().unwrap().key
        }
        Patient => town.patient.0.clone(),
    }
}

pub fn absent(about: About) -> String {
    let id: Value = match about {
        Nothing => Value::String(String::new()),
        Settlement => nobodys::<SettlementId>(),
        Redemption => nobodys::<RedemptionId>(),
        Referral => nobodys::<ReferralId>(),
        Consent => nobodys::<ConsentId>(),
        Statement => nobodys::<StatementId>(),
        About::Partner => nobodys::<PartnerId>(),
        Key => "nobody's key".into(),
        Patient => "419999193601010028".into(),
    };
    id.as_str().unwrap().to_owned()
}

pub fn malformed(about: About) -> Vec<String> {
    match about {
        Nothing | Key | Patient => Vec::new(),
        Settlement | Redemption | Referral | Consent | Statement | About::Partner => {
            let other_type = nobodys::<entity::id::PersonId>();
            ["", "x", "settlement_", "referral_0000", "' OR 1=1 --", other_type.as_str().unwrap()]
                .map(str::to_owned)
                .to_vec()
        }
    }
}

pub fn without(reply: &Reply, id: &str) -> String {
    let body = reply.body.to_string();
    if id.is_empty() { body } else { body.replace(id, "ID") }
}
