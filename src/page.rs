//! Pages by keyset: a page costs what it holds, however far back it lies.

use chrono::{DateTime, Utc};
use entity::id::Key;
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Rows on a page when the client does not say.
pub const DEFAULT_SIZE: i32 = 20;
/// Most rows on a page.
pub const LARGEST_SIZE: i32 = 100;

const CURSOR: &str = "cursor";

/// The outside form of a key, e.g. `settlement_01h…`.
pub fn type_id<K: Key>(key: K) -> String {
    written(K::PREFIX, key.into())
}

/// [`type_id`] of a key whose type is known by its prefix alone, one of those in `entity::id`.
pub fn type_id_of(prefix: &'static str, key: Uuid) -> String {
    written(prefix, key)
}

/// The key that an outside id names; nothing when it is malformed or of another type, as if it were absent.
pub fn key_of<K: Key>(id: &str) -> Option<K> {
    let parsed: TypeSafeId<DynamicType> = id.parse().ok()?;
    (parsed.type_prefix() == K::PREFIX).then(|| K::from(parsed.uuid()))
}

/// The first key that can have been made at an instant or later. Rows whose key is made in the act that dates them are found by
/// their dates within a range of the key, which is the order of their list.
pub fn first_key_at<K: Key>(at: DateTime<Utc>) -> K {
    first_key_of(at.timestamp_millis())
}

/// The first key that can only have been made after an instant.
pub fn first_key_after<K: Key>(at: DateTime<Utc>) -> K {
    first_key_of(at.timestamp_millis().saturating_add(1))
}

/// A key begins with the 48 bits of its milliseconds.
fn first_key_of<K: Key>(millis: i64) -> K {
    const LAST: i64 = (1 << 48) - 1;
    K::from(Uuid::from_u128(u128::from(millis.clamp(0, LAST).unsigned_abs()) << 80))
}

/// The same keys, the last one repeated up to a power of two: lists of all lengths share a few prepared statements.
pub fn padded<K: Copy>(mut keys: Vec<K>) -> Vec<K> {
    if let Some(last) = keys.last().copied() {
        keys.resize(keys.len().next_power_of_two(), last);
    }
    keys
}

/// The prefix of an outside id, when it is well formed.
pub fn prefix_of(id: &str) -> Option<String> {
    let parsed: TypeSafeId<DynamicType> = id.parse().ok()?;
    Some(parsed.type_prefix().to_owned())
}

/// The key inside an outside id of any type, when it is well formed.
pub fn uuid_of(id: &str) -> Option<Uuid> {
    let parsed: TypeSafeId<DynamicType> = id.parse().ok()?;
    Some(parsed.uuid())
}

fn written(prefix: &str, uuid: Uuid) -> String {
    match DynamicType::new(prefix) {
        Ok(kind) => TypeSafeId::from_type_and_uuid(kind, uuid).to_string(),
        Err(_) => unreachable!("prefixes are constants of lower-case letters and underscores"),
    }
}

/// The position of a row in any list that is ordered by its key.
pub fn cursor(key: Uuid) -> String {
    written(CURSOR, key)
}

fn read_cursor(field: &'static str, text: &str) -> Result<Uuid> {
    let parsed: Option<TypeSafeId<DynamicType>> = text.parse().ok();
    parsed
        .filter(|cursor| cursor.type_prefix() == CURSOR)
        .map(|cursor| cursor.uuid())
        .ok_or_else(|| Error::invalid(field, "must be a cursor that an earlier page returned."))
}

/// A place in the feed of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub i64);

impl Place {
    /// Before the first event.
    pub const BEGINNING: Self = Self(0);

    pub fn cursor(self) -> String {
        cursor(Uuid::from_u128(u128::from(self.0.unsigned_abs())))
    }

    pub fn read(text: &str) -> Result<Self> {
        let number = i64::try_from(read_cursor("after", text)?.as_u128()).ok();
        number
            .map(Self)
            .ok_or_else(|| Error::invalid("after", "must be a cursor that an earlier page returned."))
    }
}

/// Relay's paging arguments, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    size: u64,
    backward: bool,
    after: Option<Uuid>,
    before: Option<Uuid>,
    /// Whether `totalCount` was asked for.
    pub counts: bool,
}

