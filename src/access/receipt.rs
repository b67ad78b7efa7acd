//! Receipts: what an act moved, signed, so that anybody who has the published keys can verify it without the server.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::SecondsFormat;
use entity::kinds::{Account, PostingKind};
use entity::{Fen, entry, partner};
use serde::{Deserialize, Serialize};

use super::act::Act;
use super::jwks::{ALGORITHM, PublicKeys};
use super::keys::Keys;
use super::policy::owns;
use crate::error::{Error, Result};

/// The `typ` of its header: not that of an access token, so that neither passes for the other.
const TYPE: &str = "onestop-receipt+jws";
/// The `iss` of every receipt.
const ISSUER: &str = "onestop";
const CURRENCY: &str = "CNY";
const LONGEST: usize = 4096;
/// Most of a stranger's text that is shown.
const LONGEST_SHOWN: usize = 60;

/// What a receipt says, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub iss: String,
    /// The mutation's name in the contract.
    pub mutation: String,
    /// The partner's key.
    pub key: String,
    /// The id of what came out of it; of a void, the key that it undid.
    pub result: String,
    /// In yuan with two decimals; above zero it came to the partner, below zero it went from it.
    pub amount: String,
    pub currency: String,
    /// The code of the partner that acted.
    pub partner: String,
    /// When it was done: RFC 3339, UTC, with microseconds.
    pub at: String,
}

/// The protected header; one that says more is not of this server.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(default)]
    typ: String,
    #[serde(default)]
    alg: String,
    #[serde(default)]
    kid: String,
}

/// What is wrong with a receipt.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No three parts of base64url.
    NotCompact,
    Header,
    Algorithm(String),
    Type(String),
    UnknownKey(String),
    Signature,
    Claims,
    Issuer(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text.chars().take(LONGEST_SHOWN).collect::<String>();
        match self {
            Self::NotCompact => {
                f.write_str("it is not three parts of base64url with dots between; was it copied whole?")
            }
            Self::Header => f.write_str("its header is not that of a receipt"),
            Self::Algorithm(alg) => write!(f, "its algorithm is {:?}, not {ALGORITHM}", shown(alg)),
            Self::Type(typ) => write!(f, "its type is {:?}, not {TYPE}", shown(typ)),
            Self::UnknownKey(kid) => write!(f, "its key {:?} is not among the published keys", shown(kid)),
            Self::Signature => {
                f.write_str("its signature is wrong: it was changed, or somebody else signed it")
            }
            Self::Claims => f.write_str("what is signed is not the content of a receipt"),
            Self::Issuer(iss) => write!(f, "its issuer is {:?}, not {ISSUER}", shown(iss)),
        }
    }
}

impl Receipt {
    /// As a compact JWS. Equal receipts are signed with equal signatures.
    fn sign(&self, keys: &Keys) -> Result<String> {
        let active = keys.active();
        let header = Header { typ: TYPE.into(), alg: ALGORITHM.into(), kid: active.kid.clone() };
        let signed = format!("{}.{}", encoded(&header)?, encoded(self)?);
        let signature = URL_SAFE_NO_PAD.encode(active.sign(signed.as_bytes()));
        Ok(format!("{signed}.{signature}"))
    }

    /// What a receipt says, when one of the keys signed it as a receipt.
    pub fn verify(receipt: &str, keys: &PublicKeys) -> std::result::Result<Self, Flaw> {
        let (signed, signature) = receipt.rsplit_once('.').ok_or(Flaw::NotCompact)?;
        let (header, claims) = signed.split_once('.').ok_or(Flaw::NotCompact)?;
        if receipt.len() > LONGEST {
            return Err(Flaw::NotCompact);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::NotCompact);
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
        let header: Header = serde_json::from_slice(&header).map_err(|_| Flaw::Header)?;
        if header.alg != ALGORITHM {
            return Err(Flaw::Algorithm(header.alg));
        }
        if header.typ != TYPE {
            return Err(Flaw::Type(header.typ));
        }
        match keys.signed(&header.kid, signed.as_bytes(), &signature) {
            None => return Err(Flaw::UnknownKey(header.kid)),
            Some(false) => return Err(Flaw::Signature),
            Some(true) => {}
        }
        let receipt: Self = serde_json::from_slice(&claims).map_err(|_| Flaw::Claims)?;
        if receipt.iss != ISSUER {
            return Err(Flaw::Issuer(receipt.iss));
        }
        Ok(receipt)
    }
}

