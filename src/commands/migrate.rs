use clap::Args;

use super::{Outcome, Place, configure, migrate, open};

/// Bring the database to this version's schema. Runs each step that has not run yet; running it again changes nothing.
#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(super) async fn run(self) -> Outcome {
        let config = configure(&self.place, None)?;
        let database = open(&config).await?;
        let pending = database.pending_migrations().await?;
        let sealed = migrate(&config, &database).await?;
        for step in &pending {
            println!("{step}");
        }
        if sealed > 0 {
            println!("{sealed} row(s) with names or texts in the clear were sealed.");
        }
        println!("{} step(s) run; the database is current.", pending.len());
        database.close().await?;
        Ok(())
    }
}
