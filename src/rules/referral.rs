//! Referrals: who may refer to whom, and which side may take which step (DOMAIN.md §4).

use chrono::{DateTime, Utc};
use entity::kinds::{PartnerKind, ReferralSide, ReferralStatus};

/// One step that a side of a referral may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub from: ReferralStatus,
    pub to: ReferralStatus,
    /// Who may take it; none means sender and receiver alike. An overseer takes no step.
    pub side: Option<ReferralSide>,
}

const fn edge(from: ReferralStatus, to: ReferralStatus, side: Option<ReferralSide>) -> Edge {
    Edge { from, to, side }
}

const RECEIVER: Option<ReferralSide> = Some(ReferralSide::Receiver);
const EITHER: Option<ReferralSide> = None;

/// Every step there is, and the one place that says so.
///
/// A referral on hold may fail at once, for what it waited for may turn out never to come; to be completed,
/// it is taken up again first. Expiry is not among the steps: no side may ask for it, the clock alone brings
/// it ([`status_at`]).
pub const EDGES: &[Edge] = {
    use ReferralStatus::{Accepted, Cancelled, Completed, Declined, Failed, InProgress, OnHold, Requested};
    &[
        edge(Requested, Accepted, RECEIVER),
        edge(Requested, Declined, RECEIVER),
        edge(Requested, Cancelled, EITHER),
        edge(Accepted, InProgress, RECEIVER),
        edge(Accepted, Cancelled, EITHER),
        edge(InProgress, OnHold, RECEIVER),
        edge(InProgress, Completed, RECEIVER),
        edge(InProgress, Failed, RECEIVER),
        edge(InProgress, Cancelled, EITHER),
        edge(OnHold, InProgress, RECEIVER),
        edge(OnHold, Failed, RECEIVER),
        edge(OnHold, Cancelled, EITHER),
    ]
};

/// What this side may make of a referral that stands so, in the order of [`EDGES`]; empty once it has ended.
/// Pass the status of now, by [`status_at`].
pub fn allowed_steps(status: ReferralStatus, side: ReferralSide) -> Vec<ReferralStatus> {
    steps(status, side).collect()
}

/// Whether this side may take a referral from `status` to `to`. Pass the status of now, by [`status_at`].
pub fn may(status: ReferralStatus, to: ReferralStatus, side: ReferralSide) -> bool {
    steps(status, side).any(|step| step == to)
}

fn steps(status: ReferralStatus, side: ReferralSide) -> impl Iterator<Item = ReferralStatus> {
    EDGES
        .iter()
        .filter(move |edge| edge.from == status && takes(edge, side))
        .map(|edge| edge.to)
}

fn takes(edge: &Edge, side: ReferralSide) -> bool {
    match (edge.side, side) {
        (_, ReferralSide::Overseer) => false,
        (None, ReferralSide::Sender | ReferralSide::Receiver) => true,
        (Some(owner), ReferralSide::Sender | ReferralSide::Receiver) => owner == side,
    }
}

/// The status at `now` of a referral stored with `stored`: one that nobody has answered is expired from the
/// very instant at which the answer was due.
pub fn status_at(stored: ReferralStatus, due_at: DateTime<Utc>, now: DateTime<Utc>) -> ReferralStatus {
    if stored == ReferralStatus::Requested && now >= due_at { ReferralStatus::Expired } else { stored }
}

/// Whether no step leads on from here. The receiver then no longer sees the person.
pub fn has_ended(status: ReferralStatus) -> bool {
    !EDGES.iter().any(|edge| edge.from == status)
}

