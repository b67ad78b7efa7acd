//! Which rows each kind of partner sees and writes: all of it, here. A table without an entry cannot be queried.
//!
//! Every decision is a `match` over the partner's kind without a wildcard arm, so that a new kind stops the compiler at
//! each of them. `visibility.txt` beside the tests is this file, run over a seeded district.
//!
//! An installation serves one territory with one bureau: the bureau sees all of it. An office sees its own area.

use entity::kinds::{FundSource, PartnerKind, Scope};
use entity::{
    agreement, aid_card, audit_record, budget_share, cap_group, client, consent, entitlement_use, entry,
    event, lease, look, operation, partner, person, person_status, policy_version, programme, redemption,
    referral, referral_event, referral_party, refund, seal, settlement, settlement_part, staff, statement,
    token, trusted_document,
};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait};

use PartnerKind::{
    Bureau, CharityFederation, CharitySupermarket, DisabilityFederation, HomeCareProvider, Hospital,
    SubdistrictOffice,
};

mod sealed {
    pub trait Sealed {}
}

/// A table that can be read through a slice.
pub trait Sliced: EntityTrait + sealed::Sealed {
    /// The table's name, as in the visibility table.
    const NAME: &'static str;
    /// The scope that reading it takes; none for what every partner may know.
    const READ: Option<Scope>;
    /// The rows that this partner sees.
    fn rows(partner: &partner::Model) -> Condition;
}

/// A table that acts write.
pub trait Written: Sliced {
    /// Whether this partner may leave a row like this behind.
    fn may_write(partner: &partner::Model, row: &Self::Model) -> bool;
}

macro_rules! table {
    ($table:ident, $read:expr, $rows:expr) => {
        impl sealed::Sealed for $table::Entity {}
        impl Sliced for $table::Entity {
            const NAME: &'static str = stringify!($table);
            const READ: Option<Scope> = $read;
            fn rows(partner: &partner::Model) -> Condition {
                let rows: fn(&partner::Model) -> Condition = $rows;
                rows(partner)
            }
        }
    };
}

macro_rules! written {
    ($table:ident, $may:expr) => {
        impl Written for $table::Entity {
            fn may_write(partner: &partner::Model, row: &$table::Model) -> bool {
                let may: fn(&partner::Model, &$table::Model) -> bool = $may;
                may(partner, row)
            }
        }
    };
}

fn all() -> Condition {
    Condition::all()
}

fn none() -> Condition {
    Condition::all().add(Expr::value(false))
}

fn ids<C: ColumnTrait>(table: impl EntityTrait, column: C, condition: Condition) -> SelectStatement {
    Query::select().column(column).from(table).cond_where(condition).to_owned()
}

/// The people who live in a territory: equality on the column of its level, never a prefix search.
fn living_in(area: &str) -> Condition {
    match area.len() {
        6 => person::Column::District.eq(area).into_condition(),
        9 => person::Column::Subdistrict.eq(area).into_condition(),
        12 => person::Column::Community.eq(area).into_condition(),
        _ => none(),
    }
}

table!(partner, None, |me| match me.kind {
    Bureau => all(),
    // It owns the cards that the supermarkets redeem.
    CharityFederation => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | HomeCareProvider => partner::Column::Kind
        .is_in([
            Bureau,
            SubdistrictOffice,
            Hospital,
            DisabilityFederation,
            CharityFederation,
            HomeCareProvider
        ])
        .into_condition(),
    CharitySupermarket => Condition::any()
        .add(partner::Column::Id.eq(me.id))
        .add(partner::Column::Kind.is_in([Bureau, CharityFederation])),
});

written!(partner, |me, _| me.kind == Bureau);

table!(token, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => token::Column::PartnerId.eq(me.id).into_condition(),
});

// Who gets tokens is the bureau's business alone.
table!(client, Some(Scope::AdministrationRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});
written!(client, |me, _| me.kind == Bureau);

table!(trusted_document, Some(Scope::AdministrationRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});
written!(trusted_document, |me, _| me.kind == Bureau);

