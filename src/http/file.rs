//! A file that is sent as it is read. The connection breaks when it cannot be read to its end, so that nobody takes a part for
//! the whole.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::error::{Error, Result};
use crate::files::Pieces;

/// How long a client may take over a whole file.
pub const LONGEST: Duration = Duration::from_secs(600);

/// How sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Whole,
    /// It could not be read to its end, or the client took too long.
    Cut,
    /// The client went away.
    Left,
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// A file whose first piece was read: what is sent of it, and the work of sending it.
pub struct Sending {
    pieces: Pieces,
    first: Vec<u8>,
    channel: mpsc::Sender<Piece>,
}

impl Sending {
    /// Reads the first piece, and answers with a response that is filled by [`Sending::send`]. The error is that of reading.
    pub async fn begin(name: &str, mut pieces: Pieces) -> Result<(Response, Self)> {
        let first = match pieces.next().await {
            Some(first) => first?,
            None => return Err(Error::internal("a file without a header")),
        };
        let (channel, received) = mpsc::channel(1);
        let mut response = Response::new(body(received));
        let headers = response.headers_mut();
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file_name(name)));
        headers.insert(
            header::CONTENT_DISPOSITION,
            disposition.unwrap_or(HeaderValue::from_static("attachment")),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok((response, Self { pieces, first, channel }))
    }

    /// Sends it, at most one piece ahead of what the client takes.
    pub async fn send(self, longest: Duration, correlation: &str) -> Ended {
        let Self { mut pieces, first, channel } = self;
        let sending = async {
            let mut piece = first;
            loop {
                if !piece.is_empty() && channel.send(Piece::Bytes(piece)).await.is_err() {
                    return Ended::Left;
                }
                piece = match pieces.next().await {
                    Some(Ok(piece)) => piece,
                    Some(Err(error)) => {
                        tracing::error!(
                            correlation,
                            cause = error.cause_for_log(),
                            "a file cannot be read to its end"
                        );
                        return Ended::Cut;
                    }
                    None => break,
                };
            }
            match channel.send(Piece::End).await {
                Ok(()) => Ended::Whole,
                Err(_) => Ended::Left,
            }
        };
        tokio::time::timeout(longest, sending).await.unwrap_or(Ended::Cut)
    }
}

/// Ends well only where the file does.
fn body(received: mpsc::Receiver<Piece>) -> Body {
    let pieces = stream::unfold(Some(received), |received| async {
        let mut received = received?;
        match received.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(received))),
            Some(Piece::End) => None,
            None => Some((Err(io::Error::other("a file was cut off")), None)),
        }
    });
    Body::from_stream(pieces)
}

/// With nothing in it that means something in a header or in a path.
fn file_name(name: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.');
    name.chars().map(|sign| if plain(sign) { sign } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    fn pieces(of: Vec<Result<&'static str>>) -> Pieces {
        stream::iter(of).map(|piece| piece.map(|piece| piece.as_bytes().to_vec())).boxed()
    }

    async fn sent(pieces: Pieces, longest: Duration) -> (Ended, Option<Vec<u8>>) {
        let (response, sending) = Sending::begin("x.csv", pieces).await.unwrap();
        let (ended, body) =
            tokio::join!(sending.send(longest, "c"), to_bytes(response.into_body(), usize::MAX));
        (ended, body.ok().map(|bytes| bytes.to_vec()))
    }

    #[tokio::test]
    async fn a_file_ends_well_only_when_it_was_read_to_its_end() {
        let whole = pieces(vec![Ok("a\n"), Ok(""), Ok("b\n")]);
        assert_eq!(sent(whole, LONGEST).await, (Ended::Whole, Some(b"a\nb\n".to_vec())));
        let broken = pieces(vec![Ok("a\n"), Err(Error::internal("gone")), Ok("b\n")]);
        assert_eq!(sent(broken, LONGEST).await, (Ended::Cut, None));
        let endless = stream::iter([Ok(vec![b'a'])]).chain(stream::pending()).boxed();
        assert_eq!(sent(endless, Duration::from_millis(50)).await, (Ended::Cut, None));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_at_all_is_an_error_and_no_answer() {
        assert!(Sending::begin("x.csv", pieces(vec![Err(Error::internal("gone"))])).await.is_err());
        assert!(Sending::begin("x.csv", pieces(vec![])).await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_read_for_a_client_that_went_away() {
        let (response, sending) =
            Sending::begin("x.csv", stream::repeat_with(|| Ok(vec![b'a'])).boxed()).await.unwrap();
        drop(response);
        assert_eq!(sending.send(LONGEST, "c").await, Ended::Left);
    }

    #[test]
    fn a_name_means_nothing_else() {
        assert_eq!(file_name("a\"b\r\n../汝.csv"), "a-b--..--.csv");
    }
}
