use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use entity::id::PartnerId;
use entity::kinds::{ClientAuthentication, Scope};
use entity::{client, partner};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;

use crate::access::{Act, Answered, Intent, NewSecret, Outcome, Slice, are_usable_keys, scopes_of};
use crate::error::Result;
use crate::graph::client::{Client, find};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::page::{key_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};

const LONGEST_NAME: usize = 64;
const LONGEST_KEYS: usize = 16 * 1024;

#[derive(InputObject)]
pub struct RegisterClientInput {
    pub key: IdempotencyKey,
    pub partner_id: ID,
    /// What its partner calls it, e.g. `billing`.
    pub name: String,
    pub authentication: words::ClientAuthentication,
    /// With PRIVATE_KEY_JWT: its public keys, a JWK Set (RFC 7517) as JSON text, Ed25519 or P-256.
    pub keys: Option<String>,
    /// What it may ask for; all that its kind of partner may hold when left out.
    pub scopes: Option<Vec<words::Scope>>,
    /// Only give it tokens that are bound to a key which it proves with each use (DPoP, RFC 9449).
    #[graphql(default)]
    pub sender_constrained: bool,
    /// Only run documents that were registered for it.
    #[graphql(default)]
    pub documents_trusted: bool,
}

#[derive(SimpleObject)]
pub struct ClientPayload {
    /// As it is now; null with `userErrors`.
    client: Option<Client>,
    /// The new secret. Shown this once: it is kept nowhere, and a replay does not have it.
    secret: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RegisterClient;

#[Object]
impl RegisterClient {
    /// Administrators of the bureau: register a system of a partner, which then gets access tokens at `/oauth/token`.
    async fn register_client(
        &self,
        ctx: &Context<'_>,
        input: RegisterClientInput,
    ) -> Result<Option<ClientPayload>> {
        let with = WithSecret { input, secret: NewSecret::make()? };
        payload(register(slice(ctx)?, &with).await?, &with.secret).await
    }
}

/// What is asked for, with a secret that was made for it.
pub struct WithSecret<I> {
    pub input: I,
    pub secret: NewSecret,
}

/// The payload of an answered act that may have given a client a secret.
pub async fn payload(answered: Answered<client::Model>, secret: &NewSecret) -> Result<Option<ClientPayload>> {
    let shown = answered.fresh.as_ref().filter(|fresh| fresh.secret_hash.is_some());
    let secret = shown.map(|_| secret.expose().to_owned());
    let client = match (answered.fresh, &answered.answer.result) {
        (Some(fresh), _) => Some(fresh),
        (None, Some(id)) => find(&answered.slice, id).await?,
        (None, None) => None,
    };
    Ok(Some(ClientPayload {
        client: client.map(Client),
        secret,
        replayed: answered.replayed,
        user_errors: user_errors(answered.answer.refusals),
    }))
}

/// Registers a client under the caller's key.
pub async fn register(
    slice: &Slice,
    with: &WithSecret<RegisterClientInput>,
) -> Result<Answered<client::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "registerClient",
        key: &with.input.key.0,
        input: with.input.to_value(),
        operator: None,
    };
    slice.act(intent, with, |act, with| keep(act, with).boxed()).await
}

async fn keep(act: &mut Act, with: &WithSecret<RegisterClientInput>) -> Result<Outcome<client::Model>> {
    let input = &with.input;
    let mut refusals: Vec<Refusal> = check_text(&input.name, LONGEST_NAME, "name").into_iter().collect();
    let mut refuse =
        |fault, field: &str| refusals.push(Refusal::new(Reason::Administration(fault), &[field]));
    let partner = match key_of::<PartnerId>(&input.partner_id) {
        Some(id) => act.select::<partner::Entity>()?.only(partner::Column::Id.eq(id)).one().await?,
        None => None,
    };
    let authentication = ClientAuthentication::from(input.authentication);
    let keys = input.keys.as_deref().map(|text| {
        let set = (text.len() <= LONGEST_KEYS).then(|| serde_json::from_str(text).ok()).flatten();
        set.filter(are_usable_keys)
    });
    match (authentication, &keys) {
        (ClientAuthentication::ClientSecret, None) | (ClientAuthentication::PrivateKeyJwt, Some(Some(_))) => {
        }
        (ClientAuthentication::PrivateKeyJwt, Some(None)) => refuse(Administrative::KeysUnusable, "keys"),
        (ClientAuthentication::ClientSecret, Some(_)) | (ClientAuthentication::PrivateKeyJwt, None) => {
            refuse(Administrative::KeysOrSecret, "keys");
        }
    }
    let allowed = partner.as_ref().map(|partner| scopes_of(partner.kind)).unwrap_or_default();
    let scopes = match &input.scopes {
        Some(stated) => words::distinct::<_, Scope>(stated.clone()).into_iter().collect(),
        None => allowed.clone(),
    };
    if let (Some(_), Some(scope)) = (&partner, scopes.iter().find(|scope| !allowed.contains(scope))) {
        refuse(Administrative::ScopeNotAllowed { scope: *scope }, "scopes");
    }
    if input.scopes.is_some() && scopes.is_empty() {
        refusals.push(Refusal::new(Reason::Empty, &["scopes"]));
    }
    if partner.is_none() {
        refusals.push(Refusal::new(Reason::NotFound, &["partnerId"]));
    }
    let (Some(partner), true) = (partner, refusals.is_empty()) else { return Outcome::refused(refusals) };
    let secret =
        (authentication == ClientAuthentication::ClientSecret).then(|| with.secret.hash(act.slice().keys()));
    let row = client::Model {
        id: act.new_id(),
        partner_id: partner.id,
        name: input.name.clone(),
        authentication,
        secret_hash: secret,
        previous_secret_hash: None,
        previous_secret_until: None,
        keys: keys.flatten(),
        scopes: scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" "),
        sender_constrained: input.sender_constrained,
        documents_trusted: input.documents_trusted,
        created_at: act.now(),
        suspended_at: None,
    };
    act.insert::<client::Entity>(&row).await?;
    act.tell("client.registered", type_id(row.id), [act.slice().viewer().partner_id()]);
    Ok(Outcome::Done(type_id(row.id), row))
}
