//! Answered requests against what they left: rows, postings, audit records and events.

use super::tally::{ALWAYS, Check, Part, Source, Tally, Unit};

/// Each request that was done has its row, each row its request, and each request one audit record. A void that gives back what was
/// left of a sale may leave a refund.
pub(super) const OPERATIONS: Tally = Tally {
    table: "operation",
    key: &[Part::Id("partner"), Part::Text],
    sources: &[
        Source {
            from: "operation",
            key: &["partner_id", "key"],
            measures: &[
                ("settles", "CASE WHEN mutation = 'settle' AND status <> 'REJECTED' THEN 1 END"),
                ("redeems", "CASE WHEN mutation = 'redeemAidCard' AND status <> 'REJECTED' THEN 1 END"),
                ("gives_back", "CASE WHEN mutation = 'refundRedemption' AND status <> 'REJECTED' THEN 1 END"),
                ("voids", "CASE WHEN mutation = 'voidOperation' AND status <> 'REJECTED' THEN 1 END"),
                ("done", "CASE WHEN mutation <> 'unknown' AND status <> 'REJECTED' THEN 1 END"),
                ("refused", "CASE WHEN status = 'REJECTED' THEN 1 END"),
            ],
        },
        Source {
            from: "settlement WHERE channel = 'ONE_STOP'",
            key: &["hospital_id", "operation_key"],
            measures: &[("settlements", "1")],
        },
        Source {
            from: "redemption",
            key: &["supermarket_id", "operation_key"],
            measures: &[("redemptions", "1")],
        },
        Source { from: "refund", key: &["supermarket_id", "operation_key"], measures: &[("refunds", "1")] },
        Source {
            from: "audit_record WHERE operation_key IS NOT NULL",
            key: &["partner_id", "operation_key"],
            measures: &[
                ("recorded_done", "CASE WHEN outcome = 'DONE' THEN 1 END"),
                ("recorded_refused", "CASE WHEN outcome = 'REFUSED' THEN 1 END"),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "operation.settlement",
            means: "A settlement that was answered as done is not there, or one is there that nobody asked for.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "settlements",
            expected: "settles",
        },
        Check {
            kind: "operation.redemption",
            means: "A redemption that was answered as done is not there, or one is there that nobody asked for.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "redemptions",
            expected: "redeems",
        },
        Check {
            kind: "operation.refund",
            means: "A refund that was answered as done is not there, or one is there that nobody asked for.",
            unit: Unit::Count,
            when: "NOT (voids = 1 AND refunds = 1)",
            found: "refunds",
            expected: "gives_back",
        },
        Check {
            kind: "operation.record",
            means: "An act that was done has one audit record that says so.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "recorded_done",
            expected: "done",
        },
        Check {
            kind: "operation.refusal",
            means: "An act that was refused has one audit record that says so.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "recorded_refused",
            expected: "refused",
        },
    ],
};

/// The acts of the funds' owners and their postings, by key.
pub(super) const POSTED: Tally = Tally {
    table: "operation",
    key: &[Part::Text],
    sources: &[
        Source {
            from: "operation WHERE status <> 'REJECTED' AND mutation IN ('appropriate', 'issueAidCards', 'payStatement')",
            key: &["key"],
            measures: &[
                ("appropriates", "CASE WHEN mutation = 'appropriate' THEN 1 END"),
                ("issues", "CASE WHEN mutation = 'issueAidCards' THEN 1 END"),
                ("pays", "CASE WHEN mutation = 'payStatement' THEN 1 END"),
            ],
        },
        Source {
            from: "entry WHERE number = 0 AND kind IN ('APPROPRIATION', 'CARD_ISSUE', 'PAYMENT')",
            key: &["operation_key"],
            measures: &[
                ("appropriations", "CASE WHEN kind = 'APPROPRIATION' THEN 1 END"),
                ("card_issues", "CASE WHEN kind = 'CARD_ISSUE' THEN 1 END"),
                ("payments", "CASE WHEN kind = 'PAYMENT' THEN 1 END"),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "operation.appropriation",
            means: "Appropriations that were answered as done and their postings do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "appropriations",
            expected: "appropriates",
        },
        Check {
            kind: "operation.card_issue",
            means: "Issues of cards that were answered as done and their postings do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "card_issues",
            expected: "issues",
        },
        Check {
            kind: "operation.payment",
            means: "Payments that were answered as done and their postings do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "payments",
            expected: "pays",
        },
    ],
};

/// Whoever did something with money was told of it, at the time of the act.
pub(super) const EVENTS: Tally = Tally {
    table: "event",
    key: &[Part::Id("partner"), Part::Text, Part::Time],
    sources: &[
        Source {
            from: "operation WHERE status <> 'REJECTED' AND mutation IN ('settle', 'reverseSettlement', 'redeemAidCard', \
                   'refundRedemption', 'confirmStatement', 'payStatement', 'issueAidCards', 'appropriate')",
            key: &[
                "partner_id",
                "CASE mutation WHEN 'settle' THEN 'settlement.settled' WHEN 'reverseSettlement' THEN 'settlement.reversed' \
                 WHEN 'redeemAidCard' THEN 'redemption.redeemed' WHEN 'refundRedemption' THEN 'redemption.refunded' \
                 WHEN 'confirmStatement' THEN 'statement.confirmed' WHEN 'payStatement' THEN 'statement.paid' \
                 WHEN 'issueAidCards' THEN 'aid_cards.issued' ELSE 'budget.appropriated' END",
                "at",
            ],
            measures: &[("acts", "1")],
        },
        Source { from: "event", key: &["partner_id", "kind", "at"], measures: &[("told", "1")] },
    ],
    largest: &[],
    checks: &[Check {
        kind: "event.missing",
        means: "Who did this was not told: an act has no event.",
        unit: Unit::Count,
        when: "told < acts",
        found: "told",
        expected: "acts",
    }],
};

/// An audit record tells of the same act as the request that it is about.
pub(super) const RECORDS: Tally = Tally {
    table: "audit_record",
    key: &[Part::Id("audit_record")],
    sources: &[Source {
        from: "audit_record JOIN operation \
               ON operation.partner_id = audit_record.partner_id AND operation.key = audit_record.operation_key",
        key: &["audit_record.id"],
        measures: &[(
            "differing",
            "CASE WHEN audit_record.act <> operation.mutation THEN 1 ELSE 0 END \
             + CASE WHEN audit_record.scope <> operation.scope THEN 1 ELSE 0 END \
             + CASE WHEN audit_record.at <> operation.at THEN 1 ELSE 0 END \
             + CASE WHEN audit_record.token_id <> operation.token_id THEN 1 ELSE 0 END \
             + CASE WHEN audit_record.operator_code IS DISTINCT FROM operation.operator_code THEN 1 ELSE 0 END \
             + CASE WHEN audit_record.subject IS DISTINCT FROM operation.answer ->> 'result' THEN 1 ELSE 0 END",
        )],
    }],
    largest: &[],
    checks: &[Check {
        kind: "record.act",
        means: "The audit record names another act, scope, time, token, operator or subject than the request that it is about.",
        unit: Unit::Count,
        when: ALWAYS,
        found: "differing",
        expected: "0",
    }],
};
