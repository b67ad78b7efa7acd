//! Bodies, taken piece by piece within bounds.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;

use super::refusal::Refusal;

/// What a body may use up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Its length in bytes.
    pub bytes: usize,
    /// How long it may take to arrive.
    pub time: Duration,
}

/// Hands a body over piece by piece. One that is too long by its announced length is refused before any of it is read. Once a
/// piece is refused the rest is read and thrown away: a client that is answered while it still sends may never read the answer.
///
/// # Errors
/// [`Refusal::TooLarge`], [`Refusal::BadRequest`] when the body does not arrive whole and in time, or why a piece was refused.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    bounds: Bounds,
    mut take: impl FnMut(&[u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let announced: u64 = announced.unwrap_or_default();
    if announced > bounds.bytes as u64 {
        return Err(Refusal::TooLarge(bounds.bytes));
    }
    let mut taken = Ok(());
    let reading = async {
        let mut bytes = 0;
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece =
                piece.map_err(|_error| Refusal::BadRequest("The body did not arrive whole.".into()))?;
            bytes += piece.len();
            if bytes > bounds.bytes {
                return Err(Refusal::TooLarge(bounds.bytes));
            }
            if taken.is_ok() {
                taken = take(&piece);
            }
        }
        Ok(())
    };
    let read = tokio::time::timeout(bounds.time, reading).await;
    taken?;
    read.map_err(|_| Refusal::BadRequest("The body did not arrive in time.".into()))?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::http::HeaderValue;
    use futures_util::stream;

    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 10, time: Duration::from_millis(100) };

    fn pieces(of: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(of.to_vec()).map(Ok::<_, std::io::Error>))
    }

    async fn read_all(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        let take = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        read(headers, body, BOUNDS, take).await.map(|()| bytes)
    }

    #[tokio::test]
    async fn a_body_ends_at_the_limit() {
        let none = HeaderMap::new();
        assert_eq!(read_all(&none, pieces(&["12345", "67890"])).await, Ok(b"1234567890".to_vec()));
        assert_eq!(read_all(&none, pieces(&["12345", "67890", "1"])).await, Err(Refusal::TooLarge(10)));
        let announced = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(11))]);
        let pending = || Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(read_all(&announced, pending()).await, Err(Refusal::TooLarge(10)));
        let late = Refusal::BadRequest("The body did not arrive in time.".into());
        assert_eq!(read_all(&none, pending()).await, Err(late));
        let broken = Body::from_stream(stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]));
        assert_eq!(read_all(&none, broken).await.map_err(|refusal| refusal.code()), Err("BAD_REQUEST"));
    }

    #[tokio::test]
    async fn the_rest_of_a_refused_body_is_read_and_thrown_away() {
        let sent = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&sent);
        let body = stream::iter(["1", "2", "3"]).map(move |piece| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(piece)
        });
        let mut taken = 0;
        let take = |_: &[u8]| {
            taken += 1;
            Err(Refusal::BadRequest("no".into()))
        };
        let read = read(&HeaderMap::new(), Body::from_stream(body), BOUNDS, take).await;
        assert_eq!(read, Err(Refusal::BadRequest("no".into())));
        assert_eq!((taken, sent.load(Ordering::Relaxed)), (1, 3));
    }
}
