//! What programmes may still spend, and what partners are owed, against the ledger.

use super::tally::{ALWAYS, Check, Part, Source, Tally, Unit};

pub(super) const BUDGETS: Tally = Tally {
    table: "budget_share",
    key: &[Part::Id("programme"), Part::Number],
    sources: &[
        Source {
            from: "budget_share",
            key: &["programme_id", "year"],
            measures: &[("available", "available"), ("below_zero", "CASE WHEN available < 0 THEN 1 END")],
        },
        Source {
            from: "entry WHERE account IN ('APPROPRIATION', 'SPENDING') \
                   AND programme_id IS NOT NULL AND year IS NOT NULL",
            key: &["programme_id", "year"],
            measures: &[("ledger", "-amount")],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "budget.available",
            means: "What the programme's year has left is not what the ledger appropriated less what it spent.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "available",
            expected: "ledger",
        },
        Check {
            kind: "budget.below_zero",
            means: "Shares of the programme's year are below zero: more was spent than was given.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "below_zero",
            expected: "0",
        },
    ],
};

/// What was agreed to in a statement is the sum of its lines, and is paid once when it is paid.
pub(super) const STATEMENTS: Tally = Tally {
    table: "statement",
    key: &[Part::Id("statement")],
    sources: &[
        Source {
            from: "statement",
            key: &["id"],
            measures: &[
                ("agreed", "CASE WHEN status <> 'OPEN' THEN 1 END"),
                ("paid", "CASE WHEN status = 'PAID' THEN 1 END"),
                ("agreed_count", "statement.count"),
                ("agreed_gross", "gross"),
                ("agreed_reversed", "reversed"),
            ],
        },
        Source {
            from: "entry WHERE account = 'PAYABLE' AND statement_id IS NOT NULL",
            key: &["statement_id"],
            measures: &[
                ("lines", "CASE WHEN kind <> 'PAYMENT' THEN 1 END"),
                (
                    "gross",
                    "CASE WHEN kind NOT IN ('PAYMENT', 'REVERSAL', 'REFUND', 'CARRY_FORWARD') THEN -amount END",
                ),
                ("reversed", "CASE WHEN kind IN ('REVERSAL', 'REFUND', 'CARRY_FORWARD') THEN amount END"),
                ("carried", "CASE WHEN kind = 'CARRY_FORWARD' AND amount < 0 THEN 1 END"),
                ("payments", "CASE WHEN kind = 'PAYMENT' THEN 1 END"),
                ("paid_out", "CASE WHEN kind = 'PAYMENT' THEN amount END"),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "statement.count",
            means: "The number of lines that was agreed to is not that of the statement's lines.",
            unit: Unit::Count,
            when: "agreed = 1",
            found: "agreed_count",
            expected: "lines",
        },
        Check {
            kind: "statement.gross",
            means: "The sum of the originals that was agreed to is not that of the statement's lines.",
            unit: Unit::Yuan,
            when: "agreed = 1",
            found: "agreed_gross",
            expected: "gross",
        },
        Check {
            kind: "statement.reversed",
            means: "The sum taken back that was agreed to is not that of the statement's lines.",
            unit: Unit::Yuan,
            when: "agreed = 1",
            found: "agreed_reversed",
            expected: "reversed",
        },
        Check {
            kind: "statement.below_zero",
            means: "A statement was agreed to below zero: what it lacks was not carried into a later one.",
            unit: Unit::Yuan,
            when: "agreed = 1 AND agreed_gross < agreed_reversed",
            found: "agreed_gross - agreed_reversed",
            expected: "0",
        },
        Check {
            kind: "statement.carried",
            means: "What the statement lacked was carried more than once.",
            unit: Unit::Count,
            when: "carried > 1",
            found: "carried",
            expected: "1",
        },
        Check {
            kind: "statement.payment",
            means: "A statement that is paid has one payment in the ledger, any other has none.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "payments",
            expected: "paid",
        },
        Check {
            kind: "statement.paid_out",
            means: "What was paid is not what the statement came to.",
            unit: Unit::Yuan,
            when: "payments = 1 AND paid = 1",
            found: "paid_out",
            expected: "agreed_gross - agreed_reversed",
        },
    ],
};

/// What a month lacked went, when it was confirmed at zero, into a later one of the same partner and fund; each side names the other.
pub(super) const CARRIES: Tally = Tally {
    table: "entry",
    key: &[Part::Id("posting")],
    sources: &[Source {
        from: "entry \
               LEFT JOIN statement ON statement.id = entry.statement_id \
               LEFT JOIN statement AS other ON other.id = entry.source_id \
               AND other.partner_id = statement.partner_id AND other.fund = statement.fund \
               LEFT JOIN entry AS across ON across.posting_id = entry.posting_id AND across.number = 1 - entry.number \
               LEFT JOIN operation ON operation.partner_id = entry.partner_id AND operation.key = entry.operation_key \
               WHERE entry.kind = 'CARRY_FORWARD'",
        key: &["entry.posting_id"],
        measures: &[
            ("entries", "1"),
            (
                "agreeing",
                "CASE WHEN entry.account = 'PAYABLE' AND other.month = entry.reference \
                      AND across.kind = entry.kind AND across.statement_id = entry.source_id \
                      AND across.amount = -entry.amount \
                      AND CASE WHEN entry.amount < 0 THEN statement.month < other.month \
                               AND statement.status <> 'OPEN' AND statement.gross = statement.reversed \
                               AND statement.confirmed_at = entry.posted_at \
                          ELSE statement.month > other.month END \
                      AND operation.mutation = 'confirmStatement' AND operation.status = 'SUCCEEDED' \
                      AND operation.at = entry.posted_at THEN 1 END",
            ),
        ],
    }],
    largest: &[],
    checks: &[
        Check {
            kind: "carry.entries",
            means: "What was carried has not two sides.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "entries",
            expected: "2",
        },
        Check {
            kind: "carry.sides",
            means: "A side of what was carried stands in another month, for another amount or under another confirmation than \
                    the other side says.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "agreeing",
            expected: "2",
        },
    ],
};

/// A partner is owed what stands in its statements that are not paid.
pub(super) const PAYABLES: Tally = Tally {
    table: "partner",
    key: &[Part::Id("partner"), Part::Text],
    sources: &[
        Source {
            from: "statement WHERE status = 'CONFIRMED'",
            key: &["partner_id", "fund"],
            measures: &[("unpaid", "gross - reversed")],
        },
        Source {
            from: "entry LEFT JOIN statement ON statement.id = entry.statement_id AND statement.status = 'OPEN' \
                   WHERE entry.account = 'PAYABLE' AND entry.partner_id IS NOT NULL",
            key: &["entry.partner_id", "entry.book"],
            measures: &[
                ("owed", "-entry.amount"),
                (
                    "unpaid",
                    "CASE WHEN statement.id IS NOT NULL AND entry.kind <> 'PAYMENT' THEN -entry.amount END",
                ),
            ],
        },
    ],
    largest: &[],
    checks: &[Check {
        kind: "partner.owed",
        means: "What the ledger owes the partner is not what its unpaid statements come to.",
        unit: Unit::Yuan,
        when: ALWAYS,
        found: "owed",
        expected: "unpaid",
    }],
};
