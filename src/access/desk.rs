//! Door: the hospital's desk. A patient is found by full number and name, and what is needed to pay for the stay is read;
//! it is the same for a preview (which writes nothing) and inside an act (which holds the patient until it ends).

use entity::id::SettlementId;
use entity::kinds::{Scope, SettlementStatus};
use entity::{NationalId, entitlement_use, person, person_status, settlement, settlement_part};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, Condition, DatabaseExecutor, EntityTrait, QueryFilter, QuerySelect};

use super::act::Act;
use super::keys::Keys;
use super::slice::Slice;
use crate::error::Result;
use crate::rules::eligibility::Stay;

/// A patient who stands at the desk: number and name both matched.
pub struct Patient {
    pub person: person::Model,
    pub statuses: Vec<person_status::Model>,
}

impl Patient {
    /// The name as the register has it.
    pub fn name(&self, keys: &Keys) -> Result<String> {
        keys.open(person::Column::NameSealed, self.person.id, &self.person.name_sealed)
    }
}

/// What tells one stay from another.
pub struct StayMarks<'a> {
    pub stay: Stay,
    pub invoice_number: &'a str,
    pub insurer_settlement_id: &'a str,
}

/// Which live settlements stand in a stay's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub same_invoice: bool,
    pub same_insurer_settlement: bool,
    pub overlapping: bool,
}

/// See the module's description.
pub struct Desk<'a> {
    slice: &'a Slice,
    connection: DatabaseExecutor<'a>,
    holds: bool,
}

impl Slice {
    pub fn desk(&self) -> Result<Desk<'_>> {
        self.demand(Scope::CoverageRead)?;
        Ok(Desk { slice: self, connection: self.database.reader(), holds: false })
    }
}

impl Act {
    pub fn desk(&self) -> Result<Desk<'_>> {
        self.slice().demand(Scope::SettlementWrite)?;
        Ok(Desk { slice: self.slice(), connection: self.executor(), holds: true })
    }
}

impl<'a> Desk<'a> {
    pub(super) fn connection(&self) -> &DatabaseExecutor<'a> {
        &self.connection
    }
}

impl Desk<'_> {
    pub fn slice(&self) -> &Slice {
        self.slice
    }

    /// The patient with this number and name; a mismatch is the same as nobody. An act then holds the patient: whoever
    /// settles for the same person waits.
    pub async fn patient(&self, id: &NationalId, name: &str) -> Result<Option<Patient>> {
        let number = self.slice.keys().find_person(id);
        self.slice.asks_for_patient(&number, !self.holds)?;
        let attempt = self.slice.try_patient(&number)?;
        let stated = person::Column::DeskHash.eq(self.slice.keys().find_at_desk(id, name));
        if self.holds {
            let held = person::Entity::find()
                .filter(stated)
                .lock(LockType::NoKeyUpdate)
                .one(&self.connection)
                .await?;
            let Some(person) = attempt.told(held) else { return Ok(None) };
            let statuses = person_status::Entity::find()
                .filter(person_status::Column::PersonId.eq(person.id))
                .all(&self.connection)
                .await?;
            return Ok(Some(Patient { person, statuses }));
        }
        let found = person::Entity::find()
            .filter(stated)
            .find_with_related(person_status::Entity)
            .all(&self.connection)
            .await?;
        let found = attempt.told(found.into_iter().next());
        Ok(found.map(|(person, statuses)| Patient { person, statuses }))
    }

    /// What the patient has used of every cap group and year, over all channels.
    pub async fn used(&self, patient: &Patient) -> Result<Vec<entitlement_use::Model>> {
        Ok(entitlement_use::Entity::find()
            .filter(entitlement_use::Column::PersonId.eq(patient.person.id))
            .all(&self.connection)
            .await?)
    }

    /// The live settlements, of any hospital, that a stay collides with. Only that they exist is told, never whose they are; and
    /// without a patient who stands here nothing is told of other hospitals' at all.
    pub async fn conflicts(&self, patient: Option<&Patient>, marks: &StayMarks<'_>) -> Result<Conflicts> {
        let hospital = self.slice.viewer().partner_id();
        let invoice = Condition::all()
            .add(settlement::Column::HospitalId.eq(hospital))
            .add(settlement::Column::InvoiceNumber.eq(marks.invoice_number));
        let insurer = settlement::Column::InsurerSettlementId.eq(marks.insurer_settlement_id);
        let colliding = match patient {
            Some(patient) => Condition::any().add(invoice).add(insurer).add(
                Condition::all()
                    .add(settlement::Column::PersonId.eq(patient.person.id))
                    .add(settlement::Column::AdmittedOn.lte(marks.stay.discharged_on))
                    .add(settlement::Column::DischargedOn.gte(marks.stay.admitted_on)),
            ),
            None => Condition::any()
                .add(invoice)
                .add(Condition::all().add(settlement::Column::HospitalId.eq(hospital)).add(insurer)),
        };
        let rows = settlement::Entity::find()
            .filter(settlement::Column::Status.eq(SettlementStatus::Settled))
            .filter(colliding)
            .all(&self.connection)
            .await?;
        let mut conflicts = Conflicts::default();
        for row in rows {
            conflicts.same_invoice |=
                row.hospital_id == hospital && row.invoice_number == marks.invoice_number;
            conflicts.same_insurer_settlement |= row.insurer_settlement_id == marks.insurer_settlement_id;
            let other = Stay { admitted_on: row.admitted_on, discharged_on: row.discharged_on };
            conflicts.overlapping |= patient.is_some_and(|patient| patient.person.id == row.person_id)
                && other.overlaps(marks.stay);
        }
        Ok(conflicts)
    }
}

