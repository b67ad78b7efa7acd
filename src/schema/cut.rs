//! Each kind of partner has a schema of its own: what another kind may do is a name that does not exist.

use std::collections::BTreeSet;

use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use entity::kinds::{PartnerKind, Scope};

use crate::access::may_hold;

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
];

/// Whether a kind of partner has a root field at all.
pub fn has(kind: PartnerKind, field: &str) -> bool {
    ROOT_FIELDS
        .iter()
        .find(|(name, _)| *name == field)
        .is_some_and(|(_, scopes)| scopes.is_empty() || scopes.iter().any(|scope| may_hold(kind, *scope)))
}

/// Takes out of a schema what a kind of partner never has: root fields, the scopes it cannot hold, and every type that only
/// these lead to. Validation then answers for them as for any unknown name.
pub fn cut(registry: &mut Registry, kind: PartnerKind) {
    let roots = [Some(registry.query_type.clone()), registry.mutation_type.clone()];
    for root in roots.iter().flatten() {
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(root) {
            fields.retain(|name, _| name.starts_with("__") || has(kind, name));
        }
    }
    if let Some(MetaType::Enum { enum_values, .. }) = registry.types.get_mut("Scope") {
        enum_values.retain(|word, _| Scope::of_word(word).is_none_or(|scope| may_hold(kind, scope)));
    }
    let reached = reached(registry, roots.iter().flatten());
    if let Some(MetaType::Interface { possible_types, .. }) = registry.types.get_mut("Node") {
        possible_types.retain(|name| reached.contains(name));
    }
    registry.implements.retain(|name, _| reached.contains(name));
    registry.remove_unused_types();
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
