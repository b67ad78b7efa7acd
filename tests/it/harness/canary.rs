//! What must never be written down: identity numbers, phones, names of people, card numbers, secrets, tokens and keys. Every line
//! that any part of the program logs during any test is searched, at the finest level, and every refusal that a client is given.
//! A find fails the test on whose thread it was made, when its district ends; a find on a thread of no test fails the next.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once};
use std::thread::ThreadId;

use entity::CardNumber;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The people of all tests; no word of the program is one of these.
const PEOPLE: [&str; 10] = [
    "李小明",
    "王小红",
    "钱二",
    "赵一",
    "王建国",
    "欧阳小红",
    "欧阳小明",
    "张三",
    "买买提·吐尔逊",
    "Anna Li",
];
/// How the phones of all tests begin.
const PHONE: &str = "1390000";
/// What begins a token, a proof or a receipt, a client's secret, and a key.
const SECRETS: [(&str, &str); 5] = [
    ("eyJ", "a token"),
    ("onestop_secret_", "a client's secret"),
    ("-----BEGIN", "a key"),
    ("MC4CAQAwBQYDK2Vw", "a key"),
    ("Bearer ey", "a token"),
];

/// The fields that show somebody in the clear, to whom and for what is written down.
const UNMASKED: [&str; 2] = ["unmaskedPatient", "unmaskedPerson"];

struct Find {
    thread: ThreadId,
    /// It is a test's own.
    owned: bool,
    what: String,
}

static FINDS: Mutex<Vec<Find>> = Mutex::new(Vec::new());
static WATCH: Once = Once::new();

/// What a text holds that it must not.
pub fn find(text: &str) -> Option<String> {
    let named = |name: &&&str| text.contains(**name);
    if PEOPLE.iter().find(named).is_some() {
        return Some("a person's name".to_owned());
    }
    if let Some((_, what)) = SECRETS.iter().find(|(begin, _)| is_secret(text, begin)) {
        return Some((*what).to_owned());
    }
    let runs = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    for run in runs {
        let digits = run.trim_end_matches(['x', 'X']);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if run.len() == 18 && run.starts_with("419999") {
            return Some("an identity number".to_owned());
        }
        if run.len() == 11 && run.starts_with(PHONE) {
            return Some("a phone number".to_owned());
        }
        if CardNumber::parse(run).is_ok() {
            return Some("a card number".to_owned());
        }
    }
    None
}

/// Behind its beginning stand characters of a secret, not the end of a sentence about one.
fn is_secret(text: &str, begin: &str) -> bool {
    text.match_indices(begin).any(|(at, _)| {
        let rest = &text[at + begin.len()..];
        begin != "eyJ"
            || rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count() > 8
    })
}

/// Notes what a line holds that it must not; its fields, joined, are one line more.
fn check(place: &str, whole: &str, joined: &str) {
    if let Some(what) = find(whole).or_else(|| find(joined)) {
        report(format!("{what} in {place}: {}", whole.chars().take(400).collect::<String>()));
    }
}

fn report(what: String) {
    let thread = std::thread::current();
    let owned = thread.name().is_some_and(|name| name.contains("::"));
    eprintln!("{what}");
    FINDS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(Find {
        thread: thread.id(),
        owned,
        what,
    });
}

/// Searches everything that is logged from now on.
pub fn watch() {
    WATCH.call_once(|| {
        let watching = tracing_subscriber::registry().with(Watcher);
        tracing::subscriber::set_global_default(watching).expect("nobody else watches");
    });
}

/// What was found on this thread, and on those of no test.
pub fn found() -> Vec<String> {
    let mut finds = FINDS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let here = std::thread::current().id();
    let (own, others) = finds.drain(..).partition(|find| find.thread == here || !find.owned);
    *finds = others;
    drop(finds);
    let own: Vec<Find> = own;
    own.into_iter().map(|find| find.what).collect()
}

/// Fails when anything was found.
pub fn judge() {
    if std::thread::panicking() {
        return;
    }
    let found = found();
    assert!(found.is_empty(), "{} lines hold what they must not\n{}", found.len(), found.join("\n"));
}

/// Searches an answer: its errors and refusals, and of what it shows, numbers that nobody is shown.
pub fn search_answer(body: &Value) {
    search(body, false);
}

fn search(value: &Value, in_error: bool) {
    match value {
        Value::String(text) => {
            let what = find(text)
                .filter(|what| in_error || what.ends_with("identity number") || what == "a card number");
            if let Some(what) = what {
                report(format!("{what} in an answer"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| search(item, in_error)),
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| !UNMASKED.contains(&name.as_str())) {
                search(member, in_error || name == "errors" || name == "userErrors");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[derive(Default)]
struct Line {
    whole: String,
    joined: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.whole, " {}={value}", field.name());
        self.joined.push_str(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        let _ = write!(self.whole, " {}={text}", field.name());
        self.joined.push_str(&text);
    }
}

struct Watcher;

/// The harness' own client and its own looks at the database are no part of the program.
fn is_ours(target: &str) -> bool {
    ["onestop", "entity", "migration", "sqlx", "sea_orm", "hyper", "async_graphql", "axum", "tower"]
        .iter()
        .any(|of| target.starts_with(of))
}

impl<S: Subscriber> Layer<S> for Watcher {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let target = attributes.metadata().target();
        if is_ours(target) {
            let mut line = Line::default();
            attributes.record(&mut line);
            check(target, &line.whole, &line.joined);
        }
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        values.record(&mut line);
        check("a span", &line.whole, &line.joined);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if is_ours(target) {
            let mut line = Line::default();
            event.record(&mut line);
            check(target, &line.whole, &line.joined);
        }
    }
}