/// Whether a partner of the one kind may refer people to a partner of the other (DOMAIN.md §1, §2, §4).
///
/// - The bureau and the sub-district offices are the doors: they refer to everybody who helps, and everybody
///   who helps refers back to them.
/// - A hospital meets people in need at discharge and refers them to a door or a federation; these send
///   people to it. From one hospital to another a patient is transferred by medical rules, which is no matter
///   of assistance and would carry health data.
/// - A federation does not refer to the other one: the bureau or the sub-district office does, for it holds
///   the plan and the person's consent is per receiver.
/// - A home-care provider works on the doors' orders only.
/// - A sub-district office hands a household that moves to its neighbour; there is one bureau.
/// - Supermarkets take no part: they know a card, not its holder.
pub const fn may_refer(from: PartnerKind, to: PartnerKind) -> bool {
    use PartnerKind::{
        Bureau, CharityFederation, CharitySupermarket, DisabilityFederation, HomeCareProvider, Hospital,
        SubdistrictOffice,
    };
    match (from, to) {
        (
            Bureau,
            SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | HomeCareProvider,
        )
        | (
            SubdistrictOffice,
            Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation
            | HomeCareProvider,
        )
        | (Hospital, Bureau | SubdistrictOffice | DisabilityFederation | CharityFederation)
        | (DisabilityFederation | CharityFederation, Bureau | SubdistrictOffice | Hospital)
        | (HomeCareProvider, Bureau | SubdistrictOffice) => true,

        (Bureau, Bureau | CharitySupermarket)
        | (SubdistrictOffice, CharitySupermarket)
        | (Hospital, Hospital | HomeCareProvider | CharitySupermarket)
        | (
            DisabilityFederation | CharityFederation,
            DisabilityFederation | CharityFederation | HomeCareProvider | CharitySupermarket,
        )
        | (
            HomeCareProvider,
            Hospital | DisabilityFederation | CharityFederation | HomeCareProvider | CharitySupermarket,
        )
        | (
            CharitySupermarket,
            Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation
            | HomeCareProvider | CharitySupermarket,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Letters stand for who may take the step from the row to the column: r receiver, e sender or receiver.
    /// Rows and columns: REQUESTED ACCEPTED IN_PROGRESS ON_HOLD COMPLETED DECLINED FAILED CANCELLED EXPIRED.
    const EXPECTED: [(&str, &str); 9] = [
        ("REQUESTED", ". r . . . r . e ."),
        ("ACCEPTED", ". . r . . . . e ."),
        ("IN_PROGRESS", ". . . r r . r e ."),
        ("ON_HOLD", ". . r . . . r e ."),
        ("COMPLETED", ". . . . . . . . ."),
        ("DECLINED", ". . . . . . . . ."),
        ("FAILED", ". . . . . . . . ."),
        ("CANCELLED", ". . . . . . . . ."),
        ("EXPIRED", ". . . . . . . . ."),
    ];

    #[test]
    fn every_step_of_every_side() {
        assert_eq!(ReferralStatus::ALL.len(), EXPECTED.len());
        for (row, letters) in EXPECTED {
            let from = ReferralStatus::of_word(row).unwrap();
            let letters: Vec<&str> = letters.split(' ').collect();
            for side in ReferralSide::ALL.iter().copied() {
                let mut steps = BTreeSet::new();
                for ((column, _), letter) in EXPECTED.iter().zip(&letters) {
                    let to = ReferralStatus::of_word(column).unwrap();
                    let expected = match *letter {
                        "e" => side != ReferralSide::Overseer,
                        "r" => side == ReferralSide::Receiver,
                        _ => false,
                    };
                    assert_eq!(may(from, to, side), expected, "{side:?}: {from:?} to {to:?}");
                    if expected {
                        steps.insert(to);
                    }
                }
                let allowed = allowed_steps(from, side);
                assert_eq!(allowed.len(), steps.len(), "no step twice");
                assert_eq!(allowed.into_iter().collect::<BTreeSet<_>>(), steps, "{side:?}: {from:?}");
            }
        }
    }

    #[test]
    fn the_sender_can_only_cancel() {
        for status in ReferralStatus::ALL {
            let steps = allowed_steps(*status, ReferralSide::Sender);
            let expected: &[ReferralStatus] =
                if has_ended(*status) { &[] } else { &[ReferralStatus::Cancelled] };
            assert_eq!(steps, expected, "{status:?}");
        }
    }

    #[test]
    fn five_statuses_are_ends() {
        let ended: Vec<&str> =
            ReferralStatus::ALL.iter().filter(|status| has_ended(**status)).map(|s| s.word()).collect();
        assert_eq!(ended, ["COMPLETED", "DECLINED", "FAILED", "CANCELLED", "EXPIRED"]);
    }

    #[test]
    fn no_side_may_expire_a_referral() {
        assert!(EDGES.iter().all(|edge| edge.to != ReferralStatus::Expired));
    }

    #[test]
    fn an_unanswered_referral_expires_when_the_answer_is_due() {
        let due: DateTime<Utc> = "2016-03-15T16:00:00Z".parse().unwrap();
        let before: DateTime<Utc> = "2016-03-15T15:59:59.999999999Z".parse().unwrap();
        let after: DateTime<Utc> = "2017-01-01T00:00:00Z".parse().unwrap();
        for stored in ReferralStatus::ALL.iter().copied() {
            assert_eq!(status_at(stored, due, before), stored);
            let late = if stored == ReferralStatus::Requested { ReferralStatus::Expired } else { stored };
            assert_eq!(status_at(stored, due, due), late);
            assert_eq!(status_at(stored, due, after), late);
        }
        assert!(
            allowed_steps(status_at(ReferralStatus::Requested, due, due), ReferralSide::Receiver).is_empty()
        );
    }

    /// Rows refer to columns, both in the order of the contract: bureau, sub-district office, hospital,
    /// disability federation, charity federation, supermarket, home-care provider.
    #[test]
    fn every_pair_of_partner_kinds() {
        const EXPECTED: [(&str, &str); 7] = [
            ("BUREAU", ". x x x x . x"),
            ("SUBDISTRICT_OFFICE", "x x x x x . x"),
            ("HOSPITAL", "x x . x x . ."),
            ("DISABILITY_FEDERATION", "x x x . . . ."),
            ("CHARITY_FEDERATION", "x x x . . . ."),
            ("CHARITY_SUPERMARKET", ". . . . . . ."),
            ("HOME_CARE_PROVIDER", "x x . . . . ."),
        ];
        assert_eq!(PartnerKind::ALL.len(), EXPECTED.len());
        for (row, marks) in EXPECTED {
            let from = PartnerKind::of_word(row).unwrap();
            for ((column, _), mark) in EXPECTED.iter().zip(marks.split(' ')) {
                let to = PartnerKind::of_word(column).unwrap();
                assert_eq!(may_refer(from, to), mark == "x", "{from:?} to {to:?}");
            }
        }
    }
}
