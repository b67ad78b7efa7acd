//! CSV as RFC 4180 has it: read strictly and in pieces, written so that no spreadsheet takes a text for a formula.

use std::borrow::Cow;

use super::Fault;

/// The longest line of a file that is read, in bytes.
const LONGEST_LINE: usize = 16 * 1024;
/// What some programs put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// One cell of a line that is written.
pub enum Cell<'a> {
    /// Somebody else's text: see [`guarded`].
    Text(Cow<'a, str>),
    /// A word, number, time or id of ours.
    Plain(Cow<'a, str>),
}

/// Somebody else's text.
pub fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.into())
}

/// A word, number, time or id of ours.
pub fn plain<'a>(word: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Plain(word.into())
}

/// [`plain`], where there is one.
pub fn if_any<'a, W: Into<Cow<'a, str>>>(word: Option<W>) -> Cell<'a> {
    Cell::Plain(word.map_or(Cow::Borrowed(""), Into::into))
}

/// The first line of a file.
pub fn header(names: &[&'static str]) -> Vec<u8> {
    let mut line = Vec::new();
    write(&mut line, names.iter().map(|name| plain(*name)));
    line
}

/// Adds a line.
pub fn write<'a>(file: &mut Vec<u8>, cells: impl IntoIterator<Item = Cell<'a>>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            file.push(b',');
        }
        let cell = match cell {
            Cell::Text(text) => guarded(&text).into_owned(),
            Cell::Plain(word) => word.into_owned(),
        };
        // Also what separates cells elsewhere: half of a text must not begin a cell.
        if cell.contains(['"', ',', ';', '\t', '\r', '\n']) {
            file.push(b'"');
            file.extend(cell.replace('"', "\"\"").bytes());
            file.push(b'"');
        } else {
            file.extend(cell.bytes());
        }
    }
    file.extend(b"\r\n");
}

/// Whether a spreadsheet takes a text for a formula, or would once the apostrophes before it are gone.
fn is_formula(text: &str) -> bool {
    let first = text.trim_start_matches('\'').chars().next();
    first.is_some_and(|first| {
        matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
    })
}

/// A text as it stands in a file: one apostrophe more before what would be a formula.
fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// A text as it was before [`write()`] wrote it into a file.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// Reads a file piece by piece, wherever the pieces are cut; holds one line of it. Takes CR LF or LF at the end of a line, skips
/// empty lines and a byte order mark. Everything else that RFC 4180 does not allow is refused: what is guessed wrong at one
/// quotation mark swallows the lines behind it.
pub struct Reader {
    state: State,
    /// The cells of the line so far, one behind the other, and where each of them ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The line of the next byte, and the one on which the cells began.
    line: u64,
    began: u64,
    mark: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellBegins,
    Bare,
    Quoted,
    /// After a quotation mark within a quoted cell: its end, or half of one that belongs to the text.
    Quote,
    /// After a carriage return outside of quotation marks.
    Return,
}

impl Default for Reader {
    fn default() -> Self {
        let (bytes, ends) = (Vec::new(), Vec::new());
        Self { state: State::CellBegins, bytes, ends, line: 1, began: 1, mark: Some(0) }
    }
}

