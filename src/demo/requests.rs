//! One working request for each operation of the three jobs, made fresh: with people, cards, settlements and referrals of its own,
//! so that the requests are valid in any order.

use chrono::{Datelike, Days};
use entity::kinds::{Category, ConsentField, ReferralStatus};
use entity::{Fen, person, person_status};
use rand::rngs::OsRng;
use rand::{Rng, SeedableRng, TryRngCore};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::agencies::{send_with, take};
use super::district::{CHARITY_FEDERATION, DISABILITY_FEDERATION, HOSPITALS};
use super::hospitals::{bill_input, plausible_bill};
use super::people::{Invented, People};
use super::{done, enter, shops};

use crate::access::{Gate, ReferralRow, Slice};
use crate::actions::issue_aid_cards::issue;
use crate::actions::record_consent::{RecordConsentInput, record};
use crate::actions::redeem_aid_card::{RedeemAidCardInput, redeem};
use crate::actions::settle::{SettleInput, settle};
use crate::error::{Error, Result};
use crate::graph::partner::PartnerBy;
use crate::graph::scalars::{Date, IdempotencyKey, Money, NationalId};
use crate::graph::settlement_preview::{BillInput, PatientInput};
use crate::page::type_id;

mod owed;

/// A GraphQL request that works as it is, once.
pub struct DemoRequest {
    /// The operation of the contract.
    pub name: &'static str,
    /// Whose token it takes.
    pub partner: String,
    pub query: String,
    pub variables: Value,
}

const HOSPITAL: &str = HOSPITALS[0];
const SHOP: &str = "SM-RUHELU";
const OFFICE: &str = "SD-RUHELU";
const RUHELU: usize = 7;

/// Everything that the requests are made from.
struct Maker<'a> {
    gate: &'a Gate,
    rng: ChaCha8Rng,
    people: People,
    /// Sets the keys and numbers of this start apart from those of every other.
    start: String,
    made: u32,
    requests: Vec<DemoRequest>,
}

/// What a hospital sends to follow its events: the one request that is answered by a stream.
pub fn to_follow() -> DemoRequest {
    DemoRequest {
        name: "events",
        partner: HOSPITAL.into(),
        query: "subscription($after: String) { events(after: $after) { cursor at kind subject { __typename id } } }"
            .into(),
        variables: json!({ "after": null }),
    }
}

/// The requests of this start.
pub async fn fresh_requests(gate: &Gate) -> Result<Vec<DemoRequest>> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(|_| Error::internal("no randomness"))?;
    let mut rng = ChaCha8Rng::from_seed(seed);
    let start =
        format!("{}-{:06x}", gate.clock().now().format("%Y%m%d%H%M%S"), rng.random::<u32>() & 0xff_ffff);
    let people = People::new(rng.clone());
    let mut maker = Maker { gate, rng, people, start, made: 0, requests: Vec::new() };
    maker.for_everybody();
    maker.for_the_hospital().await?;
    maker.for_the_shop().await?;
    maker.for_the_agencies().await?;
    maker.for_the_owners();
    maker.for_the_record();
    maker.for_whom_it_is_owed().await?;
    Ok(maker.requests)
}

