//! Which media type a request brings, and which one it wants back.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::refusal::Refusal;

/// The two forms of a GraphQL answer. They differ in what the status says about a request error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: a request error is a 400.
    GraphqlResponse,
    /// `application/json`: a well-formed GraphQL answer is a 200, whatever it says.
    Json,
}

impl MediaType {
    fn subtype(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "graphql-response+json",
            Self::Json => "json",
        }
    }

    /// The `content-type` of an answer in this form.
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// Chooses the form of the answer from all `accept` headers; without any, `application/json`. The range that
/// names a type most closely says how much it is wanted. Wanted alike, the type that was named wins over one
/// that a wildcard allows, then `application/graphql-response+json` when both were named, else
/// `application/json`.
///
/// # Errors
/// [`Refusal::NotAcceptable`] when neither form is wanted.
pub fn negotiate(headers: &HeaderMap) -> Result<MediaType, Refusal> {
    let mut ranges = Vec::new();
    let mut stated = false;
    for value in headers.get_all(header::ACCEPT) {
        // A value that is not text states a wish that nothing here fulfils.
        stated |= value.to_str().map_or(true, |text| !text.trim().is_empty());
        ranges.extend(value.to_str().unwrap_or_default().split(',').filter_map(Range::parse));
    }
    if !stated {
        return Ok(MediaType::Json);
    }
    match (wanted(&ranges, MediaType::GraphqlResponse), wanted(&ranges, MediaType::Json)) {
        (None, None) => Err(Refusal::NotAcceptable),
        (Some(_), None) => Ok(MediaType::GraphqlResponse),
        (None, Some(_)) => Ok(MediaType::Json),
        (Some(graphql), Some(json)) if graphql > json => Ok(MediaType::GraphqlResponse),
        (Some(graphql), Some(json)) if graphql == json && graphql.closeness == Closeness::Named => {
            Ok(MediaType::GraphqlResponse)
        }
        (Some(_), Some(_)) => Ok(MediaType::Json),
    }
}

/// Whether the client takes a stream of events: it names `text/event-stream`.
#[must_use]
pub fn takes_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(Range::parse).any(|range| {
        range.kind.eq_ignore_ascii_case("text")
            && range.subtype.eq_ignore_ascii_case("event-stream")
            && range.thousandths > 0
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Anything,
    AnyApplication,
    Named,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    thousandths: u16,
    closeness: Closeness,
}

fn wanted(ranges: &[Range<'_>], media: MediaType) -> Option<Wish> {
    let wishes = ranges.iter().filter_map(|range| {
        Some(Wish { thousandths: range.thousandths, closeness: range.closeness_to(media)? })
    });
    wishes.max_by_key(|wish| (wish.closeness, wish.thousandths)).filter(|wish| wish.thousandths > 0)
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    thousandths: u16,
}

impl<'a> Range<'a> {
    /// None for what is malformed, or asks for another charset than UTF-8: it matches nothing.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let mut thousandths = 1_000;
        for (name, value) in parts.filter_map(parameter) {
            if name.eq_ignore_ascii_case("q") {
                thousandths = quality(value)?;
            } else if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
                return None;
            }
        }
        Some(Self { kind, subtype, thousandths })
    }

    fn closeness_to(&self, media: MediaType) -> Option<Closeness> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(Closeness::Anything),
            (kind, _) if !kind.eq_ignore_ascii_case("application") => None,
            (_, "*") => Some(Closeness::AnyApplication),
            (_, subtype) if subtype.eq_ignore_ascii_case(media.subtype()) => Some(Closeness::Named),
            _ => None,
        }
    }
}

fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((name.trim(), value.trim().trim_matches('"')))
}

/// `0`, `0.5`, `1.000`, in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1")
        || fraction.len() > 3
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let thousandths = format!("{whole}{fraction:0<3}").parse().ok()?;
    (thousandths <= 1_000).then_some(thousandths)
}