table!(staff, Some(Scope::AdministrationRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});
written!(staff, |me, row| me.kind == Bureau && row.partner_id == me.id);

table!(lease, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});

// Programmes and their published rules are no secret; who is covered by them is.
table!(programme, None, |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => all(),
});

table!(policy_version, None, |me| match me.kind {
    Bureau | Hospital => all(),
    SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => {
        none()
    }
});

table!(cap_group, None, |me| match me.kind {
    Bureau | Hospital => all(),
    SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => {
        none()
    }
});

table!(agreement, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => agreement::Column::PartnerId.eq(me.id).into_condition(),
});

written!(agreement, |me, _| me.kind == Bureau);

// Everybody but the bureau and the office of the person's own territory comes to a person through a door.
table!(person, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice => living_in(&me.area),
    Hospital | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => none(),
});

table!(person_status, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice => person_status::Column::PersonId
        .in_subquery(ids(person::Entity, person::Column::Id, living_in(&me.area)))
        .into_condition(),
    Hospital | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => none(),
});

table!(operation, None, |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => operation::Column::PartnerId.eq(me.id).into_condition(),
});
written!(operation, |me, row| row.partner_id == me.id);

table!(settlement, Some(Scope::SettlementRead), |me| match me.kind {
    Bureau => all(),
    Hospital => settlement::Column::HospitalId.eq(me.id).into_condition(),
    SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => {
        none()
    }
});
written!(settlement, |me, row| row.hospital_id == me.id);

table!(settlement_part, Some(Scope::SettlementRead), |me| match me.kind {
    Bureau => all(),
    Hospital => settlement_part::Column::SettlementId
        .in_subquery(ids(
            settlement::Entity,
            settlement::Column::Id,
            settlement::Column::HospitalId.eq(me.id).into_condition(),
        ))
        .into_condition(),
    SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket | HomeCareProvider => {
        none()
    }
});
written!(settlement_part, |me, _| me.kind == Hospital);

table!(entitlement_use, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});
written!(entitlement_use, |me, _| me.kind == Hospital);

// A shop meets a card by its full number; afterwards it may look again at those it has redeemed.
table!(aid_card, Some(Scope::CardRead), |me| match me.kind {
    Bureau | CharityFederation => all(),
    CharitySupermarket => aid_card::Column::Id
        .in_subquery(ids(
            redemption::Entity,
            redemption::Column::AidCardId,
            redemption::Column::SupermarketId.eq(me.id).into_condition(),
        ))
        .into_condition(),
    SubdistrictOffice | Hospital | DisabilityFederation | HomeCareProvider => none(),
});
// The charity federation issues them; a shop takes from them and gives back.
written!(aid_card, |me, _| matches!(me.kind, CharityFederation | CharitySupermarket));

table!(redemption, Some(Scope::CardRead), |me| match me.kind {
    Bureau | CharityFederation => all(),
    CharitySupermarket => redemption::Column::SupermarketId.eq(me.id).into_condition(),
    SubdistrictOffice | Hospital | DisabilityFederation | HomeCareProvider => none(),
});
written!(redemption, |me, row| row.supermarket_id == me.id);

table!(refund, Some(Scope::CardRead), |me| match me.kind {
    Bureau | CharityFederation => all(),
    CharitySupermarket => refund::Column::SupermarketId.eq(me.id).into_condition(),
    SubdistrictOffice | Hospital | DisabilityFederation | HomeCareProvider => none(),
});
written!(refund, |me, row| row.supermarket_id == me.id);

table!(consent, None, |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | HomeCareProvider => {
        Condition::any().add(consent::Column::RecorderId.eq(me.id)).add(consent::Column::ReceiverId.eq(me.id))
    }
    CharitySupermarket => none(),
});
written!(consent, |me, row| row.recorder_id == me.id);

