//! Second reimbursements against the ledger, and what people have used of their caps.

use super::tally::{ALWAYS, Check, Part, Source, Tally, Unit};

/// A settlement has one posting, a reversed one its mirror too; their amounts are those of the settlement and of its parts.
pub(super) const SETTLEMENTS: Tally = Tally {
    table: "settlement",
    key: &[Part::Id("settlement")],
    sources: &[
        Source {
            from: "settlement",
            key: &["id"],
            measures: &[
                ("settlements", "1"),
                ("assistance", "assistance"),
                ("reversed", "CASE WHEN status = 'REVERSED' THEN 1 END"),
                (
                    "told_otherwise",
                    "CASE WHEN CAST(calculation ->> 'assistance' AS text) IS DISTINCT FROM CAST(assistance AS text) \
                          THEN 1 ELSE 0 END \
                     + CASE WHEN CAST(calculation ->> 'personal_burden' AS text) IS DISTINCT FROM CAST(personal_burden AS text) \
                          THEN 1 ELSE 0 END",
                ),
                ("burden", "personal_burden"),
                (
                    "left_to_pay",
                    "total_cost - basic_insurance_paid - serious_illness_insurance_paid - other_funds_paid \
                     - commercial_insurance_paid - hospital_waiver - other_assistance_paid - assistance",
                ),
            ],
        },
        Source { from: "settlement_part", key: &["settlement_id"], measures: &[("parts", "paid")] },
        Source {
            from: "entry LEFT JOIN settlement ON settlement.id = entry.source_id \
                   WHERE entry.kind IN ('SETTLEMENT', 'REVERSAL')",
            key: &["entry.source_id"],
            measures: &[
                ("postings", "CASE WHEN entry.kind = 'SETTLEMENT' AND entry.number = 0 THEN 1 END"),
                ("mirrors", "CASE WHEN entry.kind = 'REVERSAL' AND entry.number = 0 THEN 1 END"),
                (
                    "owed",
                    "CASE WHEN entry.kind = 'SETTLEMENT' AND entry.account = 'PAYABLE' THEN -entry.amount END",
                ),
                (
                    "spent",
                    "CASE WHEN entry.kind = 'SETTLEMENT' AND entry.account = 'SPENDING' THEN entry.amount END",
                ),
                (
                    "used",
                    "CASE WHEN entry.kind = 'SETTLEMENT' AND entry.account = 'ENTITLEMENT' THEN entry.amount END",
                ),
                (
                    "owed_back",
                    "CASE WHEN entry.kind = 'REVERSAL' AND entry.account = 'PAYABLE' THEN entry.amount END",
                ),
                (
                    "spent_back",
                    "CASE WHEN entry.kind = 'REVERSAL' AND entry.account = 'SPENDING' THEN -entry.amount END",
                ),
                (
                    "used_back",
                    "CASE WHEN entry.kind = 'REVERSAL' AND entry.account = 'ENTITLEMENT' THEN -entry.amount END",
                ),
                (
                    "strange",
                    "CASE WHEN entry.operation_key <> settlement.operation_key \
                          OR entry.partner_id <> settlement.hospital_id \
                          OR entry.person_id <> settlement.person_id \
                          OR (CASE WHEN entry.kind = 'SETTLEMENT' THEN entry.posting_id ELSE entry.corrects END) <> entry.source_id \
                     THEN 1 END",
                ),
            ],
        },
    ],
    largest: &[],
    checks: &[
        Check {
            kind: "settlement.posting",
            means: "Settlement and posting do not stand one to one.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "postings",
            expected: "settlements",
        },
        Check {
            kind: "settlement.mirror",
            means: "A settlement that was reversed has one posting that takes it back, any other has none.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "mirrors",
            expected: "reversed",
        },
        Check {
            kind: "settlement.calculation",
            means: "The calculation that was kept says another assistance or personal burden than the settlement.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "told_otherwise",
            expected: "0",
        },
        Check {
            kind: "settlement.burden",
            means: "The personal burden is not what all payments and the assistance leave of the total cost.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "burden",
            expected: "left_to_pay",
        },
        Check {
            kind: "settlement.parts",
            means: "The programmes' parts do not add up to the settlement's assistance.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "parts",
            expected: "assistance",
        },
        Check {
            kind: "settlement.owed",
            means: "What the hospital is owed for the settlement is not its assistance.",
            unit: Unit::Yuan,
            when: "postings = settlements",
            found: "owed",
            expected: "assistance",
        },
        Check {
            kind: "settlement.spent",
            means: "What programmes spent on the settlement is not its assistance.",
            unit: Unit::Yuan,
            when: "postings = settlements",
            found: "spent",
            expected: "assistance",
        },
        Check {
            kind: "settlement.used",
            means: "What the settlement used of the person's caps is not its assistance.",
            unit: Unit::Yuan,
            when: "postings = settlements",
            found: "used",
            expected: "assistance",
        },
        Check {
            kind: "settlement.owed_back",
            means: "The reversal does not take back what the hospital was owed.",
            unit: Unit::Yuan,
            when: "postings = settlements AND mirrors = reversed",
            found: "owed_back",
            expected: "owed * reversed",
        },
        Check {
            kind: "settlement.spent_back",
            means: "The reversal does not take back what programmes spent.",
            unit: Unit::Yuan,
            when: "postings = settlements AND mirrors = reversed",
            found: "spent_back",
            expected: "spent * reversed",
        },
        Check {
            kind: "settlement.used_back",
            means: "The reversal does not take back what was used of the person's caps.",
            unit: Unit::Yuan,
            when: "postings = settlements AND mirrors = reversed",
            found: "used_back",
            expected: "used * reversed",
        },
        Check {
            kind: "settlement.entries",
            means: "Entries of the settlement name another hospital, person, key or posting.",
            unit: Unit::Count,
            when: ALWAYS,
            found: "strange",
            expected: "0",
        },
    ],
};

