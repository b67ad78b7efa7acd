//! A small invented district: a bureau, two hospitals, two supermarkets, two offices, the federations, a home-care provider.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::id::{AgreementId, AidCardId, PartnerId, PersonId, PersonStatusId, PolicyVersionId, ProgrammeId};
use entity::kinds::{AidCardStatus, Category, FundSource, PartnerKind, Role, Scope, Stacking};
use entity::{
    CardNumber, Fen, NationalId, agreement, aid_card, cap_group, national_id, partner, person, person_status,
    policy_version, programme,
};
use onestop::access::{Database, Gate, IssueError, Keys, Slice, is_of_people, scopes_of};
use onestop::actions::appropriate::{AppropriateInput, appropriate};
use onestop::actions::issue_aid_cards;
use onestop::clock::Clock;
use onestop::graph::scalars::{IdempotencyKey, Money};
use onestop::http::{App, serve, url_of};
use onestop::rules::calendar::china_year;
use onestop::rules::person_name::masked;
use tokio::sync::watch;
use uuid::Uuid;

use super::canary;
use super::database::Fresh;
use super::partner::{Partner, new_key};
use super::policy::Policy;

pub const BUREAU: &str = "BUREAU";
/// A person of the bureau's staff, who asks in its name.
pub const ADMINISTRATOR: &str = "A-1";
pub const HOSPITAL: &str = "H41999900001";
pub const OTHER_HOSPITAL: &str = "H41999900002";
pub const SHOP: &str = "SM-RUHELU";
pub const OTHER_SHOP: &str = "SM-LIUHU";
pub const OFFICE: &str = "SD-RUHELU";
pub const OTHER_OFFICE: &str = "SD-LIUHU";
pub const DPF: &str = "DPF";
pub const CF: &str = "CF";
pub const CARE: &str = "HC-1";

/// Code, kind, area of every partner.
pub const PARTNERS: [(&str, PartnerKind, &str); 10] = [
    (BUREAU, PartnerKind::Bureau, "410102"),
    (HOSPITAL, PartnerKind::Hospital, "410102"),
    (OTHER_HOSPITAL, PartnerKind::Hospital, "410102"),
    (SHOP, PartnerKind::CharitySupermarket, "410102008"),
    (OTHER_SHOP, PartnerKind::CharitySupermarket, "410102012"),
    (OFFICE, PartnerKind::SubdistrictOffice, "410102008"),
    (OTHER_OFFICE, PartnerKind::SubdistrictOffice, "410102012"),
    (DPF, PartnerKind::DisabilityFederation, "410102"),
    (CF, PartnerKind::CharityFederation, "410102"),
    (CARE, PartnerKind::HomeCareProvider, "410102"),
];

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn fen(yuan: &str) -> Fen {
    Fen::from_yuan(yuan.parse().unwrap()).unwrap()
}

pub fn new_id<K: From<Uuid>>() -> K {
    K::from(Uuid::now_v7())
}

/// The district with its server.
pub struct District {
    pub gate: Gate,
    pub url: String,
    pub medical: ProgrammeId,
    pub veterans: ProgrammeId,
    pub cards: ProgrammeId,
    pub charity_illness: ProgrammeId,
    charity: Slice,
    time: Arc<Mutex<DateTime<Utc>>>,
    people: Mutex<u32>,
    pub(super) stop: watch::Sender<bool>,
    pub database: Fresh,
}

impl District {
    /// On 15 June 2016, 10:00 in China, without any policy.
    pub async fn new() -> Self {
        let now = "2016-06-15T02:00:00Z".parse().unwrap();
        Self::founded_on(Fresh::new().await, Keys::ephemeral().unwrap(), now).await
    }

