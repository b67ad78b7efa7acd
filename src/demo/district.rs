//! Partners, programmes, policies and agreements of the demo. The official local rates of 2016 were not found: every rate,
//! deductible and cap here is an example.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{AgreementId, PartnerId, PolicyVersionId, ProgrammeId};
use entity::kinds::{Category, DeductibleMode, FundSource, PartnerKind, RateForm, Stacking, StayDate};
use entity::{BasisPoints, Fen, agreement, cap_group, partner, policy_version, programme};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::access::LoadingGate;
use crate::error::{Error, Result};
use crate::rules::reimbursement::Band;

pub(super) const BUREAU: &str = "BUREAU";
/// The 153 hospital, which has the veterans' agreement.
pub(super) const HOSPITAL_153: &str = "H41999900153";
pub(super) const HOSPITALS: [&str; 2] = ["H41999900001", "H41999900002"];
pub(super) const DISABILITY_FEDERATION: &str = "DPF";
pub(super) const CHARITY_FEDERATION: &str = "CF";
/// District of every demo partner (中原区).
pub(super) const DISTRICT: &str = "410102";

/// The sub-districts of DOMAIN.md §7: pinyin and name; their codes are 001 to 014.
pub(super) const SUBDISTRICTS: [(&str, &str); 14] = [
    ("LINSHANZHAI", "林山寨"),
    ("JIANSHELU", "建设路"),
    ("MIANFANGLU", "棉纺路"),
    ("QINLINGLU", "秦岭路"),
    ("TONGBAILU", "桐柏路"),
    ("SANGUANMIAO", "三官庙"),
    ("LVDONGCUN", "绿东村"),
    ("RUHELU", "汝河路"),
    ("HANGHAIXILU", "航海西路"),
    ("ZHONGYUANXILU", "中原西路"),
    ("XUSHUI", "须水"),
    ("LIUHU", "柳湖"),
    ("LIANHU", "莲湖"),
    ("XILIUHU", "西流湖"),
];

/// A partner of the demo, before it has a key.
pub(super) struct DemoPartner {
    pub(super) code: String,
    kind: PartnerKind,
    name: String,
    area: String,
}

/// The area code of a sub-district by its place in [`SUBDISTRICTS`].
pub(super) fn area_of(subdistrict: usize) -> String {
    format!("{DISTRICT}{:03}", subdistrict + 1)
}

/// Every partner of the demo.
pub(super) fn partners() -> Vec<DemoPartner> {
    let of = |code: &str, kind, name: &str, area: &str| DemoPartner {
        code: code.into(),
        kind,
        name: name.into(),
        area: area.into(),
    };
    let mut partners = vec![
        of(BUREAU, PartnerKind::Bureau, "中原区民政局（演示）", DISTRICT),
        of(HOSPITAL_153, PartnerKind::Hospital, "一五三医院（演示）", DISTRICT),
        of(HOSPITALS[0], PartnerKind::Hospital, "演示第一医院", DISTRICT),
        of(HOSPITALS[1], PartnerKind::Hospital, "演示第二医院", DISTRICT),
        of(DISABILITY_FEDERATION, PartnerKind::DisabilityFederation, "中原区残疾人联合会（演示）", DISTRICT),
        of(CHARITY_FEDERATION, PartnerKind::CharityFederation, "中原区慈善总会（演示）", DISTRICT),
    ];
    for (place, (pinyin, name)) in SUBDISTRICTS.iter().enumerate() {
        let area = area_of(place);
        partners.push(of(
            &format!("SD-{pinyin}"),
            PartnerKind::SubdistrictOffice,
            &format!("{name}街道办事处（演示）"),
            &area,
        ));
        partners.push(of(
            &format!("SM-{pinyin}"),
            PartnerKind::CharitySupermarket,
            &format!("{name}慈善爱心超市（演示）"),
            &area,
        ));
    }
    partners
}

/// The keys of the programmes that others need.
pub(super) struct Programmes {
    pub(super) charity_card: ProgrammeId,
}

/// Code, English name, Chinese name, fund.
const PROGRAMMES: [(&str, &str, &str, FundSource); 5] = [
    ("MEDICAL_ASSISTANCE", "Medical assistance for serious illness", "大病医疗救助", FundSource::Fiscal),
    ("VETERAN_REIMBURSEMENT", "Veterans' second reimbursement", "优抚二次报销", FundSource::Fiscal),
    ("TEMPORARY_ASSISTANCE", "Temporary assistance", "临时救助", FundSource::Fiscal),
    ("CHARITY_CARD", "Charity supermarket aid card", "爱心超市卡", FundSource::Charity),
    ("CHARITY_ILLNESS", "Charity serious-illness project", "救急难大病救助", FundSource::Charity),
];

