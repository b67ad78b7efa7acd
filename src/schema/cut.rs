//! Each kind of partner has a schema of its own: what another kind may do is a name that does not exist.

use std::collections::BTreeSet;

use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::resolver_utils::EnumType;
use entity::kinds::{PartnerKind, Scope};

use crate::access::may_hold;
use crate::refusal::Code;

/// Every root field with the scopes one of which it takes; none: every partner may ask.
pub const ROOT_FIELDS: &[(&str, &[Scope])] = &[
    ("viewer", &[]),
    ("node", &[]),
    ("nodes", &[]),
    ("operation", &[]),
    ("partner", &[]),
    ("partners", &[]),
    ("coverage", &[Scope::CoverageRead]),
    ("settlementPreview", &[Scope::CoverageRead]),
    ("settlement", &[Scope::SettlementRead]),
    ("settlements", &[Scope::SettlementRead]),
    ("aidCard", &[Scope::CardRead]),
    ("redemption", &[Scope::CardRead]),
    ("redemptions", &[Scope::CardRead]),
    ("referral", &[Scope::ReferralRead]),
    ("referrals", &[Scope::ReferralRead]),
    ("consents", &[Scope::ReferralRead]),
    ("statement", &[Scope::StatementRead]),
    ("statements", &[Scope::StatementRead]),
    ("budgets", &[Scope::BudgetRead]),
    ("events", &[Scope::EventRead]),
    ("auditTrail", &[Scope::AuditRead]),
    ("looksAtPerson", &[Scope::AuditRead]),
    ("ledger", &[Scope::AuditRead]),
    ("clients", &[Scope::AdministrationRead]),
    ("staffMembers", &[Scope::AdministrationRead]),
    ("settle", &[Scope::SettlementWrite]),
    ("reverseSettlement", &[Scope::SettlementWrite]),
    ("redeemAidCard", &[Scope::CardRedeem]),
    ("refundRedemption", &[Scope::CardRedeem]),
    ("voidOperation", &[Scope::SettlementWrite, Scope::CardRedeem, Scope::ReferralWrite]),
    ("requestReferral", &[Scope::ReferralWrite]),
    ("acceptReferral", &[Scope::ReferralWrite]),
    ("declineReferral", &[Scope::ReferralWrite]),
    ("startReferral", &[Scope::ReferralWrite]),
    ("holdReferral", &[Scope::ReferralWrite]),
    ("completeReferral", &[Scope::ReferralWrite]),
    ("failReferral", &[Scope::ReferralWrite]),
    ("cancelReferral", &[Scope::ReferralWrite]),
    ("recordConsent", &[Scope::ConsentWrite]),
    ("withdrawConsent", &[Scope::ConsentWrite]),
    ("reconcile", &[Scope::StatementRead]),
    ("confirmStatement", &[Scope::StatementConfirm]),
    ("payStatement", &[Scope::StatementPay]),
    ("appropriate", &[Scope::BudgetWrite]),
    ("registerPartner", &[Scope::AdministrationWrite]),
    ("registerAgreement", &[Scope::AdministrationWrite]),
    ("endAgreement", &[Scope::AdministrationWrite]),
    ("registerClient", &[Scope::AdministrationWrite]),
    ("rotateClientSecret", &[Scope::AdministrationWrite]),
    ("registerDocuments", &[Scope::AdministrationWrite]),
    ("registerStaff", &[Scope::AdministrationWrite]),
    ("suspend", &[Scope::AdministrationWrite]),
    ("resume", &[Scope::AdministrationWrite]),
];

/// Fields of other types that only kinds have which may hold a scope.
const FURTHER_FIELDS: &[(&str, &str, Scope)] = &[
    ("Settlement", "unmaskedPatient", Scope::PersonUnmask),
    ("Referral", "unmaskedPerson", Scope::PersonUnmask),
    ("Viewer", "staff", Scope::AdministrationRead),
];

