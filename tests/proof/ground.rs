//! A district on a database that the program serves: partners with tokens, patients, cards.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::Utc;
use entity::id::{AgreementId, PartnerId};
use entity::kinds::{Category, PartnerKind};
use entity::{agreement, partner};
use onestop::access::{Keys, scopes_of};

use crate::book::Book;
use crate::desk::Desk;
use crate::harness::database::Fresh;
use crate::harness::district::{Resident, day, new_id};
use crate::harness::{District, Policy};
use crate::invariants;
use crate::program::{self, Program};

const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// What a patient may get in a year.
pub const CAP: &str = "30000.00";

/// What a run needs: so many of each.
#[derive(Clone, Copy)]
pub struct Many {
    pub hospitals: usize,
    pub shops: usize,
    pub patients: usize,
    pub cards: usize,
    /// What is on each card, in yuan.
    pub balance: &'static str,
}

/// See the module's description. The data folder is private to this run.
pub struct Ground {
    district: District,
    pub data: tempfile::TempDir,
    pub patients: Vec<Resident>,
    pub cards: Vec<String>,
    hospitals: Vec<(String, String)>,
    shops: Vec<(String, String)>,
}

impl Ground {
    /// Laid on a database of its own; nobody else holds a connection to it afterwards.
    pub async fn lay(many: Many) -> Self {
        Self::lay_on(Fresh::new().await, many).await
    }

    pub async fn lay_on(database: Fresh, many: Many) -> Self {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::in_folder(&data.path().join("keys")).unwrap();
        let district = District::founded_on(database, keys, Utc::now()).await;
        district.policy(Policy::medical(&district).annual_cap(CAP)).await;
        let hospitals = partners(&district, PartnerKind::Hospital, many.hospitals).await;
        let shops = partners(&district, PartnerKind::CharitySupermarket, many.shops).await;
        let mut patients = Vec::new();
        for _ in 0..many.patients {
            patients.push(district.person("李小明", &[Category::Dibao]).await);
        }
        let mut cards = Vec::new();
        for _ in 0..many.cards {
            cards.push(district.card(many.balance).await);
        }
        district.gate.database().clone().close().await.unwrap();
        Self { district, data, patients, cards, hospitals, shops }
    }

    pub fn database(&self) -> &Fresh {
        &self.district.database
    }

    /// Fails unless everything holds that must after a run, also in the eyes of `onestop audit`.
    pub async fn check(&self, book: &Book) {
        self.check_on(self.database(), book).await;
    }

    /// [`Ground::check`] on a copy of the database.
    pub async fn check_on(&self, database: &Fresh, book: &Book) {
        invariants::check(database, book).await;
        let audited = program::audit(self.data.path(), &database.url);
        assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
    }

    /// The program that serves it, not yet started.
    pub fn program(&self) -> Program {
        Program::serving(self.data.path(), &self.database().url).known_as(self.issuer())
    }

    /// By which address the partners know the server.
    pub fn issuer(&self) -> &str {
        self.district.gate.issuer()
    }

    /// The desks of the hospitals.
    pub fn hospitals(&self, url: &str) -> Vec<Desk> {
        desks(&self.hospitals, url)
    }

    /// The tills of the shops.
    pub fn shops(&self, url: &str) -> Vec<Desk> {
        desks(&self.shops, url)
    }
}

fn desks(of: &[(String, String)], url: &str) -> Vec<Desk> {
    of.iter().map(|(code, token)| Desk::new(code, token.clone(), url)).collect()
}

/// Code and token of so many partners of a kind, with agreements.
async fn partners(district: &District, kind: PartnerKind, many: usize) -> Vec<(String, String)> {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let mut codes = Vec::new();
    let (mut rows, mut agreements) = (Vec::new(), Vec::new());
    for _ in 0..many {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (code, programme) = match kind {
            PartnerKind::Hospital => (format!("H419999{number:05}9"), district.medical),
            _ => (format!("SM-{number}"), district.cards),
        };
        let id = new_id::<PartnerId>();
        rows.push(partner::Model {
            id,
            code: code.clone(),
            kind,
            name: format!("{code} of the proof"),
            area: "410102".into(),
            created_at: district.now(),
            suspended_at: None,
        });
        agreements.push(agreement::Model {
            id: new_id::<AgreementId>(),
            partner_id: id,
            programme_id: programme,
            valid_from: day("2015-01-01"),
            valid_to: None,
        });
        codes.push(code);
    }
    district.lay::<partner::Entity>(rows).await;
    district.lay::<agreement::Entity>(agreements).await;
    let mut tokens = Vec::new();
    for code in codes {
        let token = district.gate.issue(&code, &scopes_of(kind), TOKEN_LIFE).await.unwrap();
        tokens.push((code, token));
    }
    tokens
}
