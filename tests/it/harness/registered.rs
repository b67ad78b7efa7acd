//! Clients of partners, and their tokens.

use entity::client;
use entity::id::ClientId;
use entity::kinds::{ClientAuthentication, Scope};
use onestop::access::{NewSecret, scopes_of};
use onestop::page::type_id;
use serde_json::Value;

use super::district::{PARTNERS, new_id};
use super::{District, Partner};

/// A system of a partner that has a secret.
pub struct Registered {
    pub id: ClientId,
    pub partner: String,
    pub secret: String,
}

impl District {
    /// A client of a partner, for everything that its kind may hold.
    pub async fn registered(&self, code: &str, change: impl FnOnce(&mut client::Model)) -> Registered {
        let kind = PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap().1;
        let secret = NewSecret::make().unwrap();
        let mut row = client::Model {
            id: new_id::<ClientId>(),
            partner_id: self.partner_id(code).await,
            name: "till".into(),
            authentication: ClientAuthentication::ClientSecret,
            secret_hash: Some(secret.hash(self.gate.keys())),
            previous_secret_hash: None,
            previous_secret_until: None,
            keys: None,
            scopes: scopes_of(kind).into_iter().map(Scope::word).collect::<Vec<_>>().join(" "),
            sender_constrained: false,
            documents_trusted: false,
            created_at: self.now(),
            suspended_at: None,
        };
        change(&mut row);
        let client = Registered { id: row.id, partner: code.into(), secret: secret.expose().into() };
        self.lay::<client::Entity>(vec![row]).await;
        client
    }

    /// The partner, by a token that its client asked for.
    pub async fn partner_by(&self, client: &Registered) -> Partner {
        let answer = client.ask(&self.url, "/oauth/token", &client.secret).await;
        let said: Value = answer.json().await.unwrap();
        Partner::new(&client.partner, said["access_token"].as_str().unwrap().into(), &self.url)
    }
}

impl Registered {
    /// Asks the authorisation server something, under this secret.
    pub async fn ask(&self, url: &str, path: &str, secret: &str) -> reqwest::Response {
        let form = format!(
            "grant_type=client_credentials&token=x&client_id={}&client_secret={secret}",
            type_id(self.id)
        );
        let asked = reqwest::Client::new()
            .post(format!("{url}{path}"))
            .header("content-type", "application/x-www-form-urlencoded");
        asked.body(form).send().await.unwrap()
    }
}
