//! Partners' systems at the token endpoint, people of the bureau's staff, and keys with which anything may be signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::Signer as _;
use entity::id::{ClientId, StaffId};
use entity::kinds::{ClientAuthentication, Role};
use entity::{client, staff};
use onestop::access::{NewSecret, scopes_of};
use onestop::page::type_id;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::District;
use super::district::{BUREAU, PARTNERS, new_id};
use super::partner::new_key;

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A part of a JWT, as JSON.
pub fn part_of(jwt: &str, place: usize) -> Value {
    let part = jwt.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A key pair that signs whatever it is given.
#[derive(Clone)]
pub enum Pair {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl Pair {
    pub fn ed25519(seed: u8) -> Self {
        Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
    }

    pub fn p256(seed: u8) -> Self {
        Self::P256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        match self {
            Self::Ed25519(key) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": base64url(key.verifying_key()) })
            }
            Self::P256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = (base64url(point.x().unwrap()), base64url(point.y().unwrap()));
                json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
            }
        }
    }

    /// RFC 7638: the members of the key in the order of their names.
    pub fn thumbprint(&self) -> String {
        base64url(Sha256::digest(self.jwk().to_string()))
    }

    /// A compact JWS of exactly this header and content.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = match self {
            Self::Ed25519(key) => key.sign(signed.as_bytes()).to_vec(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(signed.as_bytes());
                signature.to_bytes().to_vec()
            }
        };
        format!("{signed}.{}", base64url(signature))
    }
}

/// One system of a partner.
pub struct System {
    pub row: client::Model,
    /// Its `client_id`.
    pub id: String,
    pub secret: String,
    pub url: String,
}

impl District {
    /// A client of a partner with a secret, for everything that a system of its kind may hold; with keys instead when `change`
    /// lays them.
    pub async fn client(&self, partner: &str, change: impl FnOnce(&mut client::Model)) -> System {
        let kind = PARTNERS.iter().find(|(known, _, _)| *known == partner).unwrap().1;
        let secret = NewSecret::make().unwrap();
        let scopes: Vec<&str> = scopes_of(kind).iter().map(|scope| scope.word()).collect();
        let mut row = client::Model {
            id: new_id::<ClientId>(),
            partner_id: self.partner_id(partner).await,
            name: "billing".into(),
            authentication: ClientAuthentication::ClientSecret,
            secret_hash: Some(secret.hash(self.gate.keys())),
            previous_secret_hash: None,
            previous_secret_until: None,
            keys: None,
            scopes: scopes.join(" "),
            sender_constrained: false,
            documents_trusted: false,
            created_at: self.now(),
            suspended_at: None,
        };
        change(&mut row);
        if row.keys.is_some() {
            row.authentication = ClientAuthentication::PrivateKeyJwt;
            row.secret_hash = None;
        }
        self.lay::<client::Entity>(vec![row.clone()]).await;
        System { id: type_id(row.id), row, secret: secret.expose().to_owned(), url: self.url.clone() }
    }

    /// A client that signs its assertions with these keys.
    pub async fn client_with_keys(&self, partner: &str, pairs: &[&Pair]) -> System {
        let keys: Vec<Value> = pairs.iter().map(|pair| pair.jwk()).collect();
        self.client(partner, |client| client.keys = Some(json!({ "keys": keys }))).await
    }

    /// A person of the bureau's staff.
    pub async fn staff(&self, code: &str, roles: &[Role]) -> staff::Model {
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        let row = staff::Model {
            id: new_id::<StaffId>(),
            partner_id: self.partner_id(BUREAU).await,
            code: code.into(),
            name: "Somebody of the test bureau".into(),
            roles: words.join(" "),
            area: "410102".into(),
            created_at: self.now(),
            suspended_at: None,
        };
        self.lay::<staff::Entity>(vec![row.clone()]).await;
        row
    }

    /// What an assertion of a client says when nothing is wrong with it.
    pub fn assertion(&self, system: &System) -> Value {
        json!({
            "iss": system.id, "sub": system.id, "aud": self.url, "jti": new_key(),
            "iat": self.now().timestamp(), "exp": (self.now() + TimeDelta::minutes(5)).timestamp(),
        })
    }
}