// The party row is the way in: one per partner that sees a referral. A test of each row, not a list of all: a partner may be a
// party to a hundred thousand.
fn party_to(me: &partner::Model, referral: impl ColumnTrait) -> Condition {
    let party = Query::select()
        .expr(Expr::value(1))
        .from(referral_party::Entity)
        .and_where(referral_party::Column::PartnerId.eq(me.id))
        .and_where(
            Expr::col(referral_party::Column::ReferralId.as_column_ref()).equals(referral.as_column_ref()),
        )
        .to_owned();
    Expr::exists(party).into_condition()
}

table!(referral, Some(Scope::ReferralRead), |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => party_to(me, referral::Column::Id),
});
written!(referral, |me, row| row.sender_id == me.id || row.receiver_id == me.id || me.kind == Bureau);

table!(referral_party, Some(Scope::ReferralRead), |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => referral_party::Column::PartnerId.eq(me.id).into_condition(),
});
// A request opens the referral to its other side and to the bureau above.
written!(referral_party, |me, _| me.kind != CharitySupermarket);

table!(referral_event, Some(Scope::ReferralRead), |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => party_to(me, referral_event::Column::ReferralId),
});
written!(referral_event, |me, row| row.actor_id == me.id);

// A partner sees what it is owed; the owner of a fund sees that fund's book.
table!(entry, Some(Scope::StatementRead), |me| match me.kind {
    Bureau => all(),
    CharityFederation => entry::Column::Book.eq(FundSource::Charity).into_condition(),
    Hospital | CharitySupermarket | HomeCareProvider => {
        entry::Column::PartnerId.eq(me.id).into_condition()
    }
    SubdistrictOffice | DisabilityFederation => none(),
});

table!(statement, Some(Scope::StatementRead), |me| match me.kind {
    Bureau => all(),
    CharityFederation => statement::Column::Fund.eq(FundSource::Charity).into_condition(),
    Hospital | CharitySupermarket | HomeCareProvider => {
        statement::Column::PartnerId.eq(me.id).into_condition()
    }
    SubdistrictOffice | DisabilityFederation => none(),
});
// A partner's act opens its own; the fund's owner pays it.
written!(statement, |me, row| row.partner_id == me.id || owns(me, row.fund));

table!(budget_share, Some(Scope::BudgetRead), |me| match me.kind {
    Bureau => all(),
    CharityFederation => budget_share::Column::ProgrammeId
        .in_subquery(ids(
            programme::Entity,
            programme::Column::Id,
            programme::Column::Fund.eq(FundSource::Charity).into_condition(),
        ))
        .into_condition(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharitySupermarket | HomeCareProvider => none(),
});
// Whoever spends draws on them, through the ledger.
written!(budget_share, |me, _| matches!(me.kind, Bureau | CharityFederation | Hospital));

// Each concerned partner has a row of its own.
table!(event, Some(Scope::EventRead), |me| match me.kind {
    Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => event::Column::PartnerId.eq(me.id).into_condition(),
});

table!(audit_record, Some(Scope::AuditRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});

table!(look, Some(Scope::AuditRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});

table!(seal, Some(Scope::AuditRead), |me| match me.kind {
    Bureau => all(),
    SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
    | HomeCareProvider => none(),
});

/// Whether a fund is this partner's: fiscal money is the bureau's, charity money the charity federation's.
pub const fn owns(me: &partner::Model, fund: FundSource) -> bool {
    matches!((me.kind, fund), (Bureau, FundSource::Fiscal) | (CharityFederation, FundSource::Charity))
}

/// One entry per table, for the test that prints who sees what.
#[macro_export]
macro_rules! every_sliced_table {
    ($visit:ident) => {
        $visit!(
            partner,
            token,
            client,
            trusted_document,
            staff,
            lease,
            programme,
            policy_version,
            cap_group,
            agreement,
            person,
            person_status,
            operation,
            settlement,
            settlement_part,
            entitlement_use,
            aid_card,
            redemption,
            refund,
            consent,
            referral,
            referral_party,
            referral_event,
            statement,
            entry,
            budget_share,
            event,
            audit_record,
            look,
            seal
        )
    };
}