/// What a person has used of a cap group in a year is the ledger's, and within the cap that it was computed with.
///
/// The settlement that was computed last of those that stand left no more used than its own version's cap; so the largest cap of
/// those that stand bounds them all, unless one has none.
pub(super) const ENTITLEMENTS: Tally = Tally {
    table: "entitlement_use",
    key: &[Part::Id("person"), Part::Number, Part::Text],
    sources: &[
        Source {
            from: "entitlement_use",
            key: &["person_id", "benefit_year", "cap_group"],
            measures: &[("used", "used"), ("deductible", "deductible_used")],
        },
        Source {
            from: "settlement_part \
                   JOIN settlement ON settlement.id = settlement_part.settlement_id AND settlement.status = 'SETTLED' \
                   LEFT JOIN policy_version ON policy_version.id = settlement_part.policy_version_id",
            key: &["settlement_part.person_id", "settlement_part.benefit_year", "settlement_part.cap_group"],
            measures: &[
                ("counted", "settlement_part.deductible_counted"),
                ("paying", "CASE WHEN settlement_part.paid > 0 THEN 1 END"),
                (
                    "uncapped",
                    "CASE WHEN settlement_part.paid > 0 AND policy_version.annual_cap IS NULL THEN 1 END",
                ),
                ("cap", "CASE WHEN settlement_part.paid > 0 THEN policy_version.annual_cap END"),
            ],
        },
        Source {
            from: "entry WHERE account = 'ENTITLEMENT' \
                   AND person_id IS NOT NULL AND year IS NOT NULL AND cap_group IS NOT NULL",
            key: &["person_id", "year", "cap_group"],
            measures: &[("ledger", "amount")],
        },
    ],
    largest: &["cap"],
    checks: &[
        Check {
            kind: "entitlement.used",
            means: "What the person has used of the cap is not what the ledger says.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "used",
            expected: "ledger",
        },
        Check {
            kind: "entitlement.deductible",
            means: "What is counted of the annual deductible is not what the person's live settlements took of it.",
            unit: Unit::Yuan,
            when: ALWAYS,
            found: "deductible",
            expected: "counted",
        },
        Check {
            kind: "entitlement.cap",
            means: "The person has used more than the annual cap; the cap is what should be the most.",
            unit: Unit::Yuan,
            when: "paying > 0 AND uncapped = 0 AND used > cap",
            found: "used",
            expected: "cap",
        },
    ],
};
