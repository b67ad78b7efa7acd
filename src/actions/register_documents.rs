use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use entity::id::ClientId;
use entity::kinds::Scope;
use entity::{client, trusted_document};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;

use crate::access::{Act, Answered, Intent, Outcome, Slice, document_digest};
use crate::error::Result;
use crate::graph::client::{Client, find};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::page::{key_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};

const MOST: usize = 100;
const LONGEST_NAME: usize = 200;

#[derive(InputObject)]
pub struct RegisterDocumentsInput {
    pub key: IdempotencyKey,
    pub client_id: ID,
    /// 1 to 100 of them; one that is registered already stays as it is.
    pub documents: Vec<DocumentInput>,
}

/// A GraphQL document, byte for byte as the client will send it.
#[derive(InputObject)]
pub struct DocumentInput {
    /// What it is called, e.g. its file's name.
    pub name: String,
    pub text: String,
}

#[derive(SimpleObject)]
pub struct RegisterDocumentsPayload {
    /// Null with `userErrors`.
    client: Option<Client>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RegisterDocuments;

#[Object]
impl RegisterDocuments {
    /// Administrators of the bureau: register documents that a client may send. One whose `documentsTrusted` is true may send no others.
    async fn register_documents(
        &self,
        ctx: &Context<'_>,
        input: RegisterDocumentsInput,
    ) -> Result<Option<RegisterDocumentsPayload>> {
        let answered = register(slice(ctx)?, &input).await?;
        let client = match (answered.fresh, &answered.answer.result) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(id)) => find(&answered.slice, id).await?,
            (None, None) => None,
        };
        Ok(Some(RegisterDocumentsPayload {
            client: client.map(Client),
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// Registers documents under the caller's key.
pub async fn register(slice: &Slice, input: &RegisterDocumentsInput) -> Result<Answered<client::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "registerDocuments",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| keep(act, input).boxed()).await
}

async fn keep(act: &mut Act, input: &RegisterDocumentsInput) -> Result<Outcome<client::Model>> {
    let mut refusals = Vec::new();
    if input.documents.is_empty() {
        refusals.push(Refusal::new(Reason::Empty, &["documents"]));
    }
    if input.documents.len() > MOST {
        let fault = Administrative::TooMany { most: MOST };
        refusals.push(Refusal::new(Reason::Administration(fault), &["documents"]));
    }
    for (place, document) in input.documents.iter().take(MOST).enumerate() {
        let name = check_text(&document.name, LONGEST_NAME, "name");
        let text = async_graphql::parser::parse_query(&document.text)
            .err()
            .map(|_unreadable| Refusal::new(Reason::Administration(Administrative::NotADocument), &["text"]));
        let under = |refusal: Refusal| refusal.under(&place.to_string()).under("documents");
        refusals.extend(name.into_iter().chain(text).map(under));
    }
    let client = match key_of::<ClientId>(&input.client_id) {
        Some(id) => act.select::<client::Entity>()?.only(client::Column::Id.eq(id)).one().await?,
        None => None,
    };
    if client.is_none() {
        refusals.push(Refusal::new(Reason::NotFound, &["clientId"]));
    }
    let (Some(client), true) = (client, refusals.is_empty()) else { return Outcome::refused(refusals) };
    for document in &input.documents {
        let row = trusted_document::Model {
            client_id: client.id,
            digest: document_digest(&document.text),
            name: document.name.clone(),
            registered_at: act.now(),
        };
        act.insert_if_new::<trusted_document::Entity>(&row).await?;
    }
    act.tell("client.documents_registered", type_id(client.id), [act.slice().viewer().partner_id()]);
    Ok(Outcome::Done(type_id(client.id), client))
}