impl Act {
    /// Adds to what a person has used, per year and cap group; negative amounts give back.
    pub async fn draw(&mut self, uses: &[entitlement_use::Model]) -> Result<()> {
        for row in uses {
            let add = |column: entitlement_use::Column, amount: entity::Fen| {
                Expr::col((entitlement_use::Entity, column)).add(amount.get())
            };
            let merge = OnConflict::columns([
                entitlement_use::Column::PersonId,
                entitlement_use::Column::BenefitYear,
                entitlement_use::Column::CapGroup,
            ])
            .value(entitlement_use::Column::Used, add(entitlement_use::Column::Used, row.used))
            .value(
                entitlement_use::Column::DeductibleUsed,
                add(entitlement_use::Column::DeductibleUsed, row.deductible_used),
            )
            .to_owned();
            self.upsert::<entitlement_use::Entity>(std::slice::from_ref(row), merge).await?;
        }
        Ok(())
    }

    /// Gives back what a reversed settlement of the viewer's had drawn, and marks the later stays whose payment the cap had
    /// cut, of whatever hospital: the bureau may owe more for them.
    pub async fn give_back(&mut self, reversed: &settlement::Model) -> Result<()> {
        let parts = self
            .select::<settlement_part::Entity>()?
            .only(settlement_part::Column::SettlementId.eq(reversed.id))
            .all()
            .await?;
        let mut pools: Vec<(i32, String)> = Vec::new();
        for part in &parts {
            let own = Condition::all()
                .add(entitlement_use::Column::PersonId.eq(part.person_id))
                .add(entitlement_use::Column::BenefitYear.eq(part.benefit_year))
                .add(entitlement_use::Column::CapGroup.eq(part.cap_group.as_str()));
            let less =
                |column: entitlement_use::Column, amount: entity::Fen| Expr::col(column).sub(amount.get());
            self.set_through::<entitlement_use::Entity>(
                [
                    (entitlement_use::Column::Used, less(entitlement_use::Column::Used, part.paid)),
                    (
                        entitlement_use::Column::DeductibleUsed,
                        less(entitlement_use::Column::DeductibleUsed, part.deductible_counted),
                    ),
                ],
                own,
            )
            .await?;
            let pool = (part.benefit_year, part.cap_group.clone());
            if !pools.contains(&pool) {
                pools.push(pool);
            }
        }
        self.mark_for_recalculation(reversed, &pools).await
    }

    async fn mark_for_recalculation(
        &mut self,
        reversed: &settlement::Model,
        pools: &[(i32, String)],
    ) -> Result<()> {
        let drew_on_the_same = pools.iter().fold(Condition::any(), |any, (year, group)| {
            any.add(
                Condition::all()
                    .add(settlement_part::Column::BenefitYear.eq(*year))
                    .add(settlement_part::Column::CapGroup.eq(group.as_str())),
            )
        });
        if pools.is_empty() {
            return Ok(());
        }
        let cut: sea_orm::sea_query::SelectStatement = Query::select()
            .column(settlement_part::Column::SettlementId)
            .from(settlement_part::Entity)
            .and_where(settlement_part::Column::PersonId.eq(reversed.person_id))
            .and_where(settlement_part::Column::Capped.eq(true))
            .cond_where(drew_on_the_same)
            .to_owned();
        settlement::Entity::update_many()
            .col_expr(settlement::Column::RecalculationDue, Expr::value(true))
            .filter(settlement::Column::PersonId.eq(reversed.person_id))
            .filter(settlement::Column::Status.eq(SettlementStatus::Settled))
            .filter(settlement::Column::SettledAt.gte(reversed.settled_at))
            .filter(settlement::Column::Id.ne::<SettlementId>(reversed.id))
            .filter(settlement::Column::Id.in_subquery(cut))
            .exec(&self.executor())
            .await?;
        Ok(())
    }

    /// Holds the person of a settlement of the viewer's until the act ends.
    pub async fn hold_person_of(&self, settlement: &settlement::Model) -> Result<()> {
        person::Entity::find_by_id(settlement.person_id)
            .lock(LockType::NoKeyUpdate)
            .one(&self.executor())
            .await?;
        Ok(())
    }
}
