//! Pages of lists: every row once, in both directions, while rows are being added; and what a page may be asked for.

use chrono::TimeDelta;
use entity::kinds::Category;
use onestop::access::counting;
use onestop::page::Page;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, DPF, HOSPITAL, OFFICE, OTHER_SHOP, Resident, SHOP};
use crate::harness::partner::new_key;
use crate::harness::referring::request;
use crate::harness::{Bill, District, Partner};

/// A list with a way to make it longer by one.
struct Shelf {
    district: District,
    list: &'static str,
    viewer: Partner,
    maker: Partner,
    person: Resident,
    card: String,
}

impl Shelf {
    async fn of(list: &'static str) -> Self {
        let district = District::with_medical_assistance().await;
        let code = match list {
            "settlements" => HOSPITAL,
            "redemptions" => SHOP,
            "referrals" => DPF,
            _ => BUREAU,
        };
        let maker = if list == "referrals" { OFFICE } else { code };
        Self {
            viewer: district.partner(code).await,
            maker: district.partner(maker).await,
            person: district.person("李小明", &[Category::Dibao]).await,
            card: district.card("9000.00").await,
            district,
            list,
        }
    }

    /// One row more, the newest.
    async fn add(&self) {
        self.district.wait(TimeDelta::seconds(1));
        match self.list {
            "settlements" => {
                let patient = self.district.person("李小明", &[Category::Dibao]).await;
                let bill = Bill::of(&patient.national_id, &patient.name).all_in_scope("1.00");
                let input = json!({ "key": new_key(), "bill": bill.0 });
                self.maker.act("settle", input, "settlement { id }").await.done("settle");
            }
            "redemptions" => {
                let input = json!({ "key": new_key(), "cardNumber": self.card, "amount": "1.00", "receiptNumber": new_key() });
                self.maker.act("redeemAidCard", input, "redemption { id }").await.done("redeemAidCard");
            }
            "referrals" => {
                self.maker.refer(request(DPF, &self.person)).await;
            }
            _ => {
                let row = entity::partner::Model {
                    id: crate::harness::district::new_id(),
                    code: new_key(),
                    kind: entity::kinds::PartnerKind::SubdistrictOffice,
                    name: "another office".into(),
                    area: "410102001".into(),
                    created_at: self.district.now(),
                    suspended_at: None,
                };
                self.district.lay::<entity::partner::Entity>(vec![row]).await;
            }
        }
    }

    async fn page(&self, arguments: Value) -> Value {
        let query = format!(
            "query($first: Int, $after: String, $last: Int, $before: String) {{ {}(first: $first, after: $after, last: $last, before: $before) \
             {{ edges {{ cursor node {{ id }} }} nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}",
            self.list
        );
        let page = self.viewer.ask(&query, arguments).await.fine().at(self.list).clone();
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(page["nodes"].as_array().unwrap().len(), edges.len());
        assert!(
            edges.iter().zip(page["nodes"].as_array().unwrap()).all(|(edge, node)| edge["node"] == *node)
        );
        let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
        assert_eq!(page["pageInfo"]["startCursor"], cursor(edges.first()));
        assert_eq!(page["pageInfo"]["endCursor"], cursor(edges.last()));
        page
    }