/// Checks that a POST says that its body is JSON in UTF-8, plainly. Anything a web form could send without
/// asking first is refused here.
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`].
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    check_body_is("application/json", "Send the request with `content-type: application/json`.", headers)
}

/// Checks that a body is of a type, in UTF-8, plainly.
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`], which says what to do.
pub fn check_body_is(wanted: &str, what_to_do: &'static str, headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = || Refusal::UnsupportedMediaType(what_to_do);
    let mut parts = single(headers, &header::CONTENT_TYPE).ok_or_else(refused)?.split(';');
    if !parts.next().is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted)) {
        return Err(refused());
    }
    for (name, value) in parts.filter_map(parameter) {
        if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(Refusal::UnsupportedMediaType("The only charset taken is utf-8."));
        }
    }
    if headers.contains_key(header::CONTENT_ENCODING)
        && !single(headers, &header::CONTENT_ENCODING)
            .is_some_and(|coding| coding.eq_ignore_ascii_case("identity"))
    {
        return Err(Refusal::UnsupportedMediaType("Send the body without a content encoding."));
    }
    Ok(())
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> Result<MediaType, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers
                .append(header::ACCEPT, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        }
        negotiate(&headers)
    }

    #[test]
    fn what_is_named_is_served() {
        assert_eq!(accept(&["application/graphql-response+json"]), Ok(MediaType::GraphqlResponse));
        assert_eq!(accept(&["application/json"]), Ok(MediaType::Json));
        assert_eq!(accept(&["Application/JSON; charset=UTF-8"]), Ok(MediaType::Json));
        assert_eq!(
            accept(&["application/graphql-response+json;charset=\"utf-8\""]),
            Ok(MediaType::GraphqlResponse)
        );
    }

    #[test]
    fn without_a_wish_it_is_json() {
        for values in [&[][..], &[""], &["*/*"], &["application/*"], &["text/html, */*;q=0.8"]] {
            assert_eq!(accept(values), Ok(MediaType::Json), "{values:?}");
        }
    }

    #[test]
    fn the_greater_wish_wins() {
        for (value, media) in [
            ("application/graphql-response+json, application/json;q=0.9", MediaType::GraphqlResponse),
            ("application/graphql-response+json;q=0.5, application/json;q=0.51", MediaType::Json),
            ("application/json;q=0.999, application/graphql-response+json", MediaType::GraphqlResponse),
            ("application/json, application/graphql-response+json", MediaType::GraphqlResponse),
            ("application/graphql-response+json, */*", MediaType::GraphqlResponse),
            ("application/json, */*", MediaType::Json),
            ("application/json;q=0, */*", MediaType::GraphqlResponse),
            ("application/graphql-response+json;q=0, application/*", MediaType::Json),
            ("application/json;q=0.1, */*;q=0.9", MediaType::GraphqlResponse),
            ("application/json ; profile=a ; q=0.2 , text/plain", MediaType::Json),
        ] {
            assert_eq!(accept(&[value]), Ok(media), "{value}");
        }
        assert_eq!(
            accept(&["application/json;q=0.2", "application/graphql-response+json;q=0.3"]),
            Ok(MediaType::GraphqlResponse)
        );
    }

    #[test]
    fn what_is_not_made_here_is_not_acceptable() {
        for value in [
            "text/html",
            "text/*",
            "application/xml",
            "application/json;q=0",
            "*/*;q=0.000",
            "application/json;q=2",
            "application/json;q=1.001",
            "application/json;q=.5",
            "application/json;q=-0",
            "application/json; charset=utf-16",
            "nonsense",
            ",",
            "\u{e9}",
        ] {
            assert_eq!(accept(&[value]), Err(Refusal::NotAcceptable), "{value}");
        }
    }

    #[test]
    fn a_stream_is_taken_by_who_names_it() {
        let takes =
            |value| takes_events(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]));
        for value in [
            "text/event-stream",
            "Text/Event-Stream;charset=utf-8",
            "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
            "text/event-stream;q=0.1, */*",
        ] {
            assert!(takes(value), "{value}");
        }
        for value in [
            "*/*",
            "text/*",
            "text/event-stream;q=0",
            "text/event-stream;charset=gbk",
            "application/json",
            "",
        ] {
            assert!(!takes(value), "{value}");
        }
        assert!(!takes_events(&HeaderMap::new()));
    }

    fn content(pairs: &[(HeaderName, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        check_content_type(&map).is_ok()
    }

    #[test]
    fn a_body_is_plain_json_in_utf_8() {
        let kind = header::CONTENT_TYPE;
        for value in
            ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;Charset=\"UTF-8\""]
        {
            assert!(content(&[(kind.clone(), value)]), "{value}");
        }
        for value in [
            "",
            "text/plain",
            "application/graphql",
            "application/jsonx",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/json; charset=iso-8859-1",
            "application/json, text/plain",
        ] {
            assert!(!content(&[(kind.clone(), value)]), "{value}");
        }
        assert!(!content(&[]));
        assert!(!content(&[(kind.clone(), "application/json"), (kind.clone(), "text/plain")]));
        assert!(content(&[(kind.clone(), "application/json"), (header::CONTENT_ENCODING, "identity")]));
        assert!(!content(&[(kind, "application/json"), (header::CONTENT_ENCODING, "gzip")]));
    }
}
