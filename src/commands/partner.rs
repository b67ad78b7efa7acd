use clap::{Args, Subcommand};
use entity::kinds::PartnerKind;
use entity::partner;
use sea_orm::ColumnTrait;
use serde_json::json;

use super::{
    Failure, Outcome, Place, check, configure, done, gate_of_installation, new_key, print_all, steward,
    suspension, word,
};
use crate::access::Slice;
use crate::actions::register_partner::{LONGEST_CODE, LONGEST_NAME, RegisterPartnerInput, register};
use crate::actions::resume::resume;
use crate::actions::suspend::suspend;
use crate::page::type_id;
use crate::rules::text::{number_fault, text_fault};

/// Register, list, suspend and resume partners.
#[derive(Args)]
pub struct PartnerCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a partner; the bureau of a new installation first.
    Add(Add),
    /// Print every partner, one line of JSON each.
    List(Place),
    /// End every token of a partner within five seconds; it gets no new ones until it is resumed.
    Suspend(One),
    /// Let a suspended partner go on.
    Resume(One),
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// Unique and stable, e.g. H41999900153.
    #[arg(long)]
    code: String,
    /// BUREAU, SUBDISTRICT_OFFICE, HOSPITAL, DISABILITY_FEDERATION, CHARITY_FEDERATION, CHARITY_SUPERMARKET, HOME_CARE_PROVIDER.
    #[arg(long)]
    kind: String,
    #[arg(long)]
    name: String,
    /// The area code of its territory: 6, 9 or 12 digits.
    #[arg(long)]
    area: String,
}

#[derive(Args)]
struct One {
    #[command(flatten)]
    place: Place,
    /// The partner's code.
    code: String,
}

impl PartnerCommand {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            Command::Add(add) => add.run().await,
            Command::List(place) => list(&place).await,
            Command::Suspend(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                let input = suspension(type_id(of_code(&slice, &one.code).await?.id));
                done(suspend(&slice, &input).await?).map(drop)
            }
            Command::Resume(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                let input = suspension(type_id(of_code(&slice, &one.code).await?.id));
                done(resume(&slice, &input).await?).map(drop)
            }
        }
    }
}

impl Add {
    async fn run(self) -> Outcome {
        let kind = word("--kind", &self.kind, PartnerKind::ALL, PartnerKind::word)?;
        if kind == PartnerKind::Bureau {
            return self.found().await;
        }
        let (_gate, slice) = steward(&self.place).await?;
        let input = RegisterPartnerInput {
            key: new_key(),
            code: self.code.into(),
            kind: kind.into(),
            name: self.name,
            area: self.area,
        };
        let answered = done(register(&slice, &input).await?)?;
        println!("{}", answered.answer.result.unwrap_or_default());
        Ok(())
    }

    async fn found(self) -> Outcome {
        let config = configure(&self.place, None)?;
        let gate = gate_of_installation(&config).await?;
        check(&config, &gate).await?;
        if !crate::graph::partner::is_area(&self.area) {
            return Err(Failure("--area: must be an area code, e.g. 410102".into()));
        }
        if number_fault(&self.code, LONGEST_CODE).is_some() {
            return Err(Failure(format!("--code: must have 1 to {LONGEST_CODE} signs and no spaces")));
        }
        if text_fault(&self.name, LONGEST_NAME).is_some() {
            return Err(Failure(format!("--name: must have 1 to {LONGEST_NAME} signs, none of them hidden")));
        }
        if !gate.found(&self.code, &self.name, &self.area).await? {
            return Err(Failure("--kind: there is a bureau already, and an installation has one".into()));
        }
        println!("{} founded", self.code);
        Ok(())
    }
}

/// The partner of a code.
pub(super) async fn of_code(slice: &Slice, code: &str) -> Result<partner::Model, Failure> {
    let found = slice.select::<partner::Entity>()?.only(partner::Column::Code.eq(code)).one().await?;
    found.ok_or_else(|| Failure(format!("there is no partner {code}")))
}

async fn list(place: &Place) -> Outcome {
    let (_gate, slice) = steward(place).await?;
    print_all::<partner::Entity, _>(&slice, partner::Column::Id, |row| row.id, None, |row| {
        json!({
            "id": type_id(row.id), "code": row.code, "kind": row.kind.word(), "name": row.name, "area": row.area,
            "suspended_at": row.suspended_at,
        })
    })
    .await
}
