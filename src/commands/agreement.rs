use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::json;

use super::partner::of_code;
use super::{Outcome, Place, done, new_key, steward};
use crate::actions::end_agreement::{EndAgreementInput, end};
use crate::actions::register_agreement::{RegisterAgreementInput, register};
use crate::graph::scalars::Date;
use crate::page::type_id;

/// Register, end and list service agreements.
#[derive(Args)]
pub struct AgreementCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register what a partner may do for a programme, and when.
    Add(Add),
    /// Set the last day of an agreement.
    End(End),
    /// Print every agreement of a partner, one line of JSON each.
    List(List),
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// The partner's code.
    #[arg(long)]
    partner: String,
    /// The programme's code, e.g. MEDICAL_ASSISTANCE.
    #[arg(long)]
    programme: String,
    /// Its first day, e.g. 2016-01-01.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Its last day; open without.
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
}

#[derive(Args)]
struct End {
    #[command(flatten)]
    place: Place,
    /// Its id, agreement_….
    id: String,
    /// Its last day.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// The partner's code.
    #[arg(long)]
    partner: String,
}

impl AgreementCommand {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            Command::Add(add) => {
                let (_gate, slice) = steward(&add.place).await?;
                let input = RegisterAgreementInput {
                    key: new_key(),
                    partner_id: type_id(of_code(&slice, &add.partner).await?.id).into(),
                    programme_code: add.programme,
                    valid_from: Date(add.from),
                    valid_to: add.to.map(Date),
                };
                println!("{}", done(register(&slice, &input).await?)?.answer.result.unwrap_or_default());
                Ok(())
            }
            Command::End(ending) => {
                let (_gate, slice) = steward(&ending.place).await?;
                let input = EndAgreementInput {
                    key: new_key(),
                    agreement_id: ending.id.into(),
                    valid_to: Date(ending.to),
                };
                done(end(&slice, &input).await?).map(drop)
            }
            Command::List(list) => {
                let (_gate, slice) = steward(&list.place).await?;
                let partner = of_code(&slice, &list.partner).await?;
                let reference = slice.directory().reference().await?;
                for row in slice.directory().agreements(partner.id).await?.iter() {
                    let programme =
                        reference.programme(row.programme_id).map(|programme| programme.code.as_str());
                    println!(
                        "{}",
                        json!({
                            "id": type_id(row.id), "programme": programme, "from": row.valid_from,
                            "to": row.valid_to,
                        })
                    );
                }
                Ok(())
            }
        }
    }
}
