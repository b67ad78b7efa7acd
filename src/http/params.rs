//! What stands in the query part of an address.

use axum::extract::Query;
use axum::http::Uri;

use super::refusal::Refusal;

/// The parameters that nobody has taken yet.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// # Errors
    /// [`Refusal::BadRequest`] when they cannot be read.
    pub fn of(uri: &Uri) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        let Query(pairs) = pairs.map_err(|_rejection| {
            Refusal::BadRequest("The query part of the address cannot be read.".into())
        })?;
        Ok(Self(pairs))
    }

    /// The one of this name.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`] when it is given more than once.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Refusal::BadRequest(format!("`{name}` is given more than once.").into())),
        }
    }

    /// Refuses what is left: something misspelt must not count as left out.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`] that names what is known.
    pub fn end(self, known: &str) -> Result<(), Refusal> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(Refusal::BadRequest(format!("The address takes {known} and nothing else.").into())),
        }
    }
}
