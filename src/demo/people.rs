//! Invented people: names by chance, identity numbers of the unassigned area 419999.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use chrono::{DateTime, Days, NaiveDate, Utc};
use entity::id::{PersonId, PersonStatusId};
use entity::kinds::{Category, DisabilityClass};
use entity::{Fen, NationalId, national_id, person, person_status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::district::{DISTRICT, SUBDISTRICTS, area_of, seeded_id};
use crate::access::Keys;
use crate::error::{Error, Result};

const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志文春生海波云飞雪峰";

/// The patient of the request that the README walks: a valid sample number of nobody (DOMAIN.md §7).
const OF_THE_README: (&str, &str) = ("419999197001010014", "李小明");

/// Where everybody comes from.
pub(super) struct People {
    rng: ChaCha8Rng,
    numbers: HashSet<String>,
}

/// Somebody who does not exist.
pub(super) struct Invented {
    pub(super) row: person::Model,
    pub(super) name: String,
    pub(super) national_id: NationalId,
}

impl Invented {
    /// A category that this person has from a day on.
    pub(super) fn has(
        &self,
        rng: &mut ChaCha8Rng,
        category: Category,
        from: NaiveDate,
    ) -> person_status::Model {
        person_status::Model {
            id: seeded_id::<PersonStatusId>(rng, self.row.created_at),
            person_id: self.row.id,
            category,
            valid_from: from,
            valid_to: None,
            suspended_on: None,
        }
    }
}

impl People {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, numbers: HashSet::from([OF_THE_README.0.to_owned()]) }
    }

    fn name(&mut self) -> String {
        let mut sign = |signs: &str| {
            let place = self.rng.random_range(0..signs.chars().count());
            signs.chars().nth(place).unwrap_or('王')
        };
        let mut name = String::from(sign(SURNAMES));
        name.push(sign(GIVEN));
        if self.rng.random_range(0..4) > 0 {
            let place = self.rng.random_range(0..GIVEN.chars().count());
            name.extend(GIVEN.chars().nth(place));
        }
        name
    }

    fn number(&mut self, born: RangeInclusive<i32>) -> Result<NationalId> {
        loop {
            let year = self.rng.random_range(born.clone());
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
            let birth = first + Days::new(self.rng.random_range(0..365));
            let sequence = self.rng.random_range(1..1000);
            let first17 = format!("419999{}{sequence:03}", birth.format("%Y%m%d"));
            let check =
                national_id::check_digit(&first17).ok_or_else(|| Error::internal("no check digit"))?;
            let number = format!("{first17}{check}");
            if self.numbers.insert(number.clone()) {
                return NationalId::parse(&number).map_err(|error| Error::internal(format!("{error:?}")));
            }
        }
    }

    /// The patient of the README's request.
    pub(super) fn of_the_readme(
        &mut self,
        keys: &Keys,
        subdistrict: usize,
        since: DateTime<Utc>,
    ) -> Result<Invented> {
        let (number, name) = OF_THE_README;
        let national_id = NationalId::parse(number).map_err(|error| Error::internal(format!("{error:?}")))?;
        self.registered(keys, national_id, name.to_owned(), subdistrict, since)
    }

    /// Somebody born in these years, living in a sub-district (by its place), known to the register since an instant.
    pub(super) fn invent(
        &mut self,
        keys: &Keys,
        born: RangeInclusive<i32>,
        subdistrict: usize,
        since: DateTime<Utc>,
    ) -> Result<Invented> {
        let national_id = self.number(born)?;
        let name = self.name();
        self.registered(keys, national_id, name, subdistrict, since)
    }

    fn registered(
        &mut self,
        keys: &Keys,
        national_id: NationalId,
        name: String,
        subdistrict: usize,
        since: DateTime<Utc>,
    ) -> Result<Invented> {
        let id = seeded_id::<PersonId>(&mut self.rng, since);
        let row = person::Model {
            id,
            national_id_sealed: keys.seal(person::Column::NationalIdSealed, id, national_id.expose())?,
            national_id_hash: keys.find_person(&national_id),
            desk_hash: keys.find_at_desk(&national_id, &name),
            name_sealed: keys.seal(person::Column::NameSealed, id, &name)?,
            birth_date: national_id.birth_date(),
            district: DISTRICT.into(),
            subdistrict: Some(area_of(subdistrict)),
            community: None,
            phone_sealed: None,
            address_sealed: None,
            disability_class: None,
            disability_grade: None,
            disability_certificate_sealed: None,
            health_sealed: None,
            monthly_income: None,
            deceased_on: None,
            created_at: since,
            forgotten_at: None,
        };
        Ok(Invented { row, name, national_id })
    }

    /// Somebody of whom the register knows everything that a consent can open.
    pub(super) fn invent_known(
        &mut self,
        keys: &Keys,
        subdistrict: usize,
        since: DateTime<Utc>,
    ) -> Result<Invented> {
        let mut person = self.invent(keys, 1940..=1990, subdistrict, since)?;
        let grade = self.rng.random_range(1..=4);
        let class = self.rng.random_range(0..DisabilityClass::ALL.len());
        let phone = format!("1390000{:04}", self.rng.random_range(0..10_000));
        let certificate = format!("{}{}{grade}", person.national_id.expose(), class + 1);
        let road = SUBDISTRICTS.get(subdistrict).map_or("汝河路", |(_, name)| name);
        let address = format!(
            "{road}演示小区{}号楼{}室",
            self.rng.random_range(1..30),
            self.rng.random_range(101..699)
        );
        let health =
            if self.rng.random_range(0..2) == 0 { "慢性肾病，定期透析" } else { "高血压" };
        let id = person.row.id;
        let sealed = |column, plain: &str| keys.seal(column, id, plain).map(Some);
        person.row.phone_sealed = sealed(person::Column::PhoneSealed, &phone)?;
        person.row.address_sealed = sealed(person::Column::AddressSealed, &address)?;
        person.row.disability_class = DisabilityClass::ALL.get(class).copied();
        person.row.disability_grade = Some(grade);
        person.row.disability_certificate_sealed =
            sealed(person::Column::DisabilityCertificateSealed, &certificate)?;
        person.row.health_sealed = sealed(person::Column::HealthSealed, health)?;
        person.row.monthly_income = Some(Fen::new(self.rng.random_range(0..60_000)));
        Ok(person)
    }
}
