//! A partner's own lines against what it is owed, both as files.

use std::collections::BTreeMap;

use entity::Fen;
use entity::kinds::{FundSource, PartnerKind};
use futures_util::{StreamExt, stream};

use super::csv::{self, Reader, if_any, plain, text, unguarded};
use super::{Fault, Pieces, period, word};
use crate::access::Slice;
use crate::actions::reconcile::{Against, Days, ReconcileResult, remedy};
use crate::graph::scalars::{IdempotencyKey, Money, read};
use crate::graph::statement::usual_fund;
use crate::language::Language;
use crate::rules::reconciliation::{Difference, Totals};

/// Most lines of a file, its header and empty lines not counted.
pub const MOST_LINES: u32 = 200_000;

/// The columns of the answer. A difference has the first five, named as the fields of `ReconcileDifference`. The last line, and it
/// alone, has no key: its result is `AGREED` or `DIFFERS`, `ours` and `theirs` are the sums of both sides, `matched` and
/// `differences` the numbers of acts. An answer without that line is not whole.
pub const COLUMNS: &[&str] = &["key", "result", "ours", "theirs", "remedy", "matched", "differences"];
pub const AGREED: &str = "AGREED";
pub const DIFFERS: &str = "DIFFERS";

/// The kind of a line, in a downloaded statement, that is of no act of a day.
const CARRIED: &str = "CARRIED";

/// What is compared.
#[derive(Clone, Copy)]
pub struct Asked {
    days: Days,
    fund: FundSource,
}

impl Asked {
    pub fn of(
        from: Option<&str>,
        to: Option<&str>,
        fund: Option<&str>,
        kind: PartnerKind,
    ) -> Result<Self, Fault> {
        let days = Days { from: period::day("from", from)?, to: period::day("to", to)? };
        if let Some(refusal) = days.fault() {
            return Err(Fault::of(refusal.reason.message(Language::English)));
        }
        let fund = match fund {
            None => usual_fund(kind),
            Some(word) => FundSource::of_word(word)
                .ok_or_else(|| Fault::of("`fund` must be FISCAL or CHARITY, or left out."))?,
        };
        Ok(Self { days, fund })
    }
}

/// What a partner counts as owed, by key, as its file is read. It holds [`MOST_LINES`] keys and amounts at most, and one line of
/// the file.
#[derive(Default)]
pub struct Theirs {
    reader: Reader,
    table: Table,
}

#[derive(Default)]
struct Table {
    columns: Option<Columns>,
    lines: u32,
    amounts: BTreeMap<String, Fen>,
}

struct Columns {
    key: usize,
    amount: usize,
    /// Of a downloaded statement.
    kind: Option<usize>,
    many: usize,
}

impl Theirs {
    /// Reads on.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.reader.take(piece, &mut |line, cells| self.table.line(line, cells))
    }

    /// The file ends here.
    pub fn end(mut self) -> Result<BTreeMap<String, Fen>, Fault> {
        self.reader.end(&mut |line, cells| self.table.line(line, cells))?;
        match self.table.columns {
            Some(_) => Ok(self.table.amounts),
            None => {
                Err(Fault::at(1, "The file is empty; it begins with the names of its columns: key,amount"))
            }
        }
    }
}

impl Table {
    fn line(&mut self, line: u64, cells: &[&str]) -> Result<(), Fault> {
        let Some(columns) = &self.columns else {
            self.columns = Some(Columns::of(line, cells)?);
            return Ok(());
        };
        if cells.len() != columns.many {
            let (has, header) = (cells.len(), columns.many);
            return Err(Fault::at(line, format!("This line has {has} cells, and the header has {header}.")));
        }
        if self.lines == MOST_LINES {
            let message = format!(
                "A file holds at most {MOST_LINES} lines; from here on it is too long: split it by days."
            );
            return Err(Fault { too_much: true, ..Fault::at(line, message) });
        }
        self.lines += 1;
        if columns.kind.is_some_and(|kind| cells[kind] == CARRIED) {
            return Ok(());
        }
        let key = read::<IdempotencyKey>("IdempotencyKey", unguarded(cells[columns.key]));
        let key = key.map_err(|why| Fault::at(line, format!("The key {why}")))?.0;
        let amount = amount(cells[columns.amount]).ok_or_else(|| {
            Fault::at(line, "The amount must be yuan with at most two decimals, such as 5040.00 or -20.00.")
        })?;
        let sum = self.amounts.entry(key).or_insert(Fen::ZERO);
        *sum = sum
            .checked_add(amount)
            .ok_or_else(|| Fault::at(line, "The amounts of this key are too large."))?;
        Ok(())
    }
}

impl Columns {
    fn of(line: u64, names: &[&str]) -> Result<Self, Fault> {
        let only = |wanted: &str| {
            let named = |name: &str| name.trim().eq_ignore_ascii_case(wanted);
            let mut places = names.iter().enumerate().filter(|(_, name)| named(name)).map(|(place, _)| place);
            places.next().filter(|_| places.next().is_none())
        };
        let place = |wanted: &str| {
            only(wanted).ok_or_else(|| {
                Fault::at(
                    line,
                    format!(
                        "The first line must name the columns, separated by commas, one of them `{wanted}`: key,amount"
                    ),
                )
            })
        };
        Ok(Self { key: place("key")?, amount: place("amount")?, kind: only("kind"), many: names.len() })
    }
}

/// Yuan, as a spreadsheet may have left them: without decimals, with one or two. A line that takes something back is negative.
fn amount(cell: &str) -> Option<Fen> {
    let (negative, yuan) = match cell.strip_prefix('-') {
        Some(yuan) => (true, yuan),
        None => (false, cell),
    };
    let whole = match yuan.split_once('.') {
        None => format!("{yuan}.00"),
        Some((_, decimals)) if decimals.len() == 1 => format!("{yuan}0"),
        Some(_) => yuan.to_owned(),
    };
    let Money(fen) = read("Money", &whole).ok()?;
    if negative { fen.negated() } else { Some(fen) }
}

