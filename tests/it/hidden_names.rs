//! What is not in the schema of a kind of partner answers in the words for a name that does not exist, wherever a name can stand.
//!
//! The names are read from the printed schemas: every field, argument, member, word and type of the whole that a kind does not
//! have under any of its own types. Each is put into every form below and compared with nonsense of the same shape.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::types::{FieldDefinition, TypeDefinition, TypeKind};
use onestop::schema::{sdl, sdl_of};
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CARE, CF, DPF, HOSPITAL, OFFICE, PARTNERS, SHOP};
use crate::harness::follower::EVENTS;
use crate::harness::sdl::types_of;
use crate::harness::{District, Partner, Within};

/// One partner of every kind.
const ONE_OF_EACH: [&str; 7] = [BUREAU, OFFICE, HOSPITAL, DPF, CF, SHOP, CARE];

/// Where a name stands in a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Sort {
    Type,
    Field,
    /// Of a field, or a member of an input object.
    Argument,
    /// Of an enum.
    Word,
}

const SORTS: [Sort; 4] = [Sort::Type, Sort::Field, Sort::Argument, Sort::Word];

impl Sort {
    /// Documents with `NAME`, and the variables that go with them.
    fn forms(self) -> Vec<(String, Value)> {
        let plain =
            |documents: &[&str]| documents.iter().map(|text| ((*text).to_owned(), json!({}))).collect();
        let mut forms: Vec<(String, Value)> = match self {
            Self::Type => plain(&[
                r#"{ __type(name: "NAME") { name kind description } }"#,
                r#"{ node(id: "x") { ... on NAME { __typename } } }"#,
                r#"{ node(id: "x") { ...F } } fragment F on NAME { __typename }"#,
                "{ ... on NAME { __typename } }",
                "{ viewer { partner { ... on NAME { __typename } } } }",
                "query($x: NAME) { viewer { partner { code } } }",
                "query($x: [NAME!]) { viewer { partner { code } } }",
                "query($x: NAME = { id: 1 }) { viewer { partner { code } } }",
                "query($x: NAME = ACTIVE) { viewer { partner { code } } }",
            ]),
            Self::Field => plain(&[
                "{ NAME }",
                "{ NAME { id } }",
                "{ other: NAME(first: 100000) { nodes { id } } }",
                r#"{ NAME(by: { id: "x" }) { __typename } }"#,
                "{ NAME @skip(if: true) }",
                "{ ...F } fragment F on Query { NAME { id } }",
                "{ ... on Query { NAME } }",
                "{ viewer { NAME } }",
                r#"mutation { NAME(input: { key: "k" }) { replayed userErrors { code } } }"#,
                "mutation { ...F } fragment F on Mutation { NAME { replayed } }",
                r#"{ node(id: "x") { ... on Partner { NAME } } }"#,
            ]),
            Self::Argument => plain(&[
                r#"{ node(id: "x", NAME: "x") { id } }"#,
                r#"{ partner(by: { NAME: "x" }) { id } }"#,
                r#"mutation { voidOperation(input: { NAME: "x" }) { replayed } }"#,
            ]),
            Self::Word => plain(&[
                "{ partners(filter: { kind: [NAME] }) { totalCount } }",
                "query($x: Scope = NAME) { viewer { scopes } }",
                "query($x: UserErrorCode = NAME) { viewer { scopes } }",
            ]),
        };
        match self {
            Self::Type => {
                let with = |text: &str, x: Value| (text.to_owned(), json!({ "x": x }));
                forms.extend([
                    with("query($x: NAME) { viewer { partner { code } } }", json!({ "key": "k" })),
                    with("query($x: NAME!) { node(id: $x) { id } }", json!("x")),
                    with("query($x: NAME!) { node(id: $x) { id } }", Value::Null),
                    with(
                        "mutation($x: NAME!) { voidOperation(input: $x) { replayed } }",
                        json!({ "key": 1 }),
                    ),
                ]);
            }
            // So much that a list of twenty within a list of twenty would be refused for its size.
            Self::Field => {
                let leaves = (0..120).map(|number| format!(" a{number}")).collect::<String>();
                forms.push((format!("{{ NAME {{ NAME {{{leaves} }} }} }}"), json!({})));
                forms.push((
                    format!("{{ viewer {{ NAME {{ NAME {{ NAME {{{leaves} }} }} }} }} }}"),
                    json!({}),
                ));
            }
            Self::Argument => {}
            Self::Word => {
                let variable = "query($x: [PartnerKind!]) { partners(filter: { kind: $x }) { totalCount } }";
                forms.push((variable.to_owned(), json!({ "x": ["NAME"] })));
                for ty in ["Scope", "UserErrorCode"] {
                    let text = format!("query($x: {ty}) {{ viewer {{ scopes }} }}");
                    forms.push((text, json!({ "x": "NAME" })));
                }
            }
        }
        forms
    }
}

type Names = BTreeMap<Sort, BTreeSet<String>>;

fn of_fields<'a>(found: &mut Names, fields: impl Iterator<Item = &'a FieldDefinition>) {
    for field in fields {
        found.entry(Sort::Field).or_default().insert(field.name.node.to_string());
        for argument in &field.arguments {
            found.entry(Sort::Argument).or_default().insert(argument.node.name.node.to_string());
        }
    }
}