fn encoded(part: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(part).map_err(|error| Error::internal(format!("a receipt: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

impl Act {
    /// The receipt of what the act posted to the ledger; none when nothing came to or went from the partner.
    pub(super) fn receipt(&self, mutation: &str, result: &str) -> Result<Option<String>> {
        let me = self.slice().viewer().partner();
        let Some(amount) = moved(&self.entries, me)? else { return Ok(None) };
        let receipt = Receipt {
            iss: ISSUER.into(),
            mutation: mutation.to_owned(),
            key: self.key().to_owned(),
            result: result.to_owned(),
            amount: amount.to_yuan().to_string(),
            currency: CURRENCY.into(),
            partner: me.code.clone(),
            at: self.now().to_rfc3339_opts(SecondsFormat::Micros, true),
        };
        receipt.sign(self.slice().keys()).map(Some)
    }
}

/// What entries bring a partner, below zero what they take: in what it is owed, and in the treasury of a fund that it owns.
pub(super) fn moved(entries: &[entry::Model], me: &partner::Model) -> Result<Option<Fen>> {
    let mut moved = None;
    let moving = entries.iter().filter(|entry| entry.kind != PostingKind::CarryForward);
    for entry in moving {
        let brought = match entry.account {
            Account::Payable if entry.partner_id == Some(me.id) => entry.amount.negated(),
            Account::Treasury if owns(me, entry.book) => Some(entry.amount),
            _ => continue,
        };
        let sum = brought.and_then(|brought| moved.unwrap_or(Fen::ZERO).checked_add(brought));
        moved = Some(sum.ok_or_else(|| Error::internal("a receipt beyond 64 bits of fen"))?);
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::id::{PartnerId, PostingId};
    use entity::kinds::{FundSource, PartnerKind};
    use serde_json::{Value as Json, json};
    use uuid::Uuid;

    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            iss: ISSUER.into(),
            mutation: "settle".into(),
            key: "HIS-1".into(),
            result: "settlement_1".into(),
            amount: "5040.00".into(),
            currency: CURRENCY.into(),
            partner: "H41999900153".into(),
            at: "2016-11-23T08:17:00.000001Z".into(),
        }
    }

    fn part(json: &Json) -> String {
        URL_SAFE_NO_PAD.encode(json.to_string())
    }

    /// Signed by the server's own key, whatever it says.
    fn signed(keys: &Keys, header: &Json, claims: &Json) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(keys.active().sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn flaw(receipt: &str, keys: &Keys) -> Flaw {
        Receipt::verify(receipt, &keys.public()).expect_err("it is not valid")
    }

    #[test]
    fn what_is_signed_is_read_again() {
        let keys = Keys::ephemeral().unwrap();
        let signed = receipt().sign(&keys).unwrap();
        assert_eq!(Receipt::verify(&signed, &keys.public()), Ok(receipt()));
        assert_eq!(receipt().sign(&keys).unwrap(), signed, "always the same");
    }

    #[test]
    fn no_sign_of_a_receipt_can_be_changed() {
        let keys = Keys::ephemeral().unwrap();
        let signed = receipt().sign(&keys).unwrap();
        for place in 0..signed.len() {
            for other in ["A", "B", ".", "=", " ", "%"] {
                let mut changed = signed.clone();
                changed.replace_range(place..=place, other);
                assert!(changed == signed || Receipt::verify(&changed, &keys.public()).is_err(), "{changed}");
            }
            assert!(Receipt::verify(&signed[..place], &keys.public()).is_err(), "cut off after {place}");
        }
    }

    #[test]
    fn forged_receipts_are_refused() {
        let keys = Keys::ephemeral().unwrap();
        let other = Keys::ephemeral().unwrap();
        let kid = &keys.active().kid;
        let claims = serde_json::to_value(receipt()).unwrap();
        let header = |alg: &str, typ: &str| json!({ "alg": alg, "typ": typ, "kid": kid });
        let good = header(ALGORITHM, TYPE);
        assert_eq!(Receipt::verify(&signed(&keys, &good, &claims), &keys.public()), Ok(receipt()));
        let unsigned = format!("{}.{}.", part(&header("none", TYPE)), part(&claims));
        assert_eq!(flaw(&unsigned, &keys), Flaw::Algorithm("none".into()));
        for alg in ["none", "HS256", "ES256", "eddsa", ""] {
            let forged = signed(&keys, &header(alg, TYPE), &claims);
            assert_eq!(flaw(&forged, &keys), Flaw::Algorithm(alg.into()));
        }
        for typ in ["at+jwt", "JWT", ""] {
            assert_eq!(flaw(&signed(&keys, &header(ALGORITHM, typ), &claims), &keys), Flaw::Type(typ.into()));
        }
        let mut more = good.clone();
        more["crit"] = json!(["exp"]);
        assert_eq!(flaw(&signed(&keys, &more, &claims), &keys), Flaw::Header);
        let by_another = receipt().sign(&other).unwrap();
        assert_eq!(flaw(&by_another, &keys), Flaw::UnknownKey(other.active().kid.clone()));
        assert_eq!(flaw(&signed(&other, &good, &claims), &keys), Flaw::Signature, "under our name");
        let ours = signed(&keys, &good, &claims);
        let parts: Vec<&str> = ours.split('.').collect();
        let mut richer = claims.clone();
        richer["amount"] = json!("50400.00");
        let raised = format!("{}.{}.{}", parts[0], part(&richer), parts[2]);
        assert_eq!(flaw(&raised, &keys), Flaw::Signature);
        let mut elsewhere = claims.clone();
        elsewhere["iss"] = json!("elsewhere");
        assert_eq!(flaw(&signed(&keys, &good, &elsewhere), &keys), Flaw::Issuer("elsewhere".into()));
        assert_eq!(flaw(&signed(&keys, &good, &json!({ "iss": ISSUER })), &keys), Flaw::Claims);
        for broken in ["", "a", "a.b", "..", "a.b.c.d", &format!("{ours}.{ours}"), &format!("{ours}\n")] {
            assert!(matches!(flaw(broken, &keys), Flaw::NotCompact | Flaw::Header), "{broken}");
        }
        let long = format!("{}{ours}", "A".repeat(LONGEST));
        assert_eq!(flaw(&long, &keys), Flaw::NotCompact);
    }

    #[test]
    fn what_is_wrong_is_said_without_signs_that_move_a_screen() {
        let told = Flaw::Type(format!("\u{1b}[2J\u{202e}{}", "x".repeat(1000))).to_string();
        assert!(told.len() < 200 && !told.contains(['\u{1b}', '\u{202e}']), "{told}");
    }

    fn partner(id: u128, kind: PartnerKind) -> partner::Model {
        partner::Model {
            id: PartnerId::from(Uuid::from_u128(id)),
            code: String::new(),
            kind,
            name: String::new(),
            area: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            suspended_at: None,
        }
    }

    fn entry(account: Account, book: FundSource, partner: Option<u128>, amount: i64) -> entry::Model {
        entry::Model {
            posting_id: PostingId::from(Uuid::nil()),
            number: 0,
            book,
            account,
            kind: PostingKind::Payment,
            amount: Fen::new(amount),
            programme_id: None,
            year: None,
            partner_id: partner.map(|id| PartnerId::from(Uuid::from_u128(id))),
            aid_card_id: None,
            person_id: None,
            cap_group: None,
            statement_id: None,
            source_id: Uuid::nil(),
            corrects: None,
            operation_key: String::new(),
            reference: None,
            acted_at: DateTime::UNIX_EPOCH,
            posted_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_amount_is_what_came_to_the_partner_or_went_from_it() {
        use Account::{Payable, Spending, Treasury};
        use FundSource::{Charity, Fiscal};
        let hospital = partner(1, PartnerKind::Hospital);
        let bureau = partner(2, PartnerKind::Bureau);
        fn brought(entries: &[entry::Model], me: &partner::Model) -> Option<i64> {
            moved(entries, me).unwrap().map(Fen::get)
        }
        let settled = [entry(Payable, Fiscal, Some(1), -5_040), entry(Spending, Fiscal, None, 5_040)];
        assert_eq!(brought(&settled, &hospital), Some(5_040));
        assert_eq!(brought(&settled, &partner(3, PartnerKind::Hospital)), None, "another's");
        let paid = [entry(Payable, Fiscal, Some(1), 900), entry(Treasury, Fiscal, None, -900)];
        assert_eq!(brought(&paid, &bureau), Some(-900));
        assert_eq!(brought(&paid, &partner(3, PartnerKind::CharityFederation)), None, "the other fund");
        let nothing = [entry(Payable, Fiscal, Some(1), 0), entry(Spending, Fiscal, None, 0)];
        assert_eq!(brought(&nothing, &hospital), Some(0));
        assert_eq!(brought(&[], &hospital), None);
        let two = [entry(Payable, Charity, Some(1), -300), entry(Payable, Charity, Some(1), 100)];
        assert_eq!(brought(&two, &hospital), Some(200));
        let carried = two.map(|entry| entry::Model { kind: PostingKind::CarryForward, ..entry });
        assert_eq!(brought(&carried, &hospital), None, "from month to month");
    }
}