/// Where the two sides differ: see [`COLUMNS`].
pub fn differences(slice: Slice, asked: Asked, theirs: BTreeMap<String, Fen>) -> Pieces {
    let kind = slice.viewer().kind();
    let begin = Some((Against::of(slice, asked.days, asked.fund, theirs), csv::header(COLUMNS)));
    let file = stream::try_unfold(begin, move |state| async move {
        let Some((mut against, mut piece)) = state else { return Ok(None) };
        match against.next().await? {
            Some(differences) => {
                for difference in &differences {
                    write_difference(&mut piece, difference, kind);
                }
                Ok(Some((piece, Some((against, Vec::new())))))
            }
            None => {
                write_totals(&mut piece, against.totals());
                Ok(Some((piece, None)))
            }
        }
    });
    file.boxed()
}

fn write_difference(file: &mut Vec<u8>, difference: &Difference, kind: PartnerKind) {
    let yuan = |fen: Option<Fen>| if_any(fen.map(|fen| Money(fen).written()));
    let cells = [
        text(&difference.key),
        plain(word(ReconcileResult::from(difference.result))),
        yuan(difference.ours),
        yuan(difference.theirs),
        if_any(difference.remedy.map(|one| remedy(one, kind))),
        plain(""),
        plain(""),
    ];
    csv::write(file, cells);
}

fn write_totals(file: &mut Vec<u8>, totals: Totals) {
    let cells = [
        plain(""),
        plain(if totals.differences == 0 { AGREED } else { DIFFERS }),
        plain(yuan(totals.ours)),
        plain(yuan(totals.theirs)),
        plain(""),
        plain(totals.matched.to_string()),
        plain(totals.differences.to_string()),
    ];
    csv::write(file, cells);
}

/// A sum that may be beyond 64 bits of fen.
fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use crate::graph::statement::StatementLineKind;

    use super::*;

    fn theirs(file: &str) -> Result<Vec<(String, i64)>, Fault> {
        let mut theirs = Theirs::default();
        theirs.take(file.as_bytes())?;
        Ok(theirs.end()?.into_iter().map(|(key, fen)| (key, fen.get())).collect())
    }

    #[test]
    fn columns_are_found_by_name_and_lines_of_one_key_are_added_up() {
        let file = "\u{feff}note,Amount, KEY \r\n\"a, b\",5040.00,k1\r\n,-40.5,k1\r\n,7,'=k2\r\n,0.00,k3\r\n";
        let expected = [("=k2", 700), ("k1", 499_950), ("k3", 0)];
        assert_eq!(theirs(file).unwrap(), expected.map(|(key, fen)| (key.to_owned(), fen)));
        assert_eq!(theirs("key,amount\n"), Ok(vec![]));
    }

    #[test]
    fn carried_lines_of_a_downloaded_statement_are_of_no_act() {
        assert_eq!(CARRIED, word(StatementLineKind::Carried));
        let file = "key,kind,amount\nk1,REDEMPTION,5.00\nk2,CARRIED,-3.00\n";
        assert_eq!(theirs(file), Ok(vec![("k1".to_owned(), 500)]));
    }

    #[test]
    fn amounts_are_exact() {
        for (cell, fen) in [
            ("0", 0),
            ("-0.01", -1),
            ("5040", 504_000),
            ("5040.5", 504_050),
            ("9999999999.99", 999_999_999_999),
        ] {
            assert_eq!(amount(cell), Some(Fen::new(fen)), "{cell}");
        }
        for cell in [
            "",
            "-",
            "1.",
            ".5",
            "1.000",
            "01",
            "1,000.00",
            "1e3",
            " 1",
            "￥5",
            "--1",
            "+1",
            "10000000000",
            "1..0",
        ] {
            assert_eq!(amount(cell), None, "{cell}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let long_key = format!("key,amount\n{},1.00\n", "k".repeat(129));
        for (file, line, why) in [
            ("", 1, "key,amount"),
            ("k1,5.00\n", 1, "`key`"),
            ("key,sum\nk1,5.00\n", 1, "`amount`"),
            ("key;amount\nk1;5.00\n", 1, "commas"),
            ("key,amount,Key\n", 1, "`key`"),
            ("key,amount\nk1,1.00\nk2\n", 3, "1 cells"),
            ("key,amount\nk1,1,000.00\n", 2, "3 cells"),
            ("key,amount\nk1,1.005\n", 2, "two decimals"),
            ("key,amount\n,1.00\n", 2, "1 to 128"),
            ("key,amount\n键,1.00\n", 2, "ASCII"),
            (long_key.as_str(), 2, "1 to 128"),
        ] {
            let fault = theirs(file).unwrap_err();
            assert!(fault.line == Some(line) && fault.message.contains(why), "{file:?}: {fault:?}");
        }
    }

    #[test]
    fn two_hundred_thousand_lines_are_taken_and_no_more() {
        let mut theirs = Theirs::default();
        theirs.take(b"key,amount\n").unwrap();
        for number in 0..MOST_LINES {
            theirs.take(format!("{number},1.00\n").as_bytes()).unwrap();
        }
        let fault = theirs.take(b"\n\none too many,1.00\n").unwrap_err();
        assert_eq!((fault.too_much, fault.line), (true, Some(u64::from(MOST_LINES) + 4)));
    }

    #[test]
    fn sums_are_written_in_yuan() {
        assert_eq!([yuan(0), yuan(-5), yuan(504_000)], ["0.00", "-0.05", "5040.00"]);
    }
}
