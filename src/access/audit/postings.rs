//! The ledger by itself: its postings, and its two books.

use super::tally::{ALWAYS, Check, Part, Source, Tally, Unit};

/// Every posting stands in one book, is whole, and comes to nothing; its entries name what their accounts need, of the same book.
pub(super) const POSTINGS: Tally = Tally {
    table: "entry",
    key: &[Part::Id("posting")],
    sources: &[Source {
        from: "entry \
               LEFT JOIN statement ON statement.id = entry.statement_id \
               LEFT JOIN programme ON programme.id = entry.programme_id \
               LEFT JOIN aid_card ON aid_card.id = entry.aid_card_id \
               LEFT JOIN programme AS of_card ON of_card.id = aid_card.programme_id",
        key: &["entry.posting_id"],
        measures: &[
            ("entries", "1"),
            ("last_number", "entry.number"),
            ("amount", "entry.amount"),
            ("fiscal", "CASE WHEN entry.book = 'FISCAL' THEN 1 END"),
            ("charity", "CASE WHEN entry.book = 'CHARITY' THEN 1 END"),
            (
                "without_statement",
                "CASE WHEN entry.account = 'PAYABLE' \
                      AND statement.partner_id = entry.partner_id AND statement.fund = entry.book THEN 0 \
                      WHEN entry.account = 'PAYABLE' OR entry.statement_id IS NOT NULL THEN 1 END",
            ),
            (
                "without_programme",
                "CASE WHEN entry.account IN ('APPROPRIATION', 'SPENDING', 'RECOVERY') AND NOT \
                      (entry.year IS NOT NULL AND COALESCE(programme.fund, '') = entry.book) THEN 1 END",
            ),
            (
                "without_card",
                "CASE WHEN entry.account = 'CARD' AND COALESCE(of_card.fund, '') <> entry.book THEN 1 END",
            ),
            (
                "without_person",
                "CASE WHEN entry.account = 'ENTITLEMENT' AND \
                      (entry.person_id IS NULL OR entry.year IS NULL OR entry.cap_group IS NULL) THEN 1 END",
            ),
        ],
    }],
    largest: &["last_number"],
    checks: &[
        Check {
            kind: "posting.sum",
            means: "The entries of the posting do not sum to zero: what one account lost no other got.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "amount",
            expected: "0",
        },
        Check {
            kind: "posting.books",
            means: "The posting stands in both books: fiscal and charity money are mixed.",
            unit: Unit::Count,
            when: "fiscal > 0 AND charity > 0",
            found: "2",
            expected: "1",
        },
        Check {
            kind: "posting.entries",
            means: "The posting is not whole: the numbers of its entries have a gap.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "entries",
            expected: "last_number + 1",
        },
        Check {
            kind: "posting.statement",
            means: "What is owed stands in no statement of the same partner and fund.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "without_statement",
            expected: "0",
        },
        Check {
            kind: "posting.programme",
            means: "Money of a programme is booked on none, on no year, or in the other fund's book.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "without_programme",
            expected: "0",
        },
        Check {
            kind: "posting.card",
            means: "Money of a card is booked on none, or in the other fund's book.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "without_card",
            expected: "0",
        },
        Check {
            kind: "posting.person",
            means: "A use of a cap names no person, year or cap group.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "without_person",
            expected: "0",
        },
    ],
};
