//! Bounds on the text of a document, in one pass before it is parsed: the parser recurses.

use super::limit::{Limit, LimitExceeded, within};

/// The longest document, in bytes; larger inputs belong into variables.
pub const MAX_BYTES: usize = 65_536;
/// The most tokens of one document.
pub const MAX_TOKENS: u64 = 8_000;
/// How deep `{`, `[` and `(` may nest in the text: the deepest selection and the deepest input together.
pub const MAX_NESTING: u64 = 48;

/// The most bytes that the variables come to, written out wherever the text may use one: twice what a full body comes to that
/// declares one variable and uses it once.
pub const MAX_WRITTEN_OUT: u64 = 16 << 20;

/// Refuses variables that are used so often that writing them out would take too much room.
///
/// # Errors
/// The limit that they pass.
pub fn check_variables(written_out: u64) -> Result<(), LimitExceeded> {
    within(Limit::WrittenOut, written_out, MAX_WRITTEN_OUT)
}

/// Refuses a text that is too long to parse, or nested so deep that parsing it could exhaust the stack.
///
/// # Errors
/// The limit that the text passes.
pub fn check_source(text: &str) -> Result<(), LimitExceeded> {
    within(Limit::Bytes, text.len() as u64, MAX_BYTES as u64)?;
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_u64, 0_u64);
    let mut broken = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let mut token = true;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => token = false,
            b'#' if !broken => {
                token = false;
                at += run(&rest[1..], |byte| byte != b'\n' && byte != b'\r');
            }
            // After a block string that never ends the parser reads on in its own way: from there on text
            // inside quotes and comments counts too, and nothing closes.
            b'"' if !broken => match string_length(rest) {
                Some(length) => at += length - 1,
                None => broken = true,
            },
            b'{' | b'[' | b'(' => {
                nesting += 1;
                within(Limit::Nesting, nesting, MAX_NESTING)?;
            }
            b'}' | b']' | b')' if !broken => nesting = nesting.saturating_sub(1),
            b'.' => at += run(&rest[1..], |byte| byte == b'.'),
            _ if is_word(byte) => at += run(&rest[1..], is_word),
            _ => {}
        }
        tokens += u64::from(token);
        within(Limit::Tokens, tokens, MAX_TOKENS)?;
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !belongs(byte)).unwrap_or(bytes.len())
}

/// The length of the string literal that begins here; none for a block string without an end.
fn string_length(rest: &[u8]) -> Option<usize> {
    let block = rest.starts_with(b"\"\"\"");
    let mut at = if block { 3 } else { 1 };
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' if block && rest[at..].starts_with(b"\\\"\"\"") => at += 4,
            b'"' if block && rest[at..].starts_with(b"\"\"\"") => return Some(at + 3),
            b'\\' if !block => at += 2,
            b'"' if !block => return Some(at + 1),
            b'\n' | b'\r' if !block => return Some(at),
            _ => at += 1,
        }
    }
    (!block).then_some(at)
}
