//! Which columns hold sealed values: what a change of keys goes over.

/// A table with sealed columns; its key is `id`.
pub(super) struct SealedTable {
    pub(super) name: &'static str,
    pub(super) columns: &'static [SealedColumn],
}

pub(super) struct SealedColumn {
    pub(super) name: &'static str,
    pub(super) before: Before,
}

/// What versions before kept.
pub(super) enum Before {
    /// The text itself, in this column.
    Clear(&'static str),
    /// A sealed value in the same column, bound to this name alone.
    Sealed(&'static str),
}

const fn clear(name: &'static str, before: &'static str) -> SealedColumn {
    SealedColumn { name, before: Before::Clear(before) }
}

const fn sealed(name: &'static str, before: &'static str) -> SealedColumn {
    SealedColumn { name, before: Before::Sealed(before) }
}

pub(super) const SEALED: [SealedTable; 7] = [
    SealedTable {
        name: "person",
        columns: &[
            sealed("national_id_sealed", "national_id"),
            clear("name_sealed", "name"),
            sealed("phone_sealed", "phone"),
            clear("address_sealed", "address"),
            sealed("disability_certificate_sealed", "disability_certificate"),
            clear("health_sealed", "health"),
        ],
    },
    SealedTable { name: "consent", columns: &[clear("name_sealed", "name")] },
    SealedTable {
        name: "referral",
        columns: &[
            clear("reason_sealed", "reason"),
            clear("stated_name_sealed", "stated_name"),
            sealed("stated_national_id_sealed", "national_id"),
            sealed("stated_phone_sealed", "phone"),
            clear("outcome_sealed", "outcome"),
        ],
    },
    SealedTable { name: "referral_event", columns: &[clear("note_sealed", "note")] },
    SealedTable { name: "redemption", columns: &[clear("agent_name_sealed", "agent_name")] },
    SealedTable { name: "refund", columns: &[clear("reason_sealed", "reason")] },
    SealedTable { name: "settlement", columns: &[clear("reversal_reason_sealed", "reversal_reason")] },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sea_orm::{EntityName, IdenStatic, Iterable};

    use super::*;

    #[test]
    fn every_sealed_column_is_named() {
        let mut found = BTreeSet::new();
        macro_rules! look {
            ($($table:ident),* $(,)?) => {$(
                let table = entity::$table::Entity.table_name();
                let columns = entity::$table::Column::iter().map(|column| column.as_str());
                found.extend(columns.filter(|column| column.ends_with("_sealed")).map(|column| (table, column)));
            )*};
        }
        crate::every_sliced_table!(look);
        let named =
            SEALED.iter().flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)));
        assert_eq!(found, named.collect());
    }
}
