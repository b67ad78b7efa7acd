//! Aid cards, and what supermarkets took from them and gave back, against the ledger.

use super::tally::{ALWAYS, Check, Part, Source, Tally, Unit};

pub(super) const CARDS: Tally = Tally {
    table: "aid_card",
    key: &[Part::Id("aid_card")],
    sources: &[
        Source {
            from: "aid_card",
            key: &["id"],
            measures: &[("balance", "balance"), ("face_value", "face_value")],
        },
        Source {
            from: "entry WHERE account = 'CARD' AND aid_card_id IS NOT NULL",
            key: &["aid_card_id"],
            measures: &[("ledger", "-amount"), ("issued", "CASE WHEN kind = 'CARD_ISSUE' THEN -amount END")],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "card.balance",
            means: "The balance of the card is not what the ledger says is left on it.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "balance",
            expected: "ledger",
        },
        Check {
            kind: "card.issued",
            means: "What the ledger put on the card at its issue is not its face value.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "issued",
            expected: "face_value",
        },
        Check {
            kind: "card.below_zero",
            means: "The balance of the card is below zero: more was spent than was on it.",
            unit: Unit::Yuan,
            when: "balance < 0",
            found: "balance",
            expected: "0",
        },
    ],
};

/// A redemption has one posting. What was refunded of it is the sum of its live refunds, and that of their postings.
pub(super) const REDEMPTIONS: Tally = Tally {
    table: "redemption",
    key: &[Part::Id("redemption")],
    sources: &[
        Source {
            from: "redemption",
            key: &["id"],
            measures: &[("redemptions", "1"), ("amount", "amount"), ("refunded", "refunded")],
        },
        Source {
            from: "refund WHERE voided_at IS NULL",
            key: &["redemption_id"],
            measures: &[("refunds", "1"), ("refunds_amount", "amount")],
        },
        Source {
            from: "entry LEFT JOIN redemption ON redemption.id = entry.source_id \
                   WHERE entry.kind IN ('REDEMPTION', 'REFUND')",
            key: &["entry.source_id"],
            measures: &[
                ("postings", "CASE WHEN entry.kind = 'REDEMPTION' AND entry.number = 0 THEN 1 END"),
                (
                    "owed",
                    "CASE WHEN entry.kind = 'REDEMPTION' AND entry.account = 'PAYABLE' THEN -entry.amount END",
                ),
                (
                    "taken",
                    "CASE WHEN entry.kind = 'REDEMPTION' AND entry.account = 'CARD' THEN entry.amount END",
                ),
                (
                    "given_back_times",
                    "CASE WHEN entry.kind = 'REFUND' AND entry.number = 0 \
                     THEN CASE WHEN entry.corrects = entry.source_id THEN 1 ELSE -1 END END",
                ),
                (
                    "given_back",
                    "CASE WHEN entry.kind = 'REFUND' AND entry.account = 'PAYABLE' THEN entry.amount END",
                ),
                (
                    "strange",
                    "CASE WHEN entry.operation_key <> redemption.operation_key \
                          OR entry.partner_id <> redemption.supermarket_id \
                          OR (entry.kind = 'REDEMPTION' AND entry.aid_card_id <> redemption.aid_card_id) \
                          OR (entry.kind = 'REDEMPTION' AND entry.posting_id <> entry.source_id) \
                     THEN 1 END",
                ),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "redemption.posting",
            means: "Redemption and posting do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "postings",
            expected: "redemptions",
        },
        Check {
            kind: "redemption.owed",
            means: "What the supermarket is owed for the redemption is not its amount.",
            unit: Unit::Yuan,
            when: "postings = redemptions",
            found: "owed",
            expected: "amount",
        },
        Check {
            kind: "redemption.taken",
            means: "What the redemption took from the card is not its amount.",
            unit: Unit::Yuan,
            when: "postings = redemptions",
            found: "taken",
            expected: "amount",
        },
        Check {
            kind: "redemption.refunded",
            means: "What is refunded of the redemption is not the sum of its live refunds.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "refunded",
            expected: "refunds_amount",
        },
        Check {
            kind: "redemption.refunds",
            means: "The live refunds of the redemption and their postings do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "given_back_times",
            expected: "refunds",
        },
        Check {
            kind: "redemption.given_back",
            means: "What the postings of refunds gave back is not the sum of the live refunds.",
            unit: Unit::Yuan,
            when: "given_back_times = refunds",
            found: "given_back",
            expected: "refunds_amount",
        },
        Check {
            kind: "redemption.entries",
            means: "Entries of the redemption name another supermarket, card, key or posting.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "strange",
            expected: "0",
        },
    ],
};

/// Each posting of a refund belongs to one, and gives back what it says. That none is missing the redemptions tell: when a voided
/// refund stays back with a voided sale, another refund stands for it without a posting of its own.
pub(super) const REFUNDS: Tally = Tally {
    table: "refund",
    key: &[Part::Id("refund")],
    sources: &[
        Source {
            from: "refund",
            key: &["id"],
            measures: &[
                ("refunds", "1"),
                ("amount", "amount"),
                ("voided", "CASE WHEN voided_at IS NOT NULL THEN 1 END"),
            ],
        },
        Source {
            from: "entry LEFT JOIN refund ON refund.id = entry.posting_id WHERE entry.kind = 'REFUND'",
            key: &[
                "CASE WHEN entry.corrects = entry.source_id THEN entry.posting_id ELSE entry.corrects END",
            ],
            measures: &[
                ("postings", "CASE WHEN entry.corrects = entry.source_id AND entry.number = 0 THEN 1 END"),
                ("undone", "CASE WHEN entry.corrects <> entry.source_id AND entry.number = 0 THEN 1 END"),
                (
                    "given_back",
                    "CASE WHEN entry.corrects = entry.source_id AND entry.account = 'PAYABLE' THEN entry.amount END",
                ),
                (
                    "strange",
                    "CASE WHEN refund.id IS NOT NULL AND entry.account IN ('CARD', 'RECOVERY') \
                          AND entry.aid_card_id IS DISTINCT FROM refund.credited_card_id THEN 1 END",
                ),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "refund.posting",
            means: "The ledger gives something back for which there is no refund, or twice for one.",
            unit: Unit::Count,
            when: "postings > refunds",
            found: "postings",
            expected: "refunds",
        },
        Check {
            kind: "refund.undone",
            means: "The ledger takes a refund back that was not voided, or twice.",
            unit: Unit::Count,
            when: "undone > voided",
            found: "undone",
            expected: "voided",
        },
        Check {
            kind: "refund.given_back",
            means: "What the posting of the refund gave back is not its amount.",
            unit: Unit::Yuan,
            when: "postings = 1 AND refunds = 1",
            found: "given_back",
            expected: "amount",
        },
        Check {
            kind: "refund.card",
            means: "The posting of the refund credits another card than the refund.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "strange",
            expected: "0",
        },
    ],
};
