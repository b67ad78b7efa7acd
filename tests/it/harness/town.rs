//! A district in which every table has rows of several owners.

use entity::kinds::{Category, Stacking};
use entity::{
    agreement, aid_card, client, consent, lease, partner, policy_version, programme, redemption, referral,
    settlement, staff, statement, trusted_document,
};
use onestop::access::document_digest;
use onestop::page::type_id;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::district::{
    ADMINISTRATOR, BUREAU, CARE, CF, DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_OFFICE, OTHER_SHOP,
    PARTNERS, SHOP, new_id,
};
use super::partner::new_key;
use super::{Bill, District, Partner, Policy};

/// See the module's description. Each partner has one token.
pub struct Town {
    pub district: District,
    pub partners: Vec<Partner>,
    administrator: Partner,
    /// A card that `SHOP` redeemed.
    pub card: String,
    /// A dibao patient of `HOSPITAL`.
    pub patient: (String, String),
}

impl Town {
    pub async fn new() -> Self {
        let district = District::new().await;
        district.policy(Policy::medical(&district)).await;
        district.policy(Policy::veterans(&district).rate(3500)).await;
        district.stacking(Stacking::BestOf).await;
        let lease = lease::Model { name: "expiry".into(), owner: Uuid::now_v7(), until: district.now() };
        district.lay::<lease::Entity>(vec![lease]).await;
        let mut partners = Vec::new();
        for (code, _, _) in PARTNERS {
            partners.push(district.partner(code).await);
        }
        let administrator = district.administrator().await;
        let mut town =
            Self { district, partners, administrator, card: String::new(), patient: Default::default() };
        town.stays().await;
        town.shopping().await;
        town.referring().await;
        let system = town.district.client(HOSPITAL, |_| {}).await;
        let document = trusted_document::Model {
            client_id: system.row.id,
            digest: document_digest("{ viewer { scopes } }"),
            name: "scopes".into(),
            registered_at: town.district.now(),
        };
        town.district.lay::<trusted_document::Entity>(vec![document]).await;
        town.district.client(SHOP, |client| client.name = "till".into()).await;
        town.district.gate.seal_records().await.unwrap();
        town
    }

    pub fn partner(&self, code: &str) -> &Partner {
        if code == ADMINISTRATOR {
            return &self.administrator;
        }
        self.partners.iter().find(|partner| partner.code == code).unwrap()
    }

    /// Three stays at two hospitals, one of them taken back; a patient from outside the district.
    async fn stays(&mut self) {
        let near = self.district.person("李小明", &[Category::Dibao]).await;
        let veteran = self.district.person("王小红", &[Category::EntitledVeteran]).await;
        let far = self
            .district
            .person_who("张三", &[Category::Dibao], |row| {
                row.district = "410103".into();
                row.subdistrict = Some("410103001".into());
            })
            .await;
        let mut posted = Vec::new();
        for (code, who) in [(HOSPITAL, &near), (HOSPITAL, &veteran), (OTHER_HOSPITAL, &far)] {
            let input = json!({ "key": new_key(), "bill": Bill::of(&who.national_id, &who.name).0 });
            let reply = self.partner(code).act("settle", input, "settlement { id }").await.done("settle");
            posted.push(reply.text("settle.settlement.id"));
        }
        let input = json!({ "key": new_key(), "settlementId": posted[1], "reason": "posted twice" });
        self.partner(HOSPITAL)
            .act("reverseSettlement", input, "settlement { id }")
            .await
            .done("reverseSettlement");
        self.patient = (near.national_id, near.name);
    }

    /// Four cards, three of them redeemed at two shops, one refund at each.
    async fn shopping(&mut self) {
        let mut cards = Vec::new();
        for _ in 0..4 {
            cards.push(self.district.card("200.00").await);
        }
        for (code, card) in [(SHOP, 0), (SHOP, 0), (SHOP, 1), (OTHER_SHOP, 2)] {
            let receipt = new_key();
            let input = json!({ "key": new_key(), "cardNumber": cards[card], "amount": "20.00", "receiptNumber": receipt });
            let reply = self.partner(code).act("redeemAidCard", input, "redemption { id }").await;
            let id = reply.done("redeemAidCard").text("redeemAidCard.redemption.id");
            if card != 0 {
                let input =
                    json!({ "key": new_key(), "redemptionId": id, "amount": "5.00", "reason": "stale" });
                self.partner(code)
                    .act("refundRedemption", input, "redemption { id }")
                    .await
                    .done("refundRedemption");
            }
        }
        self.card = cards.swap_remove(0);
    }

    /// Five referrals between six partners, three of them with a consent.
    async fn referring(&self) {
        let in_ruhelu = self.district.person("赵一", &[]).await;
        let in_liuhu = self
            .district
            .person_who("钱二", &[Category::LoneElder], |row| row.subdistrict = Some("410102012".into()))
            .await;
        let ways = [
            (OFFICE, DPF, &in_ruhelu, true),
            (OTHER_OFFICE, CF, &in_liuhu, true),
            (HOSPITAL, OFFICE, &in_ruhelu, false),
            (CARE, OTHER_OFFICE, &in_liuhu, false),
            (BUREAU, DPF, &in_liuhu, true),
        ];
        for (sender, receiver, who, consents) in ways {
            let person = json!({ "nationalId": who.national_id, "name": who.name });
            let mut input = json!({
                "key": new_key(), "receiver": { "code": receiver }, "person": person, "reason": "needs help",
            });
            if consents {
                let consent = json!({
                    "key": new_key(), "person": person, "receiver": { "code": receiver },
                    "fields": ["PHONE"], "purpose": "help", "wordingVersion": "2016-1", "givenOn": "2016-06-01",
                });
                let reply = self.partner(sender).act("recordConsent", consent, "consent { id }").await;
                input["consentId"] = reply.done("recordConsent").at("recordConsent.consent.id").clone();
            }
            let reply = self.partner(sender).act("requestReferral", input, "referral { id }").await;
            let id = reply.done("requestReferral").text("requestReferral.referral.id");
            if sender == OFFICE {
                let input = json!({ "key": new_key(), "referralId": id });
                self.partner(receiver)
                    .act("acceptReferral", input, "referral { id }")
                    .await
                    .done("acceptReferral");
            }
        }
    }

    /// The outside id of every row that may be asked for as a node, by the type's name.
    pub async fn nodes(&self) -> Vec<(&'static str, Vec<String>)> {
        let look = self.district.database.look().await;
        macro_rules! ids {
            ($($name:literal $table:ident),* $(,)?) => {
                vec![$(($name, {
                    let rows = $table::Entity::find().all(&look).await.unwrap();
                    rows.into_iter().map(|row| type_id(row.id)).collect()
                })),*]
            };
        }
        ids![
            "Agreement" agreement,
            "AidCard" aid_card,
            "Client" client,
            "Consent" consent,
            "Partner" partner,
            "PolicyVersion" policy_version,
            "Programme" programme,
            "Redemption" redemption,
            "Referral" referral,
            "Settlement" settlement,
            "Staff" staff,
            "Statement" statement,
        ]
    }
}

/// An id of this type that nothing has.
pub fn nobodys<K: entity::id::Key>() -> Value {
    type_id(new_id::<K>()).into()
}
