use clap::{Args, Subcommand};
use entity::kinds::Role;
use entity::staff;
use sea_orm::ColumnTrait;
use serde_json::json;

use super::{Failure, Outcome, Place, done, new_key, print_all, steward, suspension, word};
use crate::access::Slice;
use crate::actions::register_staff::{RegisterStaffInput, register};
use crate::actions::resume::resume;
use crate::actions::suspend::suspend;
use crate::page::type_id;

/// Register, list, suspend and resume the bureau's staff.
#[derive(Args)]
pub struct StaffCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a person; `onestop token --staff CODE` then gives out a token that names the person.
    Add(Add),
    /// Print everybody, one line of JSON each.
    List(Place),
    /// End every token of a person within five seconds.
    Suspend(One),
    /// Let a suspended person go on.
    Resume(One),
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// Unique: the number on the person's badge.
    #[arg(long)]
    code: String,
    #[arg(long)]
    name: String,
    /// CLERK, DECIDER, PAYMASTER, AUDITOR, ADMINISTRATOR, separated by commas: duties that may meet in one person.
    #[arg(long, value_delimiter = ',', required = true)]
    roles: Vec<String>,
    /// The area code of the territory that the person works for, within the bureau's.
    #[arg(long)]
    area: String,
}

#[derive(Args)]
struct One {
    #[command(flatten)]
    place: Place,
    /// The person's code.
    code: String,
}

impl StaffCommand {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            Command::Add(add) => add.run().await,
            Command::List(place) => list(&place).await,
            Command::Suspend(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                let input = suspension(of_code(&slice, &one.code).await?);
                done(suspend(&slice, &input).await?).map(drop)
            }
            Command::Resume(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                let input = suspension(of_code(&slice, &one.code).await?);
                done(resume(&slice, &input).await?).map(drop)
            }
        }
    }
}

impl Add {
    async fn run(self) -> Outcome {
        let (_gate, slice) = steward(&self.place).await?;
        let mut roles = Vec::new();
        for text in &self.roles {
            roles.push(word("--roles", text, Role::ALL, Role::word)?.into());
        }
        let input = RegisterStaffInput {
            key: new_key(),
            code: self.code.into(),
            name: self.name,
            roles,
            area: self.area,
        };
        println!("{}", done(register(&slice, &input).await?)?.answer.result.unwrap_or_default());
        Ok(())
    }
}

/// The id of the person with a code.
async fn of_code(slice: &Slice, code: &str) -> Result<String, Failure> {
    let found = slice.select::<staff::Entity>()?.only(staff::Column::Code.eq(code)).one().await?;
    found.map(|staff| type_id(staff.id)).ok_or_else(|| Failure(format!("there is no member of staff {code}")))
}

async fn list(place: &Place) -> Outcome {
    let (_gate, slice) = steward(place).await?;
    print_all::<staff::Entity, _>(&slice, staff::Column::Id, |row| row.id, None, |row| {
        json!({
            "id": type_id(row.id), "code": row.code, "name": row.name, "roles": row.roles, "area": row.area,
            "suspended_at": row.suspended_at,
        })
    })
    .await
}
