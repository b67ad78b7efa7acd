//! Who is asking: a partner with the scopes of its token.

use std::sync::Arc;

use entity::id::{PartnerId, TokenId};
use entity::kinds::{PartnerKind, Scope};
use entity::partner;

/// A partner with a live token. Made only from a verified token and its live row ([`crate::access::Gate`]).
#[derive(Clone)]
pub struct Viewer {
    partner: Arc<partner::Model>,
    scopes: Arc<[Scope]>,
    token: TokenId,
}

impl Viewer {
    /// Scopes that the partner's kind may never hold are dropped, whatever the token says.
    pub(super) fn new(partner: Arc<partner::Model>, scopes: &[Scope], token: TokenId) -> Self {
        let scopes = scopes.iter().copied().filter(|scope| may_hold(partner.kind, *scope)).collect();
        Self { partner, scopes, token }
    }

    pub fn partner(&self) -> &Arc<partner::Model> {
        &self.partner
    }

    pub fn partner_id(&self) -> PartnerId {
        self.partner.id
    }

    pub fn kind(&self) -> PartnerKind {
        self.partner.kind
    }

    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The token that was presented.
    pub fn token(&self) -> TokenId {
        self.token
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// Which kinds of partner may ever hold a scope; everything that is not said here is denied.
pub const fn may_hold(kind: PartnerKind, scope: Scope) -> bool {
    use PartnerKind::{
        Bureau, CharityFederation, CharitySupermarket, DisabilityFederation, HomeCareProvider, Hospital,
        SubdistrictOffice,
    };
    match scope {
        Scope::CoverageRead | Scope::SettlementWrite => match kind {
            Hospital => true,
            Bureau | SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket
            | HomeCareProvider => false,
        },
        Scope::SettlementRead => match kind {
            Hospital | Bureau => true,
            SubdistrictOffice | DisabilityFederation | CharityFederation | CharitySupermarket
            | HomeCareProvider => false,
        },
        Scope::CardRead => match kind {
            CharitySupermarket | CharityFederation | Bureau => true,
            Hospital | SubdistrictOffice | DisabilityFederation | HomeCareProvider => false,
        },
        Scope::CardRedeem => match kind {
            CharitySupermarket => true,
            Bureau | Hospital | SubdistrictOffice | DisabilityFederation | CharityFederation
            | HomeCareProvider => false,
        },
        Scope::ReferralRead | Scope::ReferralWrite | Scope::ConsentWrite => match kind {
            Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation
            | HomeCareProvider => true,
            CharitySupermarket => false,
        },
        Scope::EventRead => match kind {
            Bureau | SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation
            | CharitySupermarket | HomeCareProvider => true,
        },
        // A hospital was told name and number by the patient; a receiver sees what the consent opens.
        Scope::AuditRead | Scope::PersonUnmask => match kind {
            Bureau => true,
            SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation | CharitySupermarket
            | HomeCareProvider => false,
        },
        Scope::StatementRead => match kind {
            Bureau | Hospital | CharityFederation | CharitySupermarket | HomeCareProvider => true,
            SubdistrictOffice | DisabilityFederation => false,
        },
        Scope::StatementConfirm => match kind {
            Hospital | CharitySupermarket | HomeCareProvider => true,
            Bureau | SubdistrictOffice | DisabilityFederation | CharityFederation => false,
        },
        Scope::StatementPay | Scope::BudgetRead | Scope::BudgetWrite => match kind {
            Bureau | CharityFederation => true,
            SubdistrictOffice | Hospital | DisabilityFederation | CharitySupermarket | HomeCareProvider => {
                false
            }
        },
    }
}

/// Every scope that a kind of partner may hold.
pub fn scopes_of(kind: PartnerKind) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| may_hold(kind, *scope)).collect()
}