fn names(sdl: &str) -> Names {
    let mut found = Names::new();
    for TypeDefinition { name, kind, .. } in types_of(sdl) {
        found.entry(Sort::Type).or_default().insert(name.node.to_string());
        match kind {
            TypeKind::Object(object) => of_fields(&mut found, object.fields.iter().map(|field| &field.node)),
            TypeKind::Interface(face) => of_fields(&mut found, face.fields.iter().map(|field| &field.node)),
            TypeKind::InputObject(input) => {
                let members = input.fields.iter().map(|member| member.node.name.node.to_string());
                found.entry(Sort::Argument).or_default().extend(members);
            }
            TypeKind::Enum(words) => {
                let words = words.values.iter().map(|word| word.node.value.node.to_string());
                found.entry(Sort::Word).or_default().extend(words);
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    found
}

/// What the whole schema has and this partner's kind has not.
fn hidden_from(code: &str) -> Names {
    let (_, kind, _) = PARTNERS.iter().find(|(known, _, _)| *known == code).unwrap();
    let own = names(&sdl_of(*kind));
    let mut all = names(&sdl());
    for (sort, found) in &mut all {
        found.retain(|name| !own[sort].contains(name));
    }
    all
}

/// Letters for letters.
fn nonsense(name: &str) -> String {
    let letter = |letter: char| match letter {
        'a'..='z' => 'z',
        'A'..='Z' => 'Z',
        other => other,
    };
    name.chars().map(letter).collect()
}

/// An answer without the name that was asked about, and without the nonsense.
fn nameless(text: &str, name: &str) -> String {
    let mut written = String::new();
    let mut word = String::new();
    let names = [name.to_owned(), nonsense(name)];
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        let known = names.contains(&word);
        written.push_str(if known { "NAME" } else { &word });
        written.push(letter);
        word.clear();
    }
    written
}

fn put(form: &(String, Value), name: &str) -> (String, Value) {
    let variables = form.1.to_string().replace("NAME", name);
    (form.0.replace("NAME", name), serde_json::from_str(&variables).unwrap())
}

/// The answer about a name, and the one about nonsense.
async fn answers(partner: &Within, form: &(String, Value), name: &str) -> (String, String) {
    let of = async |put_in: &str| {
        let (query, variables) = put(form, put_in);
        nameless(&partner.ask(&query, variables).await.body.to_string(), name)
    };
    (of(name).await, of(&nonsense(name)).await)
}

#[tokio::test]
async fn a_hidden_name_is_answered_like_nonsense_wherever_it_stands() {
    let district = District::new().await;
    let (mut asked, mut told) = (0, Vec::new());
    for code in ONE_OF_EACH {
        let partner = Within::of(&district, code).await;
        let hidden = hidden_from(code);
        for sort in SORTS {
            for (form, name) in
                sort.forms().iter().flat_map(|form| hidden[&sort].iter().map(move |name| (form, name)))
            {
                let (found, expected) = answers(&partner, form, name).await;
                if found != expected {
                    told.push(format!(
                        "{code} {name} in {}\n  {found}\n  {expected}",
                        &form.0[..form.0.len().min(90)]
                    ));
                }
                let lower = found.to_lowercase();
                assert!(
                    !lower.contains("did you mean") && !lower.contains("suggest"),
                    "{code} {name}: {found}"
                );
                asked += 1;
            }
        }
    }
    assert!(told.is_empty(), "{} of {asked} tell of a hidden name\n{}", told.len(), told.join("\n"));
    assert!(asked > 10_000, "{asked}");
}

/// Status, headers but for the time, and body but for what is left in the bucket.
async fn sent(request: reqwest::RequestBuilder, name: &str) -> String {
    let response = request.send().await.unwrap();
    let status = response.status();
    let mut headers: Vec<String> =
        response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.retain(|header| !header.starts_with("date:"));
    headers.sort();
    let body = response.text().await.unwrap();
    let body = match body.split_once("\"left\":") {
        Some((before, after)) => {
            format!("{before}{}", after.trim_start_matches(|sign: char| sign.is_ascii_digit()))
        }
        None => body,
    };
    nameless(&format!("{status} {headers:?} {body}"), name)
}

fn get(partner: &Partner, url: &str, query: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new()
        .get(format!("{url}/graphql"))
        .query(&[("query", query)])
        .bearer_auth(&partner.token)
        .header("accept", "application/graphql-response+json")
}

#[tokio::test]
async fn so_it_is_by_get_and_in_a_stream() {
    let district = District::new().await;
    let own: Vec<Names> = ONE_OF_EACH.iter().map(|code| hidden_from(code)).collect();
    for (code, hidden) in ONE_OF_EACH.iter().zip(own) {
        let partner = district.partner(code).await;
        let fields =
            hidden[&Sort::Field].iter().map(|name| (name, "{ NAME { id } }", "subscription { NAME { id } }"));
        let of_type = "query($x: NAME) { viewer { partner { code } } }";
        let types = hidden[&Sort::Type]
            .iter()
            .map(|name| (name, of_type, "subscription($x: NAME) { events { kind } }"));
        for (name, query, subscription) in fields.chain(types) {
            let of = |text: &str, name: &str| text.replace("NAME", name);
            let there = sent(get(&partner, &district.url, &of(query, name)), name).await;
            let nowhere = sent(get(&partner, &district.url, &of(query, &nonsense(name))), name).await;
            assert_eq!(there, nowhere, "{code}: GET {query} {name}");
            for text in [query, subscription] {
                let stream = |name: &str| partner.post(EVENTS, &of(text, name), json!({}));
                let there = sent(stream(name), name).await;
                let nowhere = sent(stream(&nonsense(name)), name).await;
                assert_eq!(there, nowhere, "{code}: a stream of {text} {name}");
            }
        }
    }
}
