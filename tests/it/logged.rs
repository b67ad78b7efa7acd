//! What the log calls a request: by names that stand in its document, and by nothing else that a client says.

use onestop::language::Language;
use onestop::schema::{Asked, Gateway};
use serde_json::Map;

use crate::harness::District;
use crate::harness::district::SHOP;

#[tokio::test]
async fn the_log_is_told_no_name_that_the_document_has_not() {
    let district = District::new().await;
    let gateway = Gateway::default();
    let slice = district.slice(SHOP).await;
    let named = "query Scopes { viewer { scopes } } query Code { viewer { partner { code } } }";
    for (query, name, logged) in [
        (named, Some("Code"), Some("Code")),
        (named, Some("李小明 419999197001010014"), None),
        (named, None, None),
        ("query Scopes { viewer { scopes } }", Some("李小明 419999197001010014"), None),
        ("{ viewer { scopes } }", Some("李小明 419999197001010014"), None),
        ("{ viewer { scopes } partners { totalCount } }", None, Some("viewer partners")),
        ("query Scopes { viewer { scopes } }", None, Some("viewer")),
        ("{ ...F } fragment F on Query { viewer { scopes } }", None, None),
    ] {
        let asked = Asked {
            query: query.into(),
            operation_name: name.map(str::to_owned),
            variables: Map::new(),
            read_only: false,
        };
        let executed = gateway.execute(slice.clone(), Language::English, asked).await.unwrap();
        assert_eq!(executed.operation.as_deref(), logged, "{query} as {name:?}");
    }
}