impl Reader {
    /// Reads on, and hands over every line that is whole: its number and its cells.
    pub fn take(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(u64, &[&str]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        for byte in piece {
            if self.is_of_the_mark(*byte) {
                continue;
            }
            self.step(*byte, each)?;
            if self.bytes.len() + self.ends.len() > LONGEST_LINE {
                let why =
                    format!("A line holds at most {LONGEST_LINE} bytes; is a quotation mark left open?");
                return Err(Fault::at(self.began, why));
            }
        }
        Ok(())
    }

    /// The file ends here.
    pub fn end(mut self, each: &mut impl FnMut(u64, &[&str]) -> Result<(), Fault>) -> Result<(), Fault> {
        match self.state {
            State::Quoted => {
                Err(Fault::at(self.began, "A cell begins with a quotation mark and has none at its end."))
            }
            _ => self.line_ends(each),
        }
    }

    fn is_of_the_mark(&mut self, byte: u8) -> bool {
        let Some(seen) = self.mark else { return false };
        if MARK[seen] == byte {
            self.mark = Some(seen + 1).filter(|seen| *seen < MARK.len());
            return true;
        }
        self.mark = None;
        if seen > 0 {
            self.bytes.extend(&MARK[..seen]);
            self.state = State::Bare;
        }
        false
    }

    fn step(
        &mut self,
        byte: u8,
        each: &mut impl FnMut(u64, &[&str]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match (self.state, byte) {
            (State::Return, b'\n') => self.line_ends(each)?,
            (State::Return, _) => {
                return Err(Fault::at(
                    self.line,
                    "A carriage return stands alone; end lines with CR LF or LF.",
                ));
            }
            (State::CellBegins, b'"') => self.state = State::Quoted,
            (State::Quoted, b'"') => self.state = State::Quote,
            (State::Quote, b'"') => {
                self.bytes.push(b'"');
                self.state = State::Quoted;
            }
            (State::Quoted, _) => {
                self.bytes.push(byte);
                self.line += u64::from(byte == b'\n');
            }
            (_, b',') => {
                self.ends.push(self.bytes.len());
                self.state = State::CellBegins;
            }
            (_, b'\r') => self.state = State::Return,
            (_, b'\n') => self.line_ends(each)?,
            (State::Quote, _) | (State::Bare, b'"') => {
                let why = "A quotation mark stands within a cell; put the whole cell into quotation marks, and write this one twice.";
                return Err(Fault::at(self.line, why));
            }
            (State::CellBegins | State::Bare, _) => {
                self.bytes.push(byte);
                self.state = State::Bare;
            }
        }
        Ok(())
    }

    fn line_ends(&mut self, each: &mut impl FnMut(u64, &[&str]) -> Result<(), Fault>) -> Result<(), Fault> {
        let (began, empty) = (self.began, self.bytes.is_empty() && self.ends.is_empty());
        self.ends.push(self.bytes.len());
        let mut cells = Vec::with_capacity(self.ends.len());
        let mut from = 0;
        for end in &self.ends {
            let cell = std::str::from_utf8(&self.bytes[from..*end]);
            let why = "This line is not UTF-8; save the file as \"CSV UTF-8\".";
            cells.push(cell.map_err(|_| Fault::at(began, why))?);
            from = *end;
        }
        if !empty {
            each(began, &cells)?;
        }
        self.bytes.clear();
        self.ends.clear();
        self.line += 1;
        self.began = self.line;
        self.state = State::CellBegins;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Vec<(u64, Vec<String>)>;

    fn read_in_pieces(file: &[u8], size: usize) -> Result<Lines, Fault> {
        let mut lines = Vec::new();
        let mut each = |line, cells: &[&str]| {
            lines.push((line, cells.iter().map(|cell| (*cell).to_owned()).collect()));
            Ok(())
        };
        let mut reader = Reader::default();
        for piece in file.chunks(size) {
            reader.take(piece, &mut each)?;
        }
        reader.end(&mut each)?;
        Ok(lines)
    }

    fn read(file: impl AsRef<[u8]>) -> Result<Lines, Fault> {
        let file = file.as_ref();
        let whole = read_in_pieces(file, usize::MAX);
        for size in 1..=4 {
            assert_eq!(read_in_pieces(file, size), whole, "in pieces of {size}");
        }
        whole
    }

    fn line(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn lines_end_in_either_way_and_cells_may_be_quoted() {
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("\u{feff}\r\n\n"), Ok(vec![]));
        let same = [line(1, &["key", "amount"]), line(2, &["a", "1.00"])];
        for file in [
            "key,amount\na,1.00",
            "key,amount\r\na,1.00\r\n",
            "\u{feff}key,amount\r\na,1.00\n",
            "\u{feff}\"key\",\"amount\"\n\"a\",\"1.00\"\r",
        ] {
            assert_eq!(read(file), Ok(same.to_vec()), "{file:?}");
        }
        let file = "\n\"two\nlines\",\"say \"\"yes\"\"\"\n,\n\"\",汝河路\n";
        let lines = [line(2, &["two\nlines", "say \"yes\""]), line(4, &["", ""]), line(5, &["", "汝河路"])];
        assert_eq!(read(file), Ok(lines.to_vec()));
    }

    #[test]
    fn what_is_malformed_is_named_by_its_line() {
        for (file, at, why) in [
            ("a,b\nc,\"d\ne,f\n", 2, "none at its end"),
            ("a,b\nc,d\"e\n", 2, "within a cell"),
            ("a,b\n\"c\"d,e\n", 2, "within a cell"),
            ("a,b\n\"c\" ,e\n", 2, "within a cell"),
            ("a,b\rc,d\n", 1, "CR LF"),
        ] {
            let fault = read(file).unwrap_err();
            assert!(fault.line == Some(at) && fault.message.contains(why), "{file:?}: {fault:?}");
        }
        // GBK, and one character cut in two by a comma.
        for file in [&b"a,b\n\xc8\xea\xba\xd3,1\n"[..], b"a\n\xe6\xb1,\x9d\n", b"\xef\xbba,b"] {
            assert!(read(file).unwrap_err().message.contains("UTF-8"), "{file:?}");
        }
        let long = format!("a\n{}", "x".repeat(LONGEST_LINE));
        assert!(read(&long).is_ok());
        assert_eq!(read(format!("{long}x")).unwrap_err().line, Some(2));
        assert!(read(",".repeat(LONGEST_LINE + 1)).is_err(), "commas count too");
    }

    #[test]
    fn a_text_that_would_be_a_formula_is_guarded_and_comes_back_as_it_was() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+8613", "'+8613"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("''-", "'''-"),
        ] {
            assert_eq!((guarded(text).as_ref(), unguarded(cell)), (cell, text));
        }
        for text in ["", "'", "a=b", "'tis", "1-2", "''"] {
            assert_eq!((guarded(text).as_ref(), unguarded(text)), (text, text));
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let texts = ["=cmd|' /C calc'!A0", "a,b", "say \"yes\"", "two\r\nlines", "", "\r", "汝河路"];
        let mut file = Vec::new();
        write(&mut file, texts.map(text));
        write(&mut file, [plain("-5040.00"), if_any(None::<&str>)]);
        let lines = read(&file).unwrap();
        assert_eq!(lines[0].1.iter().map(|cell| unguarded(cell)).collect::<Vec<_>>(), texts);
        assert_eq!(lines[1].1, ["-5040.00", ""]);
    }
}
