use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use entity::client;
use entity::kinds::{ClientAuthentication, Scope};
use sea_orm::ColumnTrait;
use sea_orm::sea_query::IntoCondition;
use serde_json::json;

use super::partner::of_code;
use super::{Failure, Outcome, Place, done, new_key, print_all, steward, suspension, word};
use crate::access::{Answered, NewSecret};
use crate::actions::register_client::{RegisterClientInput, WithSecret, register};
use crate::actions::register_documents::{self, DocumentInput, RegisterDocumentsInput};
use crate::actions::resume::resume;
use crate::actions::rotate_client_secret::{RotateClientSecretInput, rotate};
use crate::actions::suspend::suspend;
use crate::page::type_id;

/// Register, list, suspend and resume the systems of partners; give one a new secret; register its documents.
#[derive(Args)]
pub struct ClientCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a system of a partner; prints `client_id` and `client_secret` as JSON. The secret is shown this once.
    Add(Add),
    /// Print every client (of a partner), one line of JSON each.
    List(List),
    /// End every token of a client within five seconds; it gets no new ones until it is resumed.
    Suspend(One),
    /// Let a suspended client go on.
    Resume(One),
    /// Give a client a new secret; prints it as JSON, this once.
    Rotate(Rotate),
    /// Register GraphQL documents, one a file, that a client may send.
    Documents(Documents),
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// The partner's code.
    #[arg(long)]
    partner: String,
    /// What the partner calls it, e.g. billing.
    #[arg(long)]
    name: String,
    /// A file with its public keys, a JWK Set; it then proves itself by private_key_jwt and has no secret.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// What it may ask for, separated by commas; all that its kind of partner may hold when left out.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// Only give it tokens that are bound to a key (DPoP).
    #[arg(long)]
    sender_constrained: bool,
    /// Only run documents that are registered for it.
    #[arg(long)]
    documents_trusted: bool,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// The partner's code.
    #[arg(long)]
    partner: Option<String>,
}

#[derive(Args)]
struct One {
    #[command(flatten)]
    place: Place,
    /// Its id, client_….
    id: String,
}

#[derive(Args)]
struct Rotate {
    #[command(flatten)]
    place: Place,
    /// Its id, client_….
    id: String,
    /// For how many hours the old secret stays good beside the new one, at most 168.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap_hours: i32,
}

#[derive(Args)]
struct Documents {
    #[command(flatten)]
    place: Place,
    /// Its id, client_….
    id: String,
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl ClientCommand {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            Command::Add(add) => add.run().await,
            Command::List(list) => list.run().await,
            Command::Suspend(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                done(suspend(&slice, &suspension(one.id)).await?).map(drop)
            }
            Command::Resume(one) => {
                let (_gate, slice) = steward(&one.place).await?;
                done(resume(&slice, &suspension(one.id)).await?).map(drop)
            }
            Command::Rotate(rotating) => {
                let (_gate, slice) = steward(&rotating.place).await?;
                let input = RotateClientSecretInput {
                    key: new_key(),
                    client_id: rotating.id.into(),
                    overlap_hours: rotating.overlap_hours,
                };
                let with = WithSecret { input, secret: NewSecret::make()? };
                print(&done(rotate(&slice, &with).await?)?, &with.secret);
                Ok(())
            }
            Command::Documents(documents) => documents.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> Outcome {
        let (_gate, slice) = steward(&self.place).await?;
        let partner = of_code(&slice, &self.partner).await?;
        let mut scopes = Vec::new();
        for text in &self.scopes {
            scopes.push(word("--scopes", text, Scope::ALL, Scope::word)?.into());
        }
        let keys = self.keys.as_deref().map(read).transpose()?;
        let authentication = match keys {
            Some(_) => ClientAuthentication::PrivateKeyJwt,
            None => ClientAuthentication::ClientSecret,
        };
        let input = RegisterClientInput {
            key: new_key(),
            partner_id: type_id(partner.id).into(),
            name: self.name,
            authentication: authentication.into(),
            keys,
            scopes: (!scopes.is_empty()).then_some(scopes),
            sender_constrained: self.sender_constrained,
            documents_trusted: self.documents_trusted,
        };
        let with = WithSecret { input, secret: NewSecret::make()? };
        print(&done(register(&slice, &with).await?)?, &with.secret);
        Ok(())
    }
}

/// The client with the secret that it was given, if it has one.
fn print(answered: &Answered<client::Model>, secret: &NewSecret) {
    let mut said = json!({ "client_id": answered.answer.result });
    if answered.fresh.as_ref().is_some_and(|client| client.secret_hash.is_some()) {
        said["client_secret"] = secret.expose().into();
    }
    println!("{said}");
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure(format!("{}: {error}", file.display())))
}

impl List {
    async fn run(self) -> Outcome {
        let (_gate, slice) = steward(&self.place).await?;
        let of = match &self.partner {
            Some(code) => {
                Some(client::Column::PartnerId.eq(of_code(&slice, code).await?.id).into_condition())
            }
            None => None,
        };
        print_all::<client::Entity, _>(
            &slice,
            client::Column::Id,
            |row| row.id,
            of,
            |row| {
                json!({
                    "client_id": type_id(row.id), "partner": type_id(row.partner_id), "name": row.name,
                    "authentication": row.authentication.word(), "scopes": row.scopes,
                    "sender_constrained": row.sender_constrained, "documents_trusted": row.documents_trusted,
                    "suspended_at": row.suspended_at,
                })
            },
        )
        .await
    }
}

impl Documents {
    async fn run(self) -> Outcome {
        let (_gate, slice) = steward(&self.place).await?;
        let mut documents = Vec::new();
        for file in &self.files {
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            documents.push(DocumentInput { name, text: read(file)? });
        }
        let input = RegisterDocumentsInput { key: new_key(), client_id: self.id.into(), documents };
        done(register_documents::register(&slice, &input).await?).map(drop)
    }
}
