//! Aid cards (DOMAIN.md §2 row 8): 4,214 of 2016 at 200.00 each with a year at the counter, and a batch of the current year.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::id::{AidCardId, ProgrammeId};
use entity::kinds::{AidCardStatus, Category, GoodsCategory};
use entity::{CardNumber, Fen, aid_card, person, person_status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::district::{CHARITY_FEDERATION, Programmes, SUBDISTRICTS, seeded_id};
use super::people::{Invented, People};
use super::{Desks, Progress, china_time, day_of_2016, done};
use crate::access::{Keys, LoadingGate};
use crate::actions::issue_aid_cards::issue;
use crate::actions::redeem_aid_card::{GoodsLineInput, RedeemAidCardInput, redeem};
use crate::actions::refund_redemption::{RefundRedemptionInput, refund};
use crate::error::{Error, Result};
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::page::type_id;
use crate::rules::calendar::china_date;
use crate::rules::person_name::masked;

/// 14 sub-districts with 301 cards each: 4,214.
const CARDS_PER_SUBDISTRICT: u64 = 301;
const FACE_VALUE: Fen = Fen::new(20_000);
const HOLDERS: [Category; 4] = [Category::Dibao, Category::LoneElder, Category::Orphan, Category::LowIncome];
const GOODS: [(GoodsCategory, &str); 5] = [
    (GoodsCategory::GrainAndOil, "大米"),
    (GoodsCategory::GrainAndOil, "食用油"),
    (GoodsCategory::Food, "鸡蛋"),
    (GoodsCategory::Hygiene, "洗衣粉"),
    (GoodsCategory::Bedding, "棉被"),
];

/// A card with its full number, which is known only where it is made.
pub(super) struct DemoCard {
    pub(super) number: CardNumber,
    pub(super) row: aid_card::Model,
}

/// A card of a year for a holder of a sub-district; the serial is drawn by chance.
pub(super) fn card(
    keys: &Keys,
    programme: ProgrammeId,
    holder: &Invented,
    subdistrict: usize,
    year: i32,
    rng: &mut ChaCha8Rng,
) -> Result<DemoCard> {
    let serial = rng.random_range(0..1_000_000);
    let number = u16::try_from(year)
        .ok()
        .zip(u16::try_from(subdistrict + 1).ok())
        .and_then(|(year, subdistrict)| CardNumber::compose(year, 102, subdistrict, serial))
        .ok_or_else(|| Error::internal("no such card number"))?;
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let row = aid_card::Model {
        id: seeded_id::<AidCardId>(rng, china_time(date(year, 1, 4), 9, 0)),
        number_hash: keys.find_card(&number),
        last_four: number.last_four().to_owned(),
        person_id: holder.row.id,
        holder_name: masked(&holder.name),
        programme_id: programme,
        status: AidCardStatus::Active,
        face_value: FACE_VALUE,
        balance: FACE_VALUE,
        issued_on: date(year, 1, 4),
        expires_on: date(year + 1, 3, 31),
        allowed_categories: None,
        monthly_limit: None,
        replaced_by: None,
    };
    Ok(DemoCard { number, row })
}

/// Lays the holders and their categories, and issues their cards at an instant.
async fn hand_out(
    loading: &LoadingGate,
    desks: &Desks,
    at: DateTime<Utc>,
    (holders, categories): (Vec<Invented>, Vec<person_status::Model>),
    cards: &[DemoCard],
) -> Result<()> {
    loading.lay::<person::Entity>(holders.into_iter().map(|holder| holder.row).collect()).await?;
    loading.lay::<person_status::Entity>(categories).await?;
    let rows: Vec<aid_card::Model> = cards.iter().map(|card| card.row.clone()).collect();
    let Some(first) = rows.first() else { return Ok(()) };
    let key = format!("CARDS-{}", type_id(first.id));
    done("issue of cards", issue(&desks.at(CHARITY_FEDERATION, at)?, &key, &rows).await?)
}

/// The batch of 2016, handed out and redeemed through the year at the shop of each sub-district.
pub(super) async fn cards_of_2016(
    loading: &LoadingGate,
    desks: &Desks,
    programmes: &Programmes,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    progress: Progress<'_>,
) -> Result<()> {
    let since = china_time(day_of_2016(0), 9, 0);
    let total = CARDS_PER_SUBDISTRICT * 14;
    let mut served = 0;
    for (place, (pinyin, _)) in SUBDISTRICTS.iter().enumerate() {
        let mut holders = Vec::new();
        let mut categories = Vec::new();
        let mut cards: Vec<DemoCard> = Vec::new();
        for _ in 0..CARDS_PER_SUBDISTRICT {
            let keys = loading.gate().keys();
            let holder = people.invent(keys, 1925..=2008, place, since)?;
            let category = HOLDERS[rng.random_range(0..HOLDERS.len())];
            categories.push(holder.has(rng, category, day_of_2016(0)));
            cards.push(fresh_card(keys, programmes, &holder, (place, 2016), rng, &cards)?);
            holders.push(holder);
        }
        hand_out(loading, desks, since, (holders, categories), &cards).await?;
        let shop = format!("SM-{pinyin}");
        for card in &cards {
            progress("aid cards of 2016", served, total);
            spend(desks, &shop, card, served, rng).await?;
            served += 1;
        }
    }
    progress("aid cards of 2016", total, total);
    Ok(())
}

/// A card whose number none of the others has.
fn fresh_card(
    keys: &Keys,
    programmes: &Programmes,
    holder: &Invented,
    (place, year): (usize, i32),
    rng: &mut ChaCha8Rng,
    others: &[DemoCard],
) -> Result<DemoCard> {
    loop {
        let card = card(keys, programmes.charity_card, holder, place, year, rng)?;
        if others.iter().all(|other| other.row.number_hash != card.row.number_hash) {
            return Ok(card);
        }
    }
}

/// What one card buys in its year: most of its value, in one or two visits, and now and then something comes back.
async fn spend(desks: &Desks, shop: &str, card: &DemoCard, number: u64, rng: &mut ChaCha8Rng) -> Result<()> {
    let visits = [rng.random_range(30..180), rng.random_range(180..355)];
    let first = rng.random_range(60..=200) * 100;
    let second = if rng.random_range(0..3) == 0 { 20_000 - first } else { 0 };
    for (visit, (day, amount)) in visits.into_iter().zip([first, second]).enumerate() {
        if amount == 0 {
            continue;
        }
        let at = china_time(day_of_2016(day), rng.random_range(9..18), rng.random_range(0..60));
        let (category, description) = GOODS[rng.random_range(0..GOODS.len())];
        let input = RedeemAidCardInput {
            key: IdempotencyKey(format!("{shop}-2016-{number:05}-{visit}")),
            card_number: card.number.expose().to_owned(),
            amount: Money(Fen::new(amount)),
            receipt_number: format!("XP{number:05}{visit}").into(),
            lines: Some(vec![GoodsLineInput {
                category: category.into(),
                description: description.into(),
                amount: Money(Fen::new(amount)),
            }]),
            agent_name: None,
            operator: None,
        };
        let (redemption, _) = done("redemption", redeem(&desks.at(shop, at)?, &input).await?)?;
        if rng.random_range(0..40) == 0 {
            let input = RefundRedemptionInput {
                key: IdempotencyKey(format!("{shop}-2016-{number:05}-{visit}-R")),
                redemption_id: type_id(redemption.id).into(),
                amount: (rng.random_range(0..2) == 0).then_some(Money(Fen::new(amount.min(1_000)))),
                reason: "商品有质量问题".into(),
                operator: None,
            };
            let later = at + chrono::TimeDelta::minutes(rng.random_range(5..60));
            done("refund", refund(&desks.at(shop, later)?, &input).await?)?;
        }
    }
    Ok(())
}

/// A batch of the current year: twenty cards in each sub-district, a few of them in every state.
pub(super) async fn cards_of_today(
    loading: &LoadingGate,
    desks: &Desks,
    programmes: &Programmes,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    now: DateTime<Utc>,
) -> Result<()> {
    let year = china_date(now).year();
    for place in 0..SUBDISTRICTS.len() {
        let mut holders = Vec::new();
        let mut categories = Vec::new();
        let mut cards: Vec<DemoCard> = Vec::new();
        for number in 0..20 {
            let keys = loading.gate().keys();
            let holder = people.invent(keys, 1930..=2012, place, now)?;
            let category = HOLDERS[rng.random_range(0..HOLDERS.len())];
            categories.push(holder.has(rng, category, china_date(now)));
            let mut card = fresh_card(keys, programmes, &holder, (place, year), rng, &cards)?;
            match number {
                0 => card.row.status = AidCardStatus::Issued,
                1 => card.row.status = AidCardStatus::Frozen,
                2 => card.row.status = AidCardStatus::Cancelled,
                3 => card.row.allowed_categories = Some("GRAIN_AND_OIL FOOD HYGIENE".into()),
                4 => card.row.monthly_limit = Some(Fen::new(5_000)),
                _ => {}
            }
            holders.push(holder);
            cards.push(card);
        }
        hand_out(loading, desks, now, (holders, categories), &cards).await?;
    }
    Ok(())
}
