//! What is served keeps the contract's word: it may say more, never otherwise. What is not served yet is listed here.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

const CONTRACT: &str = include_str!("contract.graphql");

/// What the contract promises and this server does not have yet: types, fields (`Type.field`) and words of enums.
const NOT_SERVED_YET: &[&str] = &[
    "AnnualReport",
    "Case",
    "CaseBy",
    "CaseConnection",
    "CaseEdge",
    "CaseFilter",
    "CaseStatus",
    "ChannelYear",
    "PlanItem",
    "ProgrammeYear",
    "Query.annualReport",
    "Query.caseFile",
    "Query.cases",
    "Query.programmes",
    "Query.subsidies",
    "Scope.CASE_READ",
    "Scope.CASE_WRITE",
    "Scope.REPORT_READ",
    "Scope.SUBSIDY_READ",
    "Subsidy",
    "SubsidyConnection",
    "SubsidyEdge",
    "SubsidyFilter",
    "SubsidyStatus",
    "Verdict",
];

/// What the server says beyond the contract.
const SAID_BESIDES: &[&str] = &[
    "AgreementPayload",
    "AppropriateInput",
    "AppropriatePayload",
    "AuditOutcome",
    "AuditRecord",
    "AuditRecordConnection",
    "AuditRecordEdge",
    "Budget",
    "Client",
    "ClientAuthentication",
    "ClientConnection",
    "ClientEdge",
    "ClientPayload",
    "Consent.recordedAt",
    "Consent.recorder",
    "Consent.wordingVersion",
    "ConsentConnection",
    "ConsentEdge",
    "ConsentSide",
    "DocumentInput",
    "EndAgreementInput",
    "LedgerEntry",
    "Mutation.appropriate",
    "Mutation.endAgreement",
    "Mutation.payStatement",
    "Mutation.registerAgreement",
    "Mutation.registerClient",
    "Mutation.registerDocuments",
    "Mutation.registerPartner",
    "Mutation.registerStaff",
    "Mutation.resume",
    "Mutation.rotateClientSecret",
    "Mutation.suspend",
    "Operation.receipt",
    "PayStatementInput",
    "PayStatementPayload",
    "Posting",
    "PostingConnection",
    "PostingEdge",
    "Query.auditTrail",
    "Query.budgets",
    "Query.clients",
    "Query.consents",
    "Query.ledger",
    "Query.looksAtPerson",
    "Query.staff",
    "Query.statements",
    "RedeemAidCardPayload.receipt",
    "Referral.unmaskedPerson",
    "RefundRedemptionPayload.receipt",
    "RegisterAgreementInput",
    "RegisterClientInput",
    "RegisterDocumentsInput",
    "RegisterDocumentsPayload",
    "RegisterPartnerInput",
    "RegisterPartnerPayload",
    "RegisterStaffInput",
    "RegisterStaffPayload",
    "ReverseSettlementPayload.receipt",
    "Role",
    "RotateClientSecretInput",
    "Scope.ADMINISTRATION_READ",
    "Scope.ADMINISTRATION_WRITE",
    "Scope.AUDIT_READ",
    "Scope.BUDGET_READ",
    "Scope.BUDGET_WRITE",
    "Scope.PERSON_UNMASK",
    "Scope.STATEMENT_PAY",
    "SettlePayload.receipt",
    "Settlement.unmaskedPatient",
    "Staff.area",
    "Staff.roles",
    "Staff.suspendedAt",
    "StaffConnection",
    "StaffEdge",
    "Statement.bankReference",
    "Statement.confirmedAt",
    "Statement.csvPath",
    "Statement.paidAt",
    "StatementConnection",
    "StatementEdge",
    "StatementFilter",
    "StatementLineKind.CARRIED",
    "SuspensionInput",
    "SuspensionPayload",
    "UnmaskPurpose",
    "UnmaskedPerson",
    "UserErrorCode.ALREADY_CONFIRMED",
    "UserErrorCode.ALREADY_PAID",
    "UserErrorCode.NOT_CONFIRMED",
    "VoidOperationPayload.receipt",
];

type Types = BTreeMap<String, TypeDefinition>;