    /// On a migrated database, with these keys, at this time.
    pub async fn founded_on(fresh: Fresh, keys: Keys, now: DateTime<Utc>) -> Self {
        canary::watch();
        let database = Database::open(&fresh.url).await.unwrap();
        let time = Arc::new(Mutex::new(now));
        let hands = Arc::clone(&time);
        let clock = Clock::new(move || *hands.lock().unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(listener.local_addr().unwrap());
        let gate = Gate::with_cache_age(database, Arc::new(keys), clock, Duration::from_secs(3600));
        let gate = gate.issuing_as(&url);
        let ids: [ProgrammeId; 4] = [new_id(), new_id(), new_id(), new_id()];
        let load = gate.load().await.unwrap();
        let now = gate.clock().now();
        let partners: Vec<partner::Model> = PARTNERS
            .iter()
            .map(|(code, kind, area)| partner::Model {
                id: new_id::<PartnerId>(),
                code: (*code).into(),
                kind: *kind,
                name: format!("{code} of the test district"),
                area: (*area).into(),
                created_at: now,
                suspended_at: None,
            })
            .collect();
        let programme = |id, code: &str, fund| programme::Model {
            id,
            code: code.into(),
            name: code.to_lowercase(),
            name_zh: "测试项目".into(),
            fund,
        };
        load.lay::<partner::Entity>(partners.clone()).await.unwrap();
        load.lay::<programme::Entity>(vec![
            programme(ids[0], "MEDICAL_ASSISTANCE", FundSource::Fiscal),
            programme(ids[1], "VETERAN_REIMBURSEMENT", FundSource::Fiscal),
            programme(ids[2], "CHARITY_CARD", FundSource::Charity),
            programme(ids[3], "CHARITY_ILLNESS", FundSource::Charity),
        ])
        .await
        .unwrap();
        let mut agreements = Vec::new();
        for partner in &partners {
            let programmes: &[ProgrammeId] = match partner.kind {
                PartnerKind::Hospital => &ids[..2],
                PartnerKind::CharitySupermarket => &ids[2..3],
                _ => &[],
            };
            agreements.extend(programmes.iter().map(|programme| agreement::Model {
                id: new_id::<AgreementId>(),
                partner_id: partner.id,
                programme_id: *programme,
                valid_from: day("2015-01-01"),
                valid_to: None,
            }));
        }
        load.lay::<agreement::Entity>(agreements).await.unwrap();
        appropriate_plenty(load.gate(), china_year(now)).await;
        load.commit().await.unwrap();
        let charity = enter(&gate, CF, &[Scope::BudgetWrite]).await;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, App::new(gate.clone()), stopped));
        Self {
            gate,
            url,
            medical: ids[0],
            veterans: ids[1],
            cards: ids[2],
            charity_illness: ids[3],
            charity,
            time,
            people: Mutex::new(0),
            stop,
            database: fresh,
        }
    }

    /// With one medical assistance policy: 70 % flat.
    pub async fn with_medical_assistance() -> Self {
        let district = Self::new().await;
        district.policy(Policy::medical(&district)).await;
        district
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.time.lock().unwrap()
    }

    /// Moves the clock, forward or back.
    pub fn wait(&self, delta: TimeDelta) {
        *self.time.lock().unwrap() += delta;
    }

    pub fn set_time(&self, instant: &str) {
        *self.time.lock().unwrap() = instant.parse().unwrap();
    }

    /// A partner with a token for everything that its kind may hold.
    pub async fn partner(&self, code: &str) -> Partner {
        let kind = PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap().1;
        self.partner_with(code, &scopes_of(kind)).await
    }

    /// With a token for these scopes; what only people may hold comes with the token of an administrator.
    pub async fn partner_with(&self, code: &str, scopes: &[Scope]) -> Partner {
        if scopes.iter().any(|scope| is_of_people(*scope)) {
            return self.administrator_with(scopes).await;
        }
        let code = if code == ADMINISTRATOR { BUREAU } else { code };
        let token = self.gate.issue(code, scopes, Duration::from_secs(30 * 24 * 3600)).await.unwrap();
        Partner::new(code, token, &self.url)
    }

    /// An administrator of the bureau's staff.
    pub async fn administrator(&self) -> Partner {
        self.administrator_with(&[Scope::AdministrationRead, Scope::AdministrationWrite]).await
    }

    async fn administrator_with(&self, scopes: &[Scope]) -> Partner {
        let life = Duration::from_secs(12 * 3600);
        let token = match self.gate.issue_to_staff(ADMINISTRATOR, scopes, life).await {
            Err(IssueError::NoSuchStaff) => {
                self.staff(ADMINISTRATOR, &[Role::Administrator]).await;
                self.gate.issue_to_staff(ADMINISTRATOR, scopes, life).await.unwrap()
            }
            issued => issued.unwrap(),
        };
        Partner::new(BUREAU, token, &self.url)
    }

    /// The slice of a partner, without HTTP.
    pub async fn slice(&self, code: &str) -> Slice {
        let kind = PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap().1;
        enter(&self.gate, code, &scopes_of(kind)).await
    }

    pub async fn partner_id(&self, code: &str) -> PartnerId {
        self.slice(code).await.viewer().partner_id()
    }

    /// Lays rows that no act makes.
    pub async fn lay<E>(&self, rows: Vec<E::Model>)
    where
        E: sea_orm::EntityTrait,
        E::Model: sea_orm::IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: sea_orm::ActiveModelBehavior + Send,
    {
        let load = self.gate.load().await.unwrap();
        load.lay::<E>(rows).await.unwrap();
        load.commit().await.unwrap();
    }

    /// Puts a policy into force. Before the first request: programmes are cached.
    pub async fn policy(&self, policy: Policy) -> PolicyVersionId {
        let id = policy.0.id;
        self.lay::<policy_version::Entity>(vec![policy.0]).await;
        id
    }

    pub async fn stacking(&self, stacking: Stacking) {
        let group = cap_group::Model {
            code: "MEDICAL".into(),
            valid_from: day("2015-01-01"),
            valid_to: None,
            stacking,
        };
        self.lay::<cap_group::Entity>(vec![group]).await;
    }

    /// An invented person of area 419999 who lives in Ruhelu, with categories since 2015.
    pub async fn person(&self, name: &str, categories: &[Category]) -> Resident {
        self.person_who(name, categories, |_| {}).await
    }

    pub async fn person_who(
        &self,
        name: &str,
        categories: &[Category],
        change: impl FnOnce(&mut person::Model),
    ) -> Resident {
        let number = {
            let mut people = self.people.lock().unwrap();
            *people += 1;
            *people
        };
        let first17 = format!("41999919500101{number:03}");
        let text = format!("{first17}{}", national_id::check_digit(&first17).unwrap());
        let id = NationalId::parse(&text).unwrap();
        let keys = self.gate.keys();
        let row_id = new_id::<PersonId>();
        let mut row = person::Model {
            id: row_id,
            national_id_sealed: keys.seal(person::Column::NationalIdSealed, row_id, &text).unwrap(),
            national_id_hash: keys.find_person(&id),
            desk_hash: keys.find_at_desk(&id, name),
            name_sealed: keys.seal(person::Column::NameSealed, row_id, name).unwrap(),
            birth_date: id.birth_date(),
            district: "410102".into(),
            subdistrict: Some("410102008".into()),
            community: None,
            phone_sealed: None,
            address_sealed: None,
            disability_class: None,
            disability_grade: None,
            disability_certificate_sealed: None,
            health_sealed: None,
            monthly_income: None,
            deceased_on: None,
            created_at: self.now(),
            forgotten_at: None,
        };
        change(&mut row);
        let resident = Resident { id: row.id, national_id: text, name: name.into() };
        let statuses = categories
            .iter()
            .map(|category| person_status::Model {
                id: new_id::<PersonStatusId>(),
                person_id: row.id,
                category: *category,
                valid_from: day("2015-01-01"),
                valid_to: None,
                suspended_on: None,
            })
            .collect();
        self.lay::<person::Entity>(vec![row]).await;
        self.lay::<person_status::Entity>(statuses).await;
        resident
    }

    /// An active card of an invented holder, good for years, with this balance; its full number.
    pub async fn card(&self, balance: &str) -> String {
        self.card_that(balance, |_| {}).await
    }

    pub async fn card_that(&self, balance: &str, change: impl FnOnce(&mut aid_card::Model)) -> String {
        let holder = self.person("李小明", &[Category::Dibao]).await;
        let serial = 100_000 + *self.people.lock().unwrap();
        let number = CardNumber::compose(2016, 102, 8, serial).unwrap();
        let mut row = aid_card::Model {
            id: new_id::<AidCardId>(),
            number_hash: self.gate.keys().find_card(&number),
            last_four: number.last_four().into(),
            person_id: holder.id,
            holder_name: masked(&holder.name),
            programme_id: self.cards,
            status: AidCardStatus::Active,
            face_value: fen(balance),
            balance: fen(balance),
            issued_on: day("2016-01-01"),
            expires_on: day("2030-12-31"),
            allowed_categories: None,
            monthly_limit: None,
            replaced_by: None,
        };
        change(&mut row);
        let issued = issue_aid_cards::issue(&self.charity, &new_key(), &[row]).await.unwrap();
        assert_eq!(issued.answer.refusals, []);
        number.expose().to_owned()
    }
}