/// The scopes whose operations refuse with a code; none: those of every kind of partner do.
const fn refusing(code: Code) -> &'static [Scope] {
    use Scope::{
        BudgetWrite, CardRedeem, ConsentWrite, CoverageRead, ReferralWrite, SettlementWrite,
        StatementConfirm, StatementPay, StatementRead,
    };
    match code {
        Code::NotFound | Code::KeyReused | Code::KeyVoided | Code::NotVoidable | Code::Invalid => &[],
        Code::NotCovered
        | Code::NoPolicyInForce
        | Code::Suspended
        | Code::Deceased
        | Code::ThirdPartyLiable
        | Code::DuplicateStay
        | Code::OverlappingStay => &[CoverageRead, SettlementWrite],
        Code::BudgetExhausted => &[CoverageRead, SettlementWrite],
        Code::AmountDiffers => &[SettlementWrite, StatementConfirm],
        Code::AlreadyReversed => &[SettlementWrite],
        Code::MonthNotOver | Code::AlreadyConfirmed => &[StatementConfirm],
        Code::NotConfirmed | Code::AlreadyPaid => &[StatementPay],
        Code::NoAgreement | Code::AmountsDoNotAddUp => &[CoverageRead, SettlementWrite, CardRedeem],
        Code::DateOutOfRange => &[CoverageRead, SettlementWrite, ConsentWrite, StatementRead, BudgetWrite],
        Code::CardNotActivated
        | Code::CardFrozen
        | Code::CardExpired
        | Code::CardCancelled
        | Code::CardReplaced
        | Code::InsufficientBalance
        | Code::CategoryNotAllowed
        | Code::PeriodLimitExceeded
        | Code::DuplicateReceipt
        | Code::RefundExceedsRedemption => &[CardRedeem],
        Code::IllegalTransition | Code::ConsentRequired => &[ReferralWrite],
    }
}

fn may_hold_one(kind: PartnerKind, scopes: &[Scope]) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| may_hold(kind, *scope))
}

/// Whether a kind of partner has a root field at all.
pub fn has(kind: PartnerKind, field: &str) -> bool {
    ROOT_FIELDS.iter().any(|(name, scopes)| *name == field && may_hold_one(kind, scopes))
}

/// Takes out of a schema what a kind of partner never has: root fields, also where a list of them is described, the scopes that
/// it cannot hold, the codes that nothing answers it, and every type that only these lead to. Validation then answers for them
/// as for any unknown name.
pub fn cut(registry: &mut Registry, kind: PartnerKind) {
    let roots = [
        Some(registry.query_type.clone()),
        registry.mutation_type.clone(),
        registry.subscription_type.clone(),
    ];
    for root in roots.iter().flatten() {
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(root) {
            fields.retain(|name, _| name.starts_with("__") || has(kind, name));
            for description in fields.values_mut().filter_map(|field| field.description.as_mut()) {
                *description = without_others(description, kind);
            }
        }
    }
    for (of, name, _) in FURTHER_FIELDS.iter().filter(|(_, _, scope)| !may_hold(kind, *scope)) {
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(*of) {
            fields.shift_remove(*name);
        }
    }
    if let Some(MetaType::Enum { enum_values, .. }) = registry.types.get_mut("UserErrorCode") {
        let codes = Code::items();
        enum_values.retain(|word, _| {
            let code = codes.iter().find(|code| code.name == word);
            code.is_none_or(|code| may_hold_one(kind, refusing(code.value)))
        });
    }
    // Whoever registers clients names the scopes of every kind.
    let names_all = may_hold(kind, Scope::AdministrationWrite);
    if let Some(MetaType::Enum { enum_values, .. }) = registry.types.get_mut("Scope").filter(|_| !names_all) {
        enum_values.retain(|word, _| Scope::of_word(word).is_none_or(|scope| may_hold(kind, scope)));
    }
    let reached = reached(registry, roots.iter().flatten());
    if let Some(MetaType::Interface { possible_types, .. }) = registry.types.get_mut("Node") {
        possible_types.retain(|name| reached.contains(name));
    }
    registry.implements.retain(|name, _| reached.contains(name));
    registry.remove_unused_types();
}

/// A description whose lists, such as `a`, `b`, `c`, have only root fields of a kind of partner.
fn without_others(description: &str, kind: PartnerKind) -> String {
    let others = ROOT_FIELDS.iter().filter(|(name, _)| !has(kind, name));
    others.fold(description.to_owned(), |text, (name, _)| {
        text.replace(&format!("`{name}`, "), "").replace(&format!(", `{name}`"), "")
    })
}

/// The output types that fields lead to, not counting what an interface might turn out to be.
fn reached<'a>(registry: &Registry, roots: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<String> = roots.cloned().collect();
    while let Some(name) = waiting.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        for field in
            registry.types.get(&name).and_then(MetaType::fields).into_iter().flatten().map(|(_, field)| field)
        {
            waiting.push(MetaTypeName::concrete_typename(&field.ty).to_owned());
        }
    }
    reached
}