/// A key whose time is given and whose rest comes from the seed.
pub(super) fn seeded_id<K: From<Uuid>>(rng: &mut ChaCha8Rng, at: DateTime<Utc>) -> K {
    let mut rest = [0; 10];
    rng.fill_bytes(&mut rest);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    K::from(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn yuan(amount: i64) -> Fen {
    Fen::new(amount * 100)
}

fn bands(of: &[(i64, Option<i64>, i32)]) -> Result<serde_json::Value> {
    let bands: Option<Vec<Band>> = of
        .iter()
        .map(|(from, below, points)| {
            Some(Band { from: yuan(*from), below: below.map(yuan), rate: BasisPoints::new(*points)? })
        })
        .collect();
    serde_json::to_value(bands.unwrap_or_default()).map_err(|error| Error::internal(error.to_string()))
}

/// Example policies: flat rates in 2016; from 2017 on the medical one as before with a higher cap, the veterans' in bands with an
/// annual deductible.
fn policies(
    rng: &mut ChaCha8Rng,
    medical: ProgrammeId,
    veterans: ProgrammeId,
) -> Result<Vec<policy_version::Model>> {
    let mut base = |programme_id, category, stacking_order, valid_from: NaiveDate| policy_version::Model {
        id: seeded_id::<PolicyVersionId>(rng, crate::rules::calendar::start_of_china_day(valid_from)),
        programme_id,
        valid_from,
        valid_to: None,
        category,
        category_date: StayDate::Discharge,
        year_date: StayDate::Discharge,
        form: RateForm::Flat,
        bands: serde_json::Value::Null,
        deductible_mode: DeductibleMode::None,
        deductible: Fen::ZERO,
        per_stay_cap: None,
        annual_cap: None,
        includes_upfront: false,
        cap_group: "SECOND_REIMBURSEMENT".into(),
        stacking_order,
    };
    let first = day(2016, 1, 1);
    let second = day(2017, 1, 1);
    let last_of_2016 = Some(day(2016, 12, 31));
    Ok(vec![
        policy_version::Model {
            valid_to: last_of_2016,
            bands: bands(&[(0, None, 3500)])?,
            annual_cap: Some(yuan(20_000)),
            ..base(veterans, Category::EntitledVeteran, 1, first)
        },
        policy_version::Model {
            valid_to: last_of_2016,
            bands: bands(&[(0, None, 7000)])?,
            annual_cap: Some(yuan(30_000)),
            ..base(medical, Category::Dibao, 2, first)
        },
        policy_version::Model {
            form: RateForm::Marginal,
            bands: bands(&[(0, Some(5_000), 3500), (5_000, None, 5000)])?,
            deductible_mode: DeductibleMode::Annual,
            deductible: yuan(500),
            annual_cap: Some(yuan(30_000)),
            ..base(veterans, Category::EntitledVeteran, 1, second)
        },
        policy_version::Model {
            bands: bands(&[(0, None, 7000)])?,
            annual_cap: Some(yuan(50_000)),
            ..base(medical, Category::Dibao, 2, second)
        },
    ])
}

/// Lays partners, programmes, policies and agreements.
pub(super) async fn lay(
    loading: &LoadingGate,
    rng: &mut ChaCha8Rng,
    now: DateTime<Utc>,
) -> Result<Programmes> {
    let founded = crate::rules::calendar::start_of_china_day(day(2016, 1, 1)).min(now);
    let partners: Vec<partner::Model> = partners()
        .into_iter()
        .map(|partner| partner::Model {
            id: seeded_id::<PartnerId>(rng, founded),
            code: partner.code,
            kind: partner.kind,
            name: partner.name,
            area: partner.area,
            created_at: founded,
            suspended_at: None,
        })
        .collect();
    let programmes: Vec<programme::Model> = PROGRAMMES
        .iter()
        .map(|(code, name, name_zh, fund)| programme::Model {
            id: seeded_id::<ProgrammeId>(rng, founded),
            code: (*code).into(),
            name: (*name).into(),
            name_zh: (*name_zh).into(),
            fund: *fund,
        })
        .collect();
    let [medical, veterans, _, charity_card, _] = programmes.as_slice() else {
        return Err(Error::internal("the demo's programmes"));
    };
    let (medical, veterans, charity_card) = (medical.id, veterans.id, charity_card.id);
    let mut agreements = Vec::new();
    for partner in &partners {
        let agreed: &[ProgrammeId] = match partner.kind {
            PartnerKind::Hospital => &[medical, veterans],
            PartnerKind::CharitySupermarket => &[charity_card],
            _ => &[],
        };
        agreements.extend(agreed.iter().map(|programme| agreement::Model {
            id: seeded_id::<AgreementId>(rng, founded),
            partner_id: partner.id,
            programme_id: *programme,
            valid_from: day(2016, 1, 1),
            valid_to: None,
        }));
    }
    let stacking = cap_group::Model {
        code: "SECOND_REIMBURSEMENT".into(),
        valid_from: day(2016, 1, 1),
        valid_to: None,
        stacking: Stacking::Sequential,
    };
    loading.lay::<partner::Entity>(partners).await?;
    loading.lay::<programme::Entity>(programmes).await?;
    loading.lay::<cap_group::Entity>(vec![stacking]).await?;
    loading.lay::<policy_version::Entity>(policies(rng, medical, veterans)?).await?;
    loading.lay::<agreement::Entity>(agreements).await?;
    Ok(Programmes { charity_card })
}