/// A token's slice, without HTTP.
async fn enter(gate: &Gate, code: &str, scopes: &[Scope]) -> Slice {
    let token = gate.issue(code, scopes, Duration::from_secs(30 * 24 * 3600)).await.unwrap();
    gate.enter(&token).await.unwrap()
}

/// What every programme has for a year, more than any test spends.
pub const PLENTY: &str = "1000000000.00";

async fn appropriate_plenty(gate: &Gate, from: i32) {
    let programmes = [
        (BUREAU, "MEDICAL_ASSISTANCE"),
        (BUREAU, "VETERAN_REIMBURSEMENT"),
        (CF, "CHARITY_CARD"),
        (CF, "CHARITY_ILLNESS"),
    ];
    for owner in [BUREAU, CF] {
        let slice = enter(gate, owner, &[Scope::BudgetWrite]).await;
        for (_, programme) in programmes.iter().filter(|(of, _)| *of == owner) {
            for year in from..=from + 2 {
                let input = AppropriateInput {
                    key: IdempotencyKey(format!("{programme}-{year}")),
                    programme_code: (*programme).into(),
                    year,
                    amount: Money(fen(PLENTY)),
                    operator: None,
                };
                let answered = appropriate(&slice, &input).await.unwrap();
                assert_eq!(answered.answer.refusals, []);
            }
        }
    }
}

impl Drop for District {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        canary::judge();
    }
}

/// Somebody who lives in the district.
#[derive(Clone, Debug)]
pub struct Resident {
    pub id: PersonId,
    pub national_id: String,
    pub name: String,
}
