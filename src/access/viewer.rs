//! Who is asking: a partner, through a client or a person of its staff, with the scopes of its token.

use std::collections::HashSet;
use std::sync::Arc;

use entity::id::{PartnerId, TokenId};
use entity::kinds::{PartnerKind, Role, Scope};
use entity::{client, partner, staff};
use sha2::{Digest as _, Sha256};

use crate::page::type_id;

/// A partner with a live token. Made only from a verified token and its live row ([`crate::access::Gate`]).
#[derive(Clone)]
pub struct Viewer {
    partner: Arc<partner::Model>,
    client: Option<Arc<client::Model>>,
    staff: Option<Arc<staff::Model>>,
    scopes: Arc<[Scope]>,
    token: TokenId,
    /// What its client may send, when that is not anything.
    documents: Option<Arc<Documents>>,
}

/// SHA-256 of each document that was registered for a client.
pub(super) type Documents = HashSet<[u8; 32]>;

/// Whom a token row leads to.
pub(super) struct Bearer {
    pub(super) partner: partner::Model,
    pub(super) client: Option<client::Model>,
    pub(super) staff: Option<staff::Model>,
}

impl Bearer {
    /// The `sub` of its tokens: a client or a person by id, else the partner by its code.
    pub(super) fn subject(&self) -> String {
        match (&self.staff, &self.client) {
            (Some(staff), _) => type_id(staff.id),
            (None, Some(client)) => type_id(client.id),
            (None, None) => self.partner.code.clone(),
        }
    }

    /// Whether any of those that it takes is suspended.
    pub(super) fn is_suspended(&self) -> bool {
        self.partner.suspended_at.is_some()
            || self.client.as_ref().is_some_and(|client| client.suspended_at.is_some())
            || self.staff.as_ref().is_some_and(|staff| staff.suspended_at.is_some())
    }

    /// Whether this bearer may hold a scope now, whatever its token says.
    pub(super) fn may_hold(&self, scope: Scope) -> bool {
        let of_kind = may_hold(self.partner.kind, scope);
        let of_person = match &self.staff {
            Some(staff) => roles_of(staff).any(|role| role_may_hold(role, scope)),
            None => !is_of_people(scope),
        };
        let of_client =
            self.client.as_ref().is_none_or(|client| words(&client.scopes).any(|held| held == scope));
        of_kind && of_person && of_client
    }
}

/// The scopes that a column or a claim names; words that name none are passed over.
pub(super) fn words(text: &str) -> impl Iterator<Item = Scope> {
    text.split(' ').filter_map(Scope::of_word)
}

/// The duties of a person.
pub fn roles_of(staff: &staff::Model) -> impl Iterator<Item = Role> {
    staff.roles.split(' ').filter_map(Role::of_word)
}

impl Viewer {
    /// Scopes that the bearer may not hold are dropped, whatever the token says.
    pub(super) fn new(bearer: Bearer, scopes: &[Scope], token: TokenId) -> Self {
        let scopes = scopes.iter().copied().filter(|scope| bearer.may_hold(*scope)).collect();
        Self {
            partner: Arc::new(bearer.partner),
            client: bearer.client.map(Arc::new),
            staff: bearer.staff.map(Arc::new),
            scopes,
            token,
            documents: None,
        }
    }

    /// The bureau, administrated by the program's own commands.
    pub(super) fn steward(bureau: partner::Model, token: TokenId) -> Self {
        let scopes = [Scope::AdministrationRead, Scope::AdministrationWrite];
        Self {
            partner: Arc::new(bureau),
            client: None,
            staff: None,
            documents: None,
            scopes: Arc::new(scopes),
            token,
        }
    }

    /// The code of the person who acts, as records keep it; of the program's own commands its name.
    pub(super) fn operator(&self) -> Option<&str> {
        match &self.staff {
            Some(staff) => Some(&staff.code),
            None if self.scopes.iter().any(|scope| is_of_people(*scope)) => Some("onestop"),
            None => None,
        }
    }

    /// Who may send these documents alone.
    pub(super) fn sending(self, documents: Option<Documents>) -> Self {
        Self { documents: documents.map(Arc::new), ..self }
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

    /// The system that asks; none of a token that the bureau gave out itself, and of a person's.
    pub fn client(&self) -> Option<&Arc<client::Model>> {
        self.client.as_ref()
    }

    /// The person who acts; none of a system.
    pub fn staff(&self) -> Option<&Arc<staff::Model>> {
        self.staff.as_ref()
    }

    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Whether a document may be sent: any, or of a client of trusted documents one that was registered for it, byte for byte.
    pub fn may_send(&self, document: &str) -> bool {
        let digest = || <[u8; 32]>::from(Sha256::digest(document));
        self.documents.as_ref().is_none_or(|documents| documents.contains(&digest()))
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
        Scope::AuditRead | Scope::PersonUnmask | Scope::AdministrationRead | Scope::AdministrationWrite => {
            match kind {
                Bureau => true,
                SubdistrictOffice | Hospital | DisabilityFederation | CharityFederation
                | CharitySupermarket | HomeCareProvider => false,
            }
        }
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

/// Whether only a person may hold a scope: no system gives out rights.
pub const fn is_of_people(scope: Scope) -> bool {
    matches!(scope, Scope::AdministrationRead | Scope::AdministrationWrite)
}

/// Which duties may ever hold a scope.
pub const fn role_may_hold(role: Role, scope: Scope) -> bool {
    use Role::{Administrator, Auditor, Clerk, Decider, Paymaster};
    match scope {
        Scope::CoverageRead | Scope::SettlementWrite | Scope::CardRedeem | Scope::StatementConfirm => false,
        Scope::SettlementRead | Scope::CardRead | Scope::ReferralRead => match role {
            Clerk | Decider | Auditor => true,
            Paymaster | Administrator => false,
        },
        Scope::ReferralWrite | Scope::ConsentWrite => match role {
            Clerk | Decider => true,
            Paymaster | Auditor | Administrator => false,
        },
        Scope::StatementRead | Scope::BudgetRead => match role {
            Clerk | Decider | Paymaster | Auditor => true,
            Administrator => false,
        },
        Scope::StatementPay => match role {
            Paymaster => true,
            Clerk | Decider | Auditor | Administrator => false,
        },
        Scope::BudgetWrite => match role {
            Decider => true,
            Clerk | Paymaster | Auditor | Administrator => false,
        },
        Scope::PersonUnmask => match role {
            Clerk | Decider => true,
            Paymaster | Auditor | Administrator => false,
        },
        Scope::EventRead => match role {
            Clerk | Decider | Paymaster | Auditor | Administrator => true,
        },
        Scope::AuditRead => match role {
            Auditor => true,
            Clerk | Decider | Paymaster | Administrator => false,
        },
        Scope::AdministrationRead => match role {
            Administrator | Auditor => true,
            Clerk | Decider | Paymaster => false,
        },
        Scope::AdministrationWrite => match role {
            Administrator => true,
            Clerk | Decider | Paymaster | Auditor => false,
        },
    }
}

/// Every scope that a system of a kind of partner may hold.
pub fn scopes_of(kind: PartnerKind) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| may_hold(kind, *scope) && !is_of_people(*scope)).collect()
}

/// Every scope that duties open to a person of a kind of partner.
pub fn scopes_of_roles(kind: PartnerKind, roles: &[Role]) -> Vec<Scope> {
    let open =
        |scope: &Scope| may_hold(kind, *scope) && roles.iter().any(|role| role_may_hold(*role, *scope));
    Scope::ALL.iter().copied().filter(open).collect()
}