/// What the authorisation server said.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// Null when there is nothing, or it is no JSON.
    pub body: Value,
}

impl Said {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        super::canary::search_answer(&Value::String(body.clone()));
        Self { status, headers, body: serde_json::from_str(&body).unwrap_or_default() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    pub fn token(&self) -> String {
        self.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {self:?}")).to_owned()
    }
}

/// Fields of a form.
pub type Fields<'a> = &'a [(&'a str, &'a str)];

pub fn form(fields: Fields<'_>) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

impl System {
    /// A form, before it is sent; nobody has proven anything.
    pub fn post(&self, path: &str, fields: Fields<'_>) -> RequestBuilder {
        reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields))
    }

    /// A form with id and secret in it.
    pub fn post_proven(&self, path: &str, fields: Fields<'_>) -> RequestBuilder {
        let who = [("client_id", self.id.as_str()), ("client_secret", self.secret.as_str())];
        self.post(path, &[&who, fields].concat())
    }

    /// Asks for a token with id and secret in the form.
    pub async fn ask(&self, fields: Fields<'_>) -> Said {
        let fields = [&[("grant_type", "client_credentials")], fields].concat();
        Said::of(self.post_proven("/oauth/token", &fields).send().await.unwrap()).await
    }

    /// A token for everything that the client may hold.
    pub async fn token(&self) -> String {
        let said = self.ask(&[]).await;
        assert_eq!(said.status, 200, "{said:?}");
        said.token()
    }

    /// Asks for a token with an assertion.
    pub async fn ask_by_assertion(&self, assertion: &str) -> Said {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        Said::of(self.post("/oauth/token", &fields).send().await.unwrap()).await
    }

    pub async fn revoke(&self, token: &str) -> Said {
        Said::of(self.post_proven("/oauth/revoke", &[("token", token)]).send().await.unwrap()).await
    }

    /// What the server says of a token.
    pub async fn introspect(&self, token: &str) -> Value {
        let said = self.post_proven("/oauth/introspect", &[("token", token)]).send().await.unwrap();
        let said = Said::of(said).await;
        assert_eq!((said.status, said.header("cache-control")), (200, "no-store"), "{said:?}");
        said.body
    }
}

/// What a proof of possession says when nothing is wrong with it.
pub struct Proving<'a> {
    pub pair: &'a Pair,
    pub header: Value,
    pub claims: Value,
}

impl Proving<'_> {
    pub fn sign(&self) -> String {
        self.pair.sign(&self.header, &self.claims)
    }

    /// The same proof with something else in its header.
    pub fn headed(mut self, member: &str, value: Value) -> String {
        self.header[member] = value;
        self.sign()
    }

    /// The same proof, saying something else; null takes a claim away.
    pub fn saying(mut self, claim: &str, value: Value) -> String {
        match value {
            Value::Null => drop(self.claims.as_object_mut().unwrap().remove(claim)),
            value => self.claims[claim] = value,
        }
        self.sign()
    }
}

impl District {
    /// A good proof for one request.
    pub fn proving<'a>(&self, pair: &'a Pair, method: &str, path: &str, token: Option<&str>) -> Proving<'a> {
        let mut claims = json!({
            "jti": new_key(), "htm": method, "htu": format!("{}{path}", self.url),
            "iat": self.now().timestamp(), "nonce": self.gate.proof_nonce(),
        });
        if let Some(token) = token {
            claims["ath"] = json!(base64url(Sha256::digest(token)));
        }
        let header = json!({ "typ": "dpop+jwt", "alg": pair.algorithm(), "jwk": pair.jwk() });
        Proving { pair, header, claims }
    }

    pub fn proof(&self, pair: &Pair, method: &str, path: &str, token: Option<&str>) -> String {
        self.proving(pair, method, path, token).sign()
    }

    /// A token of a client that is bound to a key.
    pub async fn bound_token(&self, system: &System, pair: &Pair) -> String {
        let proof = self.proof(pair, "POST", "/oauth/token", None);
        let asked = system.post_proven("/oauth/token", &[("grant_type", "client_credentials")]);
        let said = Said::of(asked.header("dpop", proof).send().await.unwrap()).await;
        assert_eq!((said.status, &said.body["token_type"]), (200, &json!("DPoP")), "{said:?}");
        said.token()
    }
}
