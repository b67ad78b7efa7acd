//! What is told of the authorisation server (RFC 8414).

use entity::kinds::Scope;
use onestop::access::is_of_people;
use serde_json::{Value, json};

use crate::harness::District;

#[tokio::test]
async fn clients_are_told_where_everything_is() {
    let district = District::new().await;
    let url = &district.url;
    let response = reqwest::get(format!("{url}/.well-known/oauth-authorization-server")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let told: Value = response.json().await.unwrap();
    let methods = json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let algorithms = json!(["EdDSA", "ES256"]);
    for (member, value) in [
        ("issuer", json!(url)),
        ("token_endpoint", json!(format!("{url}/oauth/token"))),
        ("revocation_endpoint", json!(format!("{url}/oauth/revoke"))),
        ("introspection_endpoint", json!(format!("{url}/oauth/introspect"))),
        ("jwks_uri", json!(format!("{url}/.well-known/jwks.json"))),
        ("grant_types_supported", json!(["client_credentials"])),
        ("response_types_supported", json!([])),
        ("token_endpoint_auth_methods_supported", methods.clone()),
        ("revocation_endpoint_auth_methods_supported", methods.clone()),
        ("introspection_endpoint_auth_methods_supported", methods),
        ("token_endpoint_auth_signing_alg_values_supported", algorithms.clone()),
        ("revocation_endpoint_auth_signing_alg_values_supported", algorithms.clone()),
        ("introspection_endpoint_auth_signing_alg_values_supported", algorithms.clone()),
        ("dpop_signing_alg_values_supported", algorithms),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
    let scopes: Vec<&str> =
        Scope::ALL.iter().filter(|scope| !is_of_people(**scope)).map(|scope| scope.word()).collect();
    assert_eq!(told["scopes_supported"], json!(scopes));
    for member in ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"] {
        let answered = reqwest::get(told[member].as_str().unwrap()).await.unwrap().status();
        assert_eq!(answered, if member == "jwks_uri" { 200 } else { 405 }, "{member} is there");
    }
}