impl Maker<'_> {
    fn add(&mut self, name: &'static str, partner: &str, query: impl Into<String>, variables: Value) {
        self.requests.push(DemoRequest { name, partner: partner.to_owned(), query: query.into(), variables });
    }

    /// A key or number of this start.
    fn number(&mut self) -> String {
        self.made += 1;
        format!("{}-{:03}", self.start, self.made)
    }

    /// Somebody new, with a category since the beginning of last year.
    async fn somebody(&mut self, category: Category) -> Result<Invented> {
        let now = self.gate.clock().now();
        let person = self.people.invent_known(self.gate.keys(), RUHELU, now)?;
        let since =
            chrono::NaiveDate::from_ymd_opt(self.gate.clock().today().year() - 1, 1, 1).unwrap_or_default();
        let status = person.has(&mut self.rng, category, since);
        let loading = self.gate.load().await?;
        loading.lay::<person::Entity>(vec![person.row.clone()]).await?;
        loading.lay::<person_status::Entity>(vec![status]).await?;
        loading.commit().await?;
        Ok(person)
    }

    fn for_everybody(&mut self) {
        let partner = "id kind name code area";
        self.add(
            "viewer",
            HOSPITAL,
            format!("query {{ viewer {{ partner {{ {partner} }} scopes agreements {{ programme {{ code nameZh }} validFrom validTo }} }} }}"),
            json!({}),
        );
        self.add(
            "partner",
            OFFICE,
            format!("query($code: String!) {{ partner(by: {{ code: $code }}) {{ {partner} }} }}"),
            json!({ "code": DISABILITY_FEDERATION }),
        );
        self.add(
            "partners",
            OFFICE,
            format!("query {{ partners(first: 10, filter: {{ kind: [DISABILITY_FEDERATION, CHARITY_FEDERATION, BUREAU] }}) {{ totalCount nodes {{ {partner} }} pageInfo {{ hasNextPage endCursor }} }} }}"),
            json!({}),
        );
    }

    /// A stay of last week for somebody new.
    async fn bill(&mut self) -> Result<BillInput> {
        let patient = self.somebody(Category::Dibao).await?;
        let base = Fen::new(self.rng.random_range(200_000..900_000));
        let amounts = plausible_bill(&mut self.rng, base);
        let today = self.gate.clock().today();
        let number = self.number();
        Ok(bill_input(&patient, &amounts, &number, (today - Days::new(7), today)))
    }

    /// A settlement of somebody new: its outside id, key and invoice number.
    async fn settled(&mut self, hospital: &Slice) -> Result<(String, String, String)> {
        let bill = self.bill().await?;
        let invoice = bill.invoice_number.as_str().to_owned();
        let key = self.number();
        let input =
            SettleInput { key: IdempotencyKey(key.clone()), bill, expected_assistance: None, operator: None };
        let row = done("settlement", settle(hospital, &input).await?)?;
        Ok((type_id(row.id), key, invoice))
    }

    async fn for_the_hospital(&mut self) -> Result<()> {
        let hospital = enter(self.gate, HOSPITAL).await?;
        let shape = "id status key patientName invoiceNumber totalCost assistance personalBurden settledAt calculation { assistance personalBurden parts { programme { nameZh } policyVersion { id validFrom } base eligibleAmount rate computed capLeftBefore paid steps { code label formula value } } }";
        let patient = self.somebody(Category::Dibao).await?;
        self.add(
            "coverage",
            HOSPITAL,
            "query($id: NationalId!, $name: String!) { coverage(nationalId: $id, name: $name) { covered reason patientName entitlements { programme { code nameZh } deductibleLeft annualCap usedThisYear capLeft policyVersion { validFrom form bands { from below rate } } } } }",
            json!({ "id": patient.national_id.expose(), "name": patient.name }),
        );
        let bill = self.bill().await?;
        self.add(
            "settlementPreview",
            HOSPITAL,
            "query($bill: BillInput!) { settlementPreview(bill: $bill) { calculation { assistance personalBurden parts { paid steps { code label formula value } } } userErrors { code message field } } }",
            json!({ "bill": bill_json(&bill) }),
        );
        let bill = self.bill().await?;
        let key = self.number();
        self.add(
            "settle",
            HOSPITAL,
            format!("mutation($input: SettleInput!) {{ settle(input: $input) {{ settlement {{ {shape} }} receipt replayed userErrors {{ code message field }} }} }}"),
            json!({ "input": { "key": key, "bill": bill_json(&bill), "operator": { "code": "C07", "name": "演示收费员" } } }),
        );
        let (id, _, _) = self.settled(&hospital).await?;
        let key = self.number();
        self.add(
            "reverseSettlement",
            HOSPITAL,
            "mutation($input: ReverseSettlementInput!) { reverseSettlement(input: $input) { settlement { id status reversedAt reversalReason } receipt replayed userErrors { code message field } } }",
            json!({ "input": { "key": key, "settlementId": id, "reason": "发票打印错误" } }),
        );
        let (id, original, invoice) = self.settled(&hospital).await?;
        self.add(
            "settlement",
            HOSPITAL,
            format!("query($invoice: String!) {{ settlement(by: {{ invoiceNumber: $invoice }}) {{ {shape} hospital {{ code name }} }} }}"),
            json!({ "invoice": invoice }),
        );
        self.add(
            "settlements",
            HOSPITAL,
            format!("query {{ settlements(first: 5, filter: {{ status: [SETTLED] }}) {{ totalCount nodes {{ {} }} pageInfo {{ hasNextPage endCursor }} }} }}", "id invoiceNumber assistance settledAt"),
            json!({}),
        );
        self.add(
            "node",
            HOSPITAL,
            "query($id: ID!) { node(id: $id) { id ... on Settlement { assistance invoiceNumber } } }",
            json!({ "id": id }),
        );
        self.add(
            "nodes",
            HOSPITAL,
            "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }",
            json!({ "ids": [id, type_id(hospital.viewer().partner_id())] }),
        );
        self.add(
            "looksAtPerson",
            super::district::BUREAU,
            "query($subject: ID!) { looksAtPerson(subject: $subject, first: 20) { nodes { at partner { code } operatorCode act outcome subject origin } pageInfo { hasNextPage endCursor } } }",
            json!({ "subject": id }),
        );
        self.add(
            "operation",
            HOSPITAL,
            "query($key: IdempotencyKey!) { operation(key: $key) { key mutation status at result { id } receipt voidedBy userErrors { code } } }",
            json!({ "key": original }),
        );
        let (_, lost, _) = self.settled(&hospital).await?;
        let key = self.number();
        self.add(
            "voidOperation",
            HOSPITAL,
            "mutation($input: VoidOperationInput!) { voidOperation(input: $input) { operation { key status voidedBy result { id } } receipt replayed userErrors { code message field } } }",
            json!({ "input": { "key": key, "operationKey": lost, "reason": "没有收到应答" } }),
        );
        Ok(())
    }

    /// An active card of the current year for somebody new; its full number.
    async fn card(&mut self) -> Result<String> {
        let holder = self.somebody(Category::Dibao).await?;
        let reference = self.gate.directory().reference().await?;
        let programme = reference
            .programme_of_code("CHARITY_CARD")
            .ok_or_else(|| Error::internal("no card programme"))?
            .id;
        let year = self.gate.clock().today().year();
        let card = shops::card(self.gate.keys(), programme, &holder, RUHELU, year, &mut self.rng)?;
        let charity = enter(self.gate, CHARITY_FEDERATION).await?;
        done("issue of a card", issue(&charity, &self.number(), &[card.row]).await?)?;
        Ok(card.number.expose().to_owned())
    }

    async fn for_the_shop(&mut self) -> Result<()> {
        let shop = enter(self.gate, SHOP).await?;
        let card = self.card().await?;
        self.add(
            "aidCard",
            SHOP,
            "query($number: String!) { aidCard(number: $number) { id number status balance expiresOn holderName allowedCategories } }",
            json!({ "number": card }),
        );
        let card = self.card().await?;
        let (key, receipt) = (self.number(), self.number());
        self.add(
            "redeemAidCard",
            SHOP,
            "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) { redemption { id amount balanceAfter receiptNumber redeemedAt } card { number balance } receipt replayed userErrors { code message field } } }",
            json!({ "input": {
                "key": key, "cardNumber": card, "amount": "86.50", "receiptNumber": receipt,
                "lines": [
                    { "category": "GRAIN_AND_OIL", "description": "大米 10kg", "amount": "58.00" },
                    { "category": "HYGIENE", "description": "洗衣粉", "amount": "28.50" },
                ],
            } }),
        );
        let card_number = self.card().await?;
        let (key, receipt_number) = (self.number(), self.number());
        let input = RedeemAidCardInput {
            key: IdempotencyKey(key),
            card_number,
            amount: Money(Fen::new(4_200)),
            receipt_number: (&receipt_number).into(),
            lines: None,
            agent_name: None,
            operator: None,
        };
        let (redemption, _) = done("redemption", redeem(&shop, &input).await?)?;
        let key = self.number();
        self.add(
            "refundRedemption",
            SHOP,
            "mutation($input: RefundRedemptionInput!) { refundRedemption(input: $input) { redemption { id status refunded } card { balance } receipt replayed userErrors { code message field } } }",
            json!({ "input": { "key": key, "redemptionId": type_id(redemption.id), "amount": "12.00", "reason": "商品破损" } }),
        );
        self.add(
            "redemption",
            SHOP,
            "query($id: ID!) { redemption(by: { id: $id }) { id status amount refunded balanceAfter cardNumber receiptNumber redeemedAt supermarket { code name } } }",
            json!({ "id": type_id(redemption.id) }),
        );
        self.add(
            "redemptions",
            SHOP,
            "query($receipt: String) { redemptions(first: 5, filter: { receiptNumber: $receipt }) { totalCount nodes { id amount receiptNumber redeemedAt } pageInfo { hasNextPage endCursor } } }",
            json!({ "receipt": receipt_number }),
        );
        Ok(())
    }

    /// A referral of somebody new to the disability federation, brought to a state.
    async fn referral(
        &mut self,
        office: &Slice,
        federation: &Slice,
        way: &[ReferralStatus],
    ) -> Result<ReferralRow> {
        let person = self.somebody(Category::LowIncome).await?;
        let key = self.number();
        let fields = [ConsentField::Phone, ConsentField::Disability];
        let row =
            send_with(office, DISABILITY_FEDERATION, "申请辅助器具", &fields, None, &person, &key).await?;
        for (step, to) in way.iter().enumerate() {
            take(federation, &row, *to, &format!("{key}-{step}"), &mut self.rng).await?;
        }
        Ok(row)
    }

    async fn for_the_agencies(&mut self) -> Result<()> {
        use ReferralStatus::{Accepted, InProgress};
        let office = enter(self.gate, OFFICE).await?;
        let federation = enter(self.gate, DISABILITY_FEDERATION).await?;
        let shape = "id number status dueAt allowedSteps person { name birthYear area idNumber phone address disability { kind grade } disabilityCertificate health } events(first: 3) { nodes { at status actor { code } note } }";
        let row = self.referral(&office, &federation, &[]).await?;
        self.add(
            "referral",
            DISABILITY_FEDERATION,
            format!("query($id: ID!) {{ referral(by: {{ id: $id }}) {{ {shape} sender {{ code name }} reason }} }}"),
            json!({ "id": type_id(row.referral.id) }),
        );
        self.add(
            "consents",
            OFFICE,
            "query { consents(side: RECORDER, first: 5) { totalCount nodes { id receiver { code } fields purpose givenOn recordedAt withdrawnAt } pageInfo { hasNextPage endCursor } } }",
            json!({}),
        );
        self.add(
            "referrals",
            DISABILITY_FEDERATION,
            format!("query {{ referrals(first: 5, filter: {{ direction: RECEIVED, status: [REQUESTED, ACCEPTED, IN_PROGRESS] }}) {{ totalCount nodes {{ {shape} }} pageInfo {{ hasNextPage endCursor }} }} }}"),
            json!({}),
        );
        let (consent, person) = self.consent(&office).await?;
        let key = self.number();
        self.add(
            "requestReferral",
            OFFICE,
            format!("mutation($input: RequestReferralInput!) {{ requestReferral(input: $input) {{ referral {{ {shape} }} replayed userErrors {{ code message field }} }} }}"),
            json!({ "input": {
                "key": key, "receiver": { "code": DISABILITY_FEDERATION },
                "person": { "nationalId": person.national_id.expose(), "name": person.name },
                "phone": "13900001234", "reason": "申请轮椅", "consentId": consent, "dueInWorkingDays": 10,
            } }),
        );
        for (name, way, text) in [
            ("acceptReferral", [].as_slice(), None),
            ("declineReferral", &[], Some("reason")),
            ("startReferral", &[Accepted], None),
            ("holdReferral", &[Accepted, InProgress], Some("reason")),
            ("completeReferral", &[Accepted, InProgress], Some("outcome")),
            ("failReferral", &[Accepted, InProgress], Some("reason")),
            ("cancelReferral", &[], Some("reason")),
        ] {
            let row = self.referral(&office, &federation, way).await?;
            let mut input = json!({ "key": self.number(), "referralId": type_id(row.referral.id) });
            if let Some(text) = text {
                input[text] = "演示".into();
            }
            let kind = match (name, text) {
                ("completeReferral", _) => "CompleteReferral",
                (_, Some(_)) => "ReferralReason",
                (_, None) => "ReferralStep",
            };
            let partner = if name == "cancelReferral" { OFFICE } else { DISABILITY_FEDERATION };
            self.add(
                name,
                partner,
                format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ referral {{ {shape} }} replayed userErrors {{ code message field }} }} }}"),
                json!({ "input": input }),
            );
        }
        let person = self.somebody(Category::LowIncome).await?;
        let key = self.number();
        let today = self.gate.clock().today().to_string();
        self.add(
            "recordConsent",
            OFFICE,
            "mutation($input: RecordConsentInput!) { recordConsent(input: $input) { consent { id receiver { code } fields purpose givenOn } replayed userErrors { code message field } } }",
            json!({ "input": {
                "key": key, "receiver": { "code": DISABILITY_FEDERATION },
                "person": { "nationalId": person.national_id.expose(), "name": person.name },
                "fields": ["PHONE", "DISABILITY"], "purpose": "申请辅助器具", "wordingVersion": "2016-1", "givenOn": today,
            } }),
        );
        let (consent, _) = self.consent(&office).await?;
        let key = self.number();
        self.add(
            "withdrawConsent",
            OFFICE,
            "mutation($input: WithdrawConsentInput!) { withdrawConsent(input: $input) { consent { id withdrawnAt } replayed userErrors { code message field } } }",
            json!({ "input": { "key": key, "consentId": consent } }),
        );
        Ok(())
    }

    /// A consent of somebody new for the disability federation: its outside id.
    async fn consent(&mut self, office: &Slice) -> Result<(String, Invented)> {
        let person = self.somebody(Category::LowIncome).await?;
        let key = self.number();
        let input = RecordConsentInput {
            key: IdempotencyKey(key),
            person: PatientInput {
                national_id: NationalId(person.national_id.clone()),
                name: person.name.clone(),
            },
            receiver: PartnerBy::Code(DISABILITY_FEDERATION.into()),
            fields: vec![ConsentField::Phone.into(), ConsentField::Disability.into()],
            purpose: "申请辅助器具".into(),
            wording_version: "2016-1".into(),
            given_on: Date(office.today()),
        };
        Ok((type_id(done("consent", record(office, &input).await?)?.id), person))
    }
}

/// A bill as the JSON that a client sends.
fn bill_json(bill: &BillInput) -> Value {
    async_graphql::InputType::to_value(bill).into_json().unwrap_or(Value::Null)
}
