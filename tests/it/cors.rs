//! Web pages ask where their exact origin is set, and nowhere else.

use onestop::http::{App, Settings};
use reqwest::{Client, Method, Response};
use serde_json::json;

use crate::harness::District;
use crate::harness::district::SHOP;

const PAGE: &str = "https://desk.example.cn";

async fn preflight(url: &str, path: &str, origin: &str) -> Response {
    Client::new()
        .request(Method::OPTIONS, format!("{url}{path}"))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,dpop")
        .send()
        .await
        .unwrap()
}

fn said(response: &Response) -> Vec<String> {
    let names = response.headers().keys().map(ToString::to_string);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn without_origins_nothing_is_said_to_pages() {
    let district = District::new().await;
    for path in ["/graphql", "/oauth/token"] {
        let refused = preflight(&district.url, path, PAGE).await;
        assert_eq!((refused.status().as_u16(), said(&refused)), (405, vec![]), "{path}");
    }
}

#[tokio::test]
async fn a_page_whose_origin_is_set_may_ask() {
    let district = District::new().await;
    let origins = vec![PAGE.parse().unwrap()];
    let app = App::new(district.gate.clone()).set(Settings { origins, ..Settings::default() });
    let url = district.serve_beside(app).await;
    for path in ["/graphql", "/oauth/token"] {
        let allowed = preflight(&url, path, PAGE).await;
        assert!(allowed.status().is_success(), "{path}");
        assert_eq!(header(&allowed, "access-control-allow-origin"), PAGE);
        assert_eq!(header(&allowed, "access-control-allow-methods"), "POST");
        assert_eq!(header(&allowed, "access-control-allow-headers"), "authorization,content-type,dpop");
        assert_eq!(header(&allowed, "access-control-allow-credentials"), "");
        for stranger in
            ["https://evil.example.cn", "null", "http://desk.example.cn", "https://desk.example.cn.evil.cn"]
        {
            let refused = preflight(&url, path, stranger).await;
            assert_eq!(header(&refused, "access-control-allow-origin"), "", "{path} {stranger}");
        }
    }
    for path in ["/oauth/revoke", "/oauth/introspect", "/reconcile"] {
        let closed = preflight(&url, path, PAGE).await;
        assert_eq!(said(&closed), Vec::<String>::new(), "{path}");
    }
    let shop = district.partner(SHOP).await.at(&url);
    let asked = shop.post("application/json", "{ viewer { partner { code } } }", json!({}));
    let answer = asked.header("origin", PAGE).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "access-control-allow-origin"), PAGE);
    assert_eq!(header(&answer, "access-control-expose-headers"), "retry-after,dpop-nonce,www-authenticate");
    assert!(header(&answer, "vary").contains("origin"));
    let asked = Client::new().post(format!("{url}/graphql")).header("origin", PAGE).body("{}");
    let unauthenticated = asked.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(unauthenticated.status(), 401);
    assert_eq!(header(&unauthenticated, "access-control-allow-origin"), PAGE, "pages read refusals, too");
}
