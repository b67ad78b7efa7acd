//! Which acts concern which people, against what the acts left.

use super::tally::{Check, Part, Source, Tally, Unit};

/// Every stay that was paid and every sale can be found again by whoever asks who had to do with a person.
pub(super) const LOOKS: Tally = Tally {
    table: "look",
    key: &[Part::Id("person"), Part::Id("audit_record")],
    sources: &[
        Source {
            from: "settlement JOIN audit_record ON audit_record.partner_id = settlement.hospital_id \
                   AND audit_record.operation_key = settlement.operation_key \
                   WHERE audit_record.outcome = 'DONE' AND settlement.channel = 'ONE_STOP'",
            key: &["settlement.person_id", "audit_record.id"],
            measures: &[("acts", "1")],
        },
        Source {
            from: "redemption JOIN aid_card ON aid_card.id = redemption.aid_card_id \
                   JOIN audit_record ON audit_record.partner_id = redemption.supermarket_id \
                   AND audit_record.operation_key = redemption.operation_key WHERE audit_record.outcome = 'DONE'",
            key: &["aid_card.person_id", "audit_record.id"],
            measures: &[("acts", "1")],
        },
        Source {
            from: "look JOIN audit_record ON audit_record.id = look.record_id",
            key: &["look.person_id", "look.record_id"],
            measures: &[
                ("looks", "1"),
                ("of_nothing", "CASE WHEN audit_record.outcome = 'REFUSED' THEN 1 END"),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "look.missing",
            means: "An act concerned this person and is not among those that did.",
            unit: Unit::Count,
            when: "looks < acts",
            found: "looks",
            expected: "acts",
        },
        Check {
            kind: "look.refused",
            means: "A request that was refused is said to have concerned this person.",
            unit: Unit::Count,
            when: "of_nothing > 0",
            found: "of_nothing",
            expected: "0",
        },
    ],
};