fn types(sdl: &str) -> Types {
    let document = parse_schema(sdl).unwrap();
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    types.map(|definition| (definition.name.node.to_string(), definition)).collect()
}

fn contract() -> Types {
    types(CONTRACT)
}

fn served() -> Types {
    types(&onestop::schema::sdl())
}

fn kind(definition: &TypeDefinition) -> &'static str {
    match definition.kind {
        TypeKind::Scalar => "scalar",
        TypeKind::Object(_) => "type",
        TypeKind::Interface(_) => "interface",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(_) => "enum",
        TypeKind::InputObject(_) => "input",
    }
}

fn fields(definition: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &definition.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn inputs(definition: &TypeDefinition) -> &[Positioned<InputValueDefinition>] {
    match &definition.kind {
        TypeKind::InputObject(input) => &input.fields,
        _ => &[],
    }
}

fn words(definition: &TypeDefinition) -> BTreeSet<String> {
    match &definition.kind {
        TypeKind::Enum(words) => words.values.iter().map(|word| word.node.value.node.to_string()).collect(),
        _ => BTreeSet::new(),
    }
}

fn interfaces(definition: &TypeDefinition) -> BTreeSet<String> {
    match &definition.kind {
        TypeKind::Object(object) => object.implements.iter().map(|name| name.node.to_string()).collect(),
        TypeKind::Interface(interface) => {
            interface.implements.iter().map(|name| name.node.to_string()).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn directives(of: &[Positioned<ConstDirective>]) -> BTreeSet<String> {
    of.iter().map(|directive| directive.node.name.node.to_string()).collect()
}

/// `name: Type! = default`, one per argument.
fn input(value: &InputValueDefinition) -> String {
    let default =
        value.default_value.as_ref().map(|default| format!(" = {}", default.node)).unwrap_or_default();
    format!("{}: {}{default}", value.name.node, value.ty.node)
}

/// Whether a client that does not know an input may leave it out.
fn may_be_left_out(value: &InputValueDefinition) -> bool {
    value.ty.node.nullable || value.default_value.is_some()
}

/// The parts of a type by name, each as the contract's text would have it.
fn parts(definition: &TypeDefinition) -> BTreeMap<String, String> {
    let fields = fields(definition).iter().map(|field| {
        let field = &field.node;
        (field.name.node.to_string(), format!("{}: {}", field.name.node, field.ty.node))
    });
    let inputs =
        inputs(definition).iter().map(|field| (field.node.name.node.to_string(), input(&field.node)));
    let words = words(definition).into_iter().map(|word| (word.clone(), word));
    fields.chain(inputs).chain(words).collect()
}

#[test]
fn what_is_served_has_the_contracts_types() {
    let served = served();
    for (name, promised) in contract() {
        let Some(found) = served.get(&name) else { continue };
        assert_eq!(kind(found), kind(&promised), "{name}");
        assert!(
            interfaces(&promised).is_subset(&interfaces(found)),
            "{name} implements {:?}",
            interfaces(found)
        );
        assert_eq!(directives(&found.directives), directives(&promised.directives), "{name}");
        let parts_found = parts(found);
        for (part, text) in parts(&promised) {
            let Some(found) = parts_found.get(&part) else { continue };
            assert_eq!(found, &text, "{name}");
        }
    }
}

#[test]
fn arguments_and_their_defaults_are_the_contracts() {
    let served = served();
    for (name, promised) in contract() {
        let Some(found) = served.get(&name) else { continue };
        for field in fields(&promised) {
            let field = &field.node;
            let Some(found) = fields(found).iter().find(|found| found.node.name.node == field.name.node)
            else {
                continue;
            };
            let place = format!("{name}.{}", field.name.node);
            let arguments = |field: &FieldDefinition| -> BTreeMap<String, String> {
                field
                    .arguments
                    .iter()
                    .map(|value| (value.node.name.node.to_string(), input(&value.node)))
                    .collect()
            };
            let found_arguments = arguments(&found.node);
            for (argument, text) in arguments(field) {
                assert_eq!(found_arguments.get(&argument), Some(&text), "{place}");
            }
            let known: BTreeSet<&str> =
                field.arguments.iter().map(|value| value.node.name.node.as_str()).collect();
            for more in
                found.node.arguments.iter().filter(|value| !known.contains(value.node.name.node.as_str()))
            {
                assert!(may_be_left_out(&more.node), "{place} demands {}", input(&more.node));
            }
        }
    }
}

#[test]
fn a_client_of_the_contract_leaves_no_demanded_input_out() {
    let contract = contract();
    for (name, found) in served() {
        let Some(promised) = contract.get(&name) else { continue };
        let known: BTreeSet<&str> =
            inputs(promised).iter().map(|field| field.node.name.node.as_str()).collect();
        for more in inputs(&found).iter().filter(|field| !known.contains(field.node.name.node.as_str())) {
            assert!(may_be_left_out(&more.node), "{name} demands {}", input(&more.node));
        }
    }
}

/// Types and `Type.part` that the one has and the other lacks.
fn lacking(of: &Types, other: &Types) -> Vec<String> {
    let mut lacking = BTreeSet::new();
    for (name, definition) in of {
        match other.get(name) {
            None => {
                lacking.insert(name.clone());
            }
            Some(found) => {
                let found = parts(found);
                let missing = parts(definition).into_keys().filter(|part| !found.contains_key(part));
                lacking.extend(missing.map(|part| format!("{name}.{part}")));
            }
        }
    }
    lacking.into_iter().collect()
}

#[test]
fn nothing_of_the_contract_is_missing_but_what_is_listed() {
    assert_eq!(lacking(&contract(), &served()), NOT_SERVED_YET);
}

#[test]
fn nothing_is_served_beyond_the_contract_but_what_is_listed() {
    assert_eq!(lacking(&served(), &contract()), SAID_BESIDES);
}

fn said<T: AsRef<str>>(description: &Option<Positioned<T>>) -> bool {
    description.as_ref().is_some_and(|text| !text.node.as_ref().trim().is_empty())
}

#[test]
fn whatever_the_contract_explains_is_explained() {
    let contract = contract();
    let mut silent = Vec::new();
    for (name, found) in served() {
        let Some(promised) = contract.get(&name) else { continue };
        if said(&promised.description) && !said(&found.description) {
            silent.push(name.clone());
        }
        for field in fields(promised).iter().filter(|field| said(&field.node.description)) {
            let part = &field.node.name.node;
            let twin = fields(&found).iter().find(|twin| twin.node.name.node == *part);
            if twin.is_some_and(|twin| !said(&twin.node.description)) {
                silent.push(format!("{name}.{part}"));
            }
        }
        for field in inputs(promised).iter().filter(|field| said(&field.node.description)) {
            let part = &field.node.name.node;
            let twin = inputs(&found).iter().find(|twin| twin.node.name.node == *part);
            if twin.is_some_and(|twin| !said(&twin.node.description)) {
                silent.push(format!("{name}.{part}"));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "without the contract's explanation");
}

#[test]
fn every_type_that_can_be_read_and_every_root_field_is_explained() {
    let mut silent = Vec::new();
    for (name, found) in served() {
        let by_its_name = ["Payload", "Connection", "Edge"].iter().any(|ending| name.ends_with(ending));
        let is_input = !matches!(found.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Scalar);
        if !by_its_name && !is_input && !said(&found.description) {
            silent.push(name.clone());
        }
        if name == "Query" || name == "Mutation" {
            let fields = fields(&found).iter().filter(|field| !said(&field.node.description));
            silent.extend(fields.map(|field| format!("{name}.{}", field.node.name.node)));
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "without an explanation");
}

#[test]
fn defaults_of_money_are_printed_as_money_is_written() {
    let served = served();
    let bill = inputs(&served["BillInput"]);
    let defaults: Vec<String> = bill
        .iter()
        .filter(|field| field.node.ty.node.to_string() == "Money!")
        .filter_map(|field| field.node.default_value.as_ref().map(|value| value.node.to_string()))
        .collect();
    assert_eq!(defaults, vec!["\"0.00\""; 8]);
}