impl Page {
    pub fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
        counts: bool,
    ) -> Result<Self> {
        let (field, asked, backward) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("last", "must not be given together with `first`."));
            }
            (None, Some(last)) => ("last", last, true),
            (first, None) => ("first", first.unwrap_or(DEFAULT_SIZE), false),
        };
        let size = u64::try_from(asked)
            .ok()
            .filter(|_| (1..=LARGEST_SIZE).contains(&asked))
            .ok_or_else(|| Error::invalid(field, format!("must be between 1 and {LARGEST_SIZE}.")))?;
        Ok(Self {
            size,
            backward,
            after: after.map(|text| read_cursor("after", text)).transpose()?,
            before: before.map(|text| read_cursor("before", text)).transpose()?,
            counts,
        })
    }

    /// One row more than the page holds, to know whether there is another page.
    pub fn fetched(&self) -> u64 {
        self.size + 1
    }

    pub fn after(&self) -> Option<Uuid> {
        self.after
    }

    /// The query of this page, newest first (read from the other end when it goes backward).
    pub(crate) fn narrow<Q>(&self, mut query: Q, key: impl ColumnTrait) -> Q
    where
        Q: QueryFilter + QueryOrder + QuerySelect,
    {
        if let Some(after) = self.after {
            query = QueryFilter::filter(query, key.lt(after));
        }
        if let Some(before) = self.before {
            query = QueryFilter::filter(query, key.gt(before));
        }
        query.order_by(key, if self.backward { Order::Asc } else { Order::Desc }).limit(self.fetched())
    }

    /// [`Page::narrow`] for a list that is oldest first and read in that direction alone.
    pub(crate) fn narrow_oldest_first<Q>(&self, mut query: Q, key: impl ColumnTrait) -> Q
    where
        Q: QueryFilter + QueryOrder + QuerySelect,
    {
        if let Some(after) = self.after {
            query = QueryFilter::filter(query, key.gt(after));
        }
        query.order_by(key, Order::Asc).limit(self.fetched())
    }

    /// The page out of the rows that [`Page::narrow`] found.
    pub(crate) fn cut<T>(
        &self,
        mut rows: Vec<T>,
        key_of: impl Fn(&T) -> Uuid,
        total: Option<Option<u64>>,
    ) -> Paged<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backward {
            rows.reverse();
        }
        let (has_previous, has_next) =
            if self.backward { (more, self.before.is_some()) } else { (self.after.is_some(), more) };
        let rows = rows.into_iter().map(|row| (cursor(key_of(&row)), row)).collect();
        Paged { rows, has_previous, has_next, total: total.flatten() }
    }
}

/// The rows of one page with their cursors, newest first.
pub struct Paged<T> {
    pub rows: Vec<(String, T)>,
    pub has_previous: bool,
    pub has_next: bool,
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use entity::id::{SettlementId, TokenId};

    use super::*;

    #[test]
    fn an_id_is_read_only_as_its_own_type() {
        let id = SettlementId::from(Uuid::now_v7());
        let text = type_id(id);
        assert!(text.starts_with("settlement_"));
        assert_eq!(key_of::<SettlementId>(&text), Some(id));
        assert_eq!(key_of::<TokenId>(&text), None);
        assert_eq!(key_of::<SettlementId>("settlement_nonsense"), None);
        assert_eq!(key_of::<SettlementId>(""), None);
    }

    #[test]
    fn page_sizes_and_cursors_are_checked() {
        fn page(
            first: Option<i32>,
            after: Option<&str>,
            last: Option<i32>,
            before: Option<&str>,
        ) -> Result<Page> {
            Page::new(first, after, last, before, false)
        }
        assert_eq!(page(None, None, None, None).unwrap().fetched(), 21);
        for wrong in [0, -1, 101, i32::MIN, i32::MAX] {
            assert!(page(Some(wrong), None, None, None).is_err());
            assert!(page(None, None, Some(wrong), None).is_err());
        }
        assert!(page(Some(1), None, Some(1), None).is_err());
        assert!(page(None, Some("x"), None, None).is_err());
        let id = type_id(SettlementId::from(Uuid::now_v7()));
        assert!(page(None, Some(&id), None, None).is_err(), "an id is no cursor");
        let known = cursor(Uuid::now_v7());
        assert!(page(None, Some(&known), None, None).is_ok());
    }

    #[test]
    fn a_key_lies_between_the_bounds_of_its_time() {
        let at = |micros: i64| DateTime::from_timestamp_micros(1_466_000_000_000_000 + micros).unwrap();
        let key_made = |time: DateTime<Utc>| {
            let nanos = time.timestamp_subsec_nanos();
            let seconds = u64::try_from(time.timestamp()).unwrap();
            Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
        };
        for micros in [0, 1, 999, 1_000, 1_001] {
            let key = SettlementId::from(key_made(at(micros)));
            assert!(first_key_at::<SettlementId>(at(micros)) <= key);
            assert!(key < first_key_after::<SettlementId>(at(micros)));
        }
        assert!(SettlementId::from(key_made(at(999))) < first_key_at::<SettlementId>(at(1_000)));
        assert_eq!(Uuid::from(first_key_at::<SettlementId>(DateTime::<Utc>::MIN_UTC)), Uuid::nil());
        assert_eq!(
            first_key_after::<SettlementId>(DateTime::<Utc>::MAX_UTC),
            first_key_of::<SettlementId>(i64::MAX)
        );
    }

    #[test]
    fn lists_of_keys_come_in_few_lengths() {
        let lengths: std::collections::BTreeSet<usize> =
            (0..=100).map(|keys| padded(vec![1; keys]).len()).collect();
        assert_eq!(Vec::from_iter(lengths), [0, 1, 2, 4, 8, 16, 32, 64, 128]);
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
    }

    #[test]
    fn a_backward_page_is_turned_round() {
        let page = Page::new(None, None, Some(2), None, false).unwrap();
        let keys: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let cut = page.cut(keys.clone(), |key| *key, None);
        assert_eq!(cut.rows.iter().map(|(_, key)| *key).collect::<Vec<_>>(), vec![keys[1], keys[0]]);
        assert!(cut.has_previous && !cut.has_next);
    }
}