    async fn all(&self) -> Vec<String> {
        ids(&self.page(json!({ "first": 100 })).await)
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

const LISTS: [&str; 4] = ["settlements", "redemptions", "referrals", "partners"];

#[tokio::test]
async fn forward_and_backward_give_the_same_list_while_rows_are_added() {
    for list in LISTS {
        let shelf = Shelf::of(list).await;
        for _ in 0..7 {
            shelf.add().await;
        }
        let before = shelf.all().await;
        assert!(before.len() >= 7, "{list}");
        let mut sorted = before.clone();
        sorted.sort_by(|one, other| other.cmp(one));
        assert_eq!(before, sorted, "{list} is newest first");

        let (mut walked, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = shelf.page(json!({ "first": 3, "after": after })).await;
            assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()), "{list}");
            walked.extend(ids(&page));
            shelf.add().await;
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            assert_eq!(ids(&page).len(), 3, "{list}");
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(walked, before, "{list}: rows added at the head do not disturb the walk");

        let now = shelf.all().await;
        assert_eq!(now[now.len() - before.len()..], before, "{list}");
        let (mut walked, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let page = shelf.page(json!({ "last": 3, "before": cursor })).await;
            assert_eq!(page["pageInfo"]["hasNextPage"], json!(!cursor.is_null()), "{list}");
            walked = [ids(&page), walked].concat();
            if page["pageInfo"]["hasPreviousPage"] == json!(false) {
                break;
            }
            assert_eq!(ids(&page).len(), 3, "{list}");
            cursor = page["pageInfo"]["startCursor"].clone();
        }
        assert_eq!(walked, now, "{list} backward");

        let page = shelf.page(json!({ "first": 100 })).await;
        let cursors: Vec<&Value> =
            page["edges"].as_array().unwrap().iter().map(|edge| &edge["cursor"]).collect();
        let between = shelf.page(json!({ "first": 100, "after": cursors[0], "before": cursors[3] })).await;
        assert_eq!(ids(&between), now[1..3], "{list}: between two cursors");
        let nothing = shelf.page(json!({ "first": 100, "after": cursors[3], "before": cursors[0] })).await;
        assert_eq!(ids(&nothing), [""; 0], "{list}");
    }
}

#[tokio::test]
async fn a_page_holds_20_unless_told_and_100_at_most() {
    let shelf = Shelf::of("redemptions").await;
    for _ in 0..21 {
        shelf.add().await;
    }
    let all = shelf.all().await;
    assert_eq!(all.len(), 21);
    let page = shelf.page(json!({})).await;
    assert_eq!(ids(&page), all[..20]);
    assert_eq!(page["pageInfo"]["hasNextPage"], json!(true));
    assert_eq!(ids(&shelf.page(json!({ "first": 1 })).await), all[..1]);
    assert_eq!(ids(&shelf.page(json!({ "last": 1 })).await), all[20..]);
    let exact = shelf.page(json!({ "first": 21 })).await;
    assert_eq!(exact["pageInfo"]["hasNextPage"], json!(false));
    let exact = shelf.page(json!({ "last": 21 })).await;
    assert_eq!((&exact["pageInfo"]["hasPreviousPage"], ids(&exact)), (&json!(false), all));
}

#[tokio::test]
async fn empty_lists_are_empty_pages() {
    for list in ["settlements", "redemptions", "referrals"] {
        let shelf = Shelf::of(list).await;
        for arguments in [json!({}), json!({ "first": 1 }), json!({ "last": 100 })] {
            let page = shelf.page(arguments).await;
            let info = json!({ "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
            assert_eq!(page, json!({ "edges": [], "nodes": [], "pageInfo": info }), "{list}");
        }
        let counted = shelf.viewer.ask(&format!("{{ {list} {{ totalCount }} }}"), json!({})).await.fine();
        assert_eq!(counted.at(list), &json!({ "totalCount": 0 }));
    }
}

#[tokio::test]
async fn sizes_outside_1_to_100_are_refused_by_name() {
    let district = District::new().await;
    for (list, code) in
        [("settlements", HOSPITAL), ("redemptions", SHOP), ("referrals", DPF), ("partners", DPF)]
    {
        let partner = district.partner(code).await;
        for (arguments, named) in [
            ("first: 0", "first"),
            ("first: -1", "first"),
            ("first: 101", "first"),
            ("first: 2147483647", "first"),
            ("last: 0", "last"),
            ("last: -1", "last"),
            ("last: 101", "last"),
            ("first: 1, last: 1", "last"),
            ("after: \"x\"", "after"),
            ("after: \"\"", "after"),
            ("before: \"cursor_\"", "before"),
            ("before: \"settlement_01h455vb4pex5vsknk084sn02q\"", "before"),
            ("first: 1, after: \"cursor_zzzzzzzzzzzzzzzzzzzzzzzzzz\"", "after"),
        ] {
            let reply =
                partner.ask(&format!("{{ {list}({arguments}) {{ nodes {{ id }} }} }}"), json!({})).await;
            assert_eq!(reply.error(), "BAD_USER_INPUT", "{list}({arguments}): {}", reply.body);
            let error = &reply.body["errors"][0];
            assert!(
                error["message"].as_str().unwrap().starts_with(&format!("`{named}` must ")),
                "{}",
                reply.body
            );
            assert_eq!(error["extensions"]["path"], json!([named]), "{list}({arguments})");
            assert!(reply.at(list).is_null());
        }
        let reply =
            partner.ask(&format!("{{ {list}(first: 2147483648) {{ nodes {{ id }} }} }}"), json!({})).await;
        assert_eq!(reply.error(), "BAD_USER_INPUT", "{}", reply.body);
        assert_eq!(reply.body["errors"][0]["extensions"]["path"], json!(["first"]));
    }
    let federation = district.partner(DPF).await;
    let office = district.partner(OFFICE).await;
    let person = district.person("王小红", &[]).await;
    office.refer(request(DPF, &person)).await;
    for arguments in ["first: 0", "first: 101", "after: \"x\""] {
        let query = format!("{{ referrals {{ nodes {{ events({arguments}) {{ nodes {{ at }} }} }} }} }}");
        assert_eq!(federation.ask(&query, json!({})).await.error(), "BAD_USER_INPUT", "{arguments}");
    }
}

/// A cursor is a place, not a right: another's place in one's own list shows one's own rows.
#[tokio::test]
async fn anothers_cursor_shows_nothing_of_theirs() {
    let shelf = Shelf::of("redemptions").await;
    for _ in 0..3 {
        shelf.add().await;
    }
    let theirs = shelf.page(json!({ "first": 1 })).await["pageInfo"]["endCursor"].clone();
    let other = shelf.district.partner(OTHER_SHOP).await;
    let query = "query($c: String) { after: redemptions(after: $c) { nodes { id } } before: redemptions(before: $c) { nodes { id } } }";
    let reply = other.ask(query, json!({ "c": theirs })).await.fine();
    assert_eq!(reply.body["data"], json!({ "after": { "nodes": [] }, "before": { "nodes": [] } }));
}

#[tokio::test]
async fn the_total_counts_the_slice_and_the_filter() {
    let shelf = Shelf::of("redemptions").await;
    for _ in 0..3 {
        shelf.add().await;
    }
    let other = shelf.district.partner(OTHER_SHOP).await;
    let input =
        json!({ "key": new_key(), "cardNumber": shelf.card, "amount": "1.00", "receiptNumber": "X-1" });
    other.act("redeemAidCard", input, "redemption { id }").await.done("redeemAidCard");
    let total = async |partner: &Partner, arguments: &str| {
        let query = format!("{{ redemptions{arguments} {{ totalCount nodes {{ id }} }} }}");
        partner.ask(&query, json!({})).await.fine().at("redemptions.totalCount").clone()
    };
    assert_eq!(total(&shelf.viewer, "").await, json!(3));
    assert_eq!(total(&shelf.viewer, "(first: 1)").await, json!(3), "the whole list, not the page");
    assert_eq!(total(&shelf.viewer, "(filter: { receiptNumber: \"X-1\" })").await, json!(0));
    assert_eq!(total(&other, "(filter: { receiptNumber: \"X-1\" })").await, json!(1));
    let bureau = shelf.district.partner(BUREAU).await;
    assert_eq!(total(&bureau, "").await, json!(4));
}

#[tokio::test]
async fn the_total_costs_its_statement_only_when_asked_for() {
    let shelf = Shelf::of("referrals").await;
    for _ in 0..3 {
        shelf.add().await;
    }
    let slice = shelf.district.slice(DPF).await;
    for (counts, statements, total) in [(false, 1, None), (true, 2, Some(3))] {
        let page = Page::new(Some(2), None, None, None, counts).unwrap();
        let (paged, sent) = counting(slice.referrals(sea_orm::Condition::all(), &page)).await;
        let paged = paged.unwrap();
        assert_eq!((sent, paged.total, paged.rows.len()), (statements, total, 2));
    }
    let gateway = onestop::schema::Gateway::default();
    let (mut with, mut without) = (0, 0);
    for (query, sent) in [
        ("{ referrals { nodes { id } } }", &mut without),
        ("{ referrals { nodes { id } totalCount } }", &mut with),
    ] {
        let asked = onestop::schema::Asked {
            query: query.into(),
            operation_name: None,
            variables: serde_json::Map::new(),
            read_only: false,
        };
        let language = onestop::language::Language::English;
        let (ran, statements) = counting(gateway.execute(slice.clone(), language, asked)).await;
        assert!(ran.is_ok());
        *sent = statements;
    }
    assert_eq!((without, with), (1, 2));
}

/// A filter that is not understood is an error; what it would have narrowed is never given whole.
#[tokio::test]
async fn unknown_values_in_filters_are_errors() {
    let district = District::new().await;
    for (code, list, filter, error) in [
        (DPF, "referrals", json!({ "status": ["OPEN"] }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "referrals", json!({ "status": "requested" }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "referrals", json!({ "status": [null] }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "referrals", json!({ "state": ["REQUESTED"] }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "referrals", json!({ "direction": "BOTH" }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "referrals", json!({ "dueBefore": "tomorrow" }), "BAD_USER_INPUT"),
        (DPF, "referrals", json!({ "updatedFrom": "2016-06-15" }), "BAD_USER_INPUT"),
        (DPF, "referrals", json!({ "externalReference": 7 }), "GRAPHQL_VALIDATION_FAILED"),
        (HOSPITAL, "settlements", json!({ "status": ["PAID"] }), "GRAPHQL_VALIDATION_FAILED"),
        (HOSPITAL, "settlements", json!({ "dischargedFrom": "2016-02-30" }), "BAD_USER_INPUT"),
        (SHOP, "redemptions", json!({ "status": ["REDEEMED", "LOST"] }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "partners", json!({ "kind": ["BANK"] }), "GRAPHQL_VALIDATION_FAILED"),
        (DPF, "partners", json!({ "area": "%" }), "BAD_USER_INPUT"),
        (DPF, "partners", json!({ "area": "" }), "BAD_USER_INPUT"),
        (DPF, "partners", json!({ "area": "41010" }), "BAD_USER_INPUT"),
    ] {
        let kind = match list {
            "referrals" => "ReferralFilter",
            "settlements" => "SettlementFilter",
            "redemptions" => "RedemptionFilter",
            _ => "PartnerFilter",
        };
        let query = format!("query($f: {kind}) {{ {list}(filter: $f) {{ nodes {{ id }} }} }}");
        let reply = district.partner(code).await.ask(&query, json!({ "f": filter })).await;
        assert_eq!(reply.error(), error, "{list} {filter}: {}", reply.body);
        assert!(reply.at(list).is_null(), "{list} {filter}");
    }
}

#[tokio::test]
async fn partners_are_narrowed_by_kind_and_territory() {
    let district = District::new().await;
    let office = district.partner(OFFICE).await;
    let found = async |filter: Value| {
        let query = "query($f: PartnerFilter) { partners(filter: $f, last: 100) { nodes { code } } }";
        let reply = office.ask(query, json!({ "f": filter })).await.fine();
        let mut codes: Vec<String> = reply
            .at("partners.nodes")
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["code"].as_str().unwrap().to_owned())
            .collect();
        codes.sort();
        codes
    };
    assert_eq!(found(json!({ "kind": ["HOSPITAL"] })).await, ["H41999900001", "H41999900002"]);
    assert_eq!(
        found(json!({ "kind": ["CHARITY_SUPERMARKET"] })).await,
        [""; 0],
        "an office deals with no shop"
    );
    assert_eq!(found(json!({ "kind": [] })).await, [""; 0]);
    assert_eq!(found(json!({ "area": "410102008" })).await, ["SD-RUHELU"]);
    assert_eq!(
        found(json!({ "area": "410102", "kind": ["SUBDISTRICT_OFFICE"] })).await,
        ["SD-LIUHU", "SD-RUHELU"]
    );
    assert_eq!(found(json!({ "area": "41" })).await.len(), 8);
    assert_eq!(found(json!({ "area": "410103" })).await, [""; 0]);
}
