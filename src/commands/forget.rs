use std::process::ExitCode;

use clap::Args;
use entity::id::PersonId;

use super::{Failure, Place, check, configure, failed, gate_of_installation, steward_of};
use crate::access::{Forgetting, Forgotten};
use crate::page::{key_of, type_id};
use crate::rules::retention::Need;

/// Take away who people were whom nothing needs any more; what was paid for them stays.
///
/// A person is needed as long as a record of theirs is younger than ONESTOP_RETENTION_YEARS (30; counted from the end of the record's
/// year), a status is in force, a referral is open, a consent was not withdrawn, a card has money or has not expired, a month with a
/// stay or sale of theirs is not paid, or a stay is to be calculated again. Amounts, days of money, ids, entries, statements and
/// receipts stay as they are. It cannot be undone, and can run beside a server.
#[derive(Args)]
#[command(
    after_help = "Exit status: 0 all were forgotten, or those who were due; 1 somebody is still needed or is not there; 2 it could not \
                  run to its end. People are named by id alone: a command line is seen by others."
)]
pub struct Forget {
    #[command(flatten)]
    place: Place,
    /// Ids of people (person_…).
    #[arg(value_name = "PERSON_ID", required_unless_present = "due", conflicts_with = "due")]
    people: Vec<String>,
    /// Everybody whom nothing needs.
    #[arg(long)]
    due: bool,
    /// Say who would be forgotten, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

const STILL_NEEDED: u8 = 1;
const COULD_NOT_RUN: u8 = 2;

impl Forget {
    pub(super) async fn run(self) -> ExitCode {
        match self.forget().await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(STILL_NEEDED),
            Err(failure) => {
                failed(&failure);
                ExitCode::from(COULD_NOT_RUN)
            }
        }
    }

    /// Whether all of those who were named are forgotten.
    async fn forget(self) -> Result<bool, Failure> {
        let people = read(&self.people)?;
        let config = configure(&self.place, None)?;
        let gate = gate_of_installation(&config).await?;
        check(&config, &gate).await?;
        let steward = if self.dry_run { None } else { Some(steward_of(&gate).await?) };
        let forgetting = gate.forgetting(config.retention, steward.as_ref());
        let done = if self.dry_run { "would be forgotten" } else { "is forgotten" };
        let all = match self.due {
            true => everybody_due(&forgetting, done).await?,
            false => named(&forgetting, &people, done).await?,
        };
        drop(steward);
        gate.database().clone().close().await?;
        Ok(all)
    }
}

/// Nothing is repeated of what is no id: it may be a name or a number.
fn read(people: &[String]) -> Result<Vec<PersonId>, Failure> {
    let one = |(place, text): (usize, &String)| {
        key_of::<PersonId>(text).ok_or_else(|| {
            Failure(format!(
                "PERSON_ID: the {}. of them is no id of a person: it must be like person_01kb…; nobody was forgotten",
                place + 1
            ))
        })
    };
    people.iter().enumerate().map(one).collect()
}

async fn named(forgetting: &Forgetting<'_>, people: &[PersonId], done: &str) -> Result<bool, Failure> {
    let mut all = true;
    for person in people {
        let id = type_id(*person);
        match forgetting.person(*person).await? {
            Forgotten::Now => println!("{id} {done}"),
            Forgotten::Before => println!("{id} was forgotten before"),
            Forgotten::Needed(needs) => {
                let words: Vec<&str> = needs.into_iter().map(Need::words).collect();
                println!("{id} is still needed: {}", words.join("; "));
                all = false;
            }
            Forgotten::NoSuchPerson => {
                println!("{id} is not there");
                all = false;
            }
        }
    }
    Ok(all)
}

async fn everybody_due(forgetting: &Forgetting<'_>, done: &str) -> Result<bool, Failure> {
    let mut many: u64 = 0;
    let mut after = None;
    loop {
        let candidates = forgetting.candidates(after).await?;
        let Some(last) = candidates.last().copied() else { break };
        for person in candidates {
            if forgetting.person(person).await? == Forgotten::Now {
                println!("{} {done}", type_id(person));
                many += 1;
            }
        }
        after = Some(last);
    }
    eprintln!("{many} in all.");
    Ok(true)
}
