//! Requests about budgets, statements and reconciliation.

use chrono::{Datelike, Days};
use entity::kinds::StatementStatus;
use entity::{partner, statement};
use sea_orm::ColumnTrait;
use serde_json::json;

use super::super::district::{BUREAU, CHARITY_FEDERATION};
use super::super::{done, enter};
use super::{HOSPITAL, Maker};
use crate::actions::confirm_statement::{ConfirmStatementInput, confirm};
use crate::error::{Error, Result};
use crate::graph::scalars::{IdempotencyKey, Money, YearMonth};
use crate::graph::statement::{net, with_totals};
use crate::page::type_id;
use crate::rules::calendar::month_of;

const STATEMENT: &str = "id partner { code } month fund status count gross reversed net";

/// A month of a supermarket that is over and not confirmed yet.
struct Waiting {
    shop: String,
    month: String,
    net: Money,
}

impl Maker<'_> {
    /// What the owners of the two funds do.
    pub(super) fn for_the_owners(&mut self) {
        let year = self.gate.clock().today().year();
        let budget = "programme { code nameZh } year appropriated spent available";
        self.add(
            "budgets",
            BUREAU,
            format!("query($year: Int!) {{ budgets(year: $year) {{ {budget} }} }}"),
            json!({ "year": year }),
        );
        let key = self.number();
        self.add(
            "appropriate",
            CHARITY_FEDERATION,
            format!("mutation($input: AppropriateInput!) {{ appropriate(input: $input) {{ budget {{ {budget} }} receipt replayed userErrors {{ code message field }} }} }}"),
            json!({ "input": { "key": key, "programmeCode": "CHARITY_CARD", "year": year, "amount": "5000.00" } }),
        );
    }

    /// What is asked about everything that happened.
    pub(super) fn for_the_record(&mut self) {
        self.add(
            "events",
            HOSPITAL,
            "query($after: String) { events(first: 100, after: $after) { nodes { cursor at kind subject { __typename id } } pageInfo { hasNextPage endCursor } } }",
            json!({ "after": null }),
        );
        let from = self.gate.clock().now() - chrono::TimeDelta::days(1);
        self.add(
            "auditTrail",
            BUREAU,
            "query($from: DateTime) { auditTrail(from: $from, first: 20) { nodes { at partner { code } act outcome subject operationKey origin sealNumber } pageInfo { hasNextPage endCursor } } }",
            json!({ "from": from.to_rfc3339() }),
        );
        self.add(
            "ledger",
            BUREAU,
            "query($from: DateTime) { ledger(from: $from, first: 20) { nodes { id book kind operationKey reference postedAt entries { account amount } } pageInfo { hasNextPage endCursor } } }",
            json!({ "from": from.to_rfc3339() }),
        );
    }

    /// Supermarkets' months that nobody has confirmed yet, oldest first.
    async fn waiting(&self, many: u64) -> Result<Vec<Waiting>> {
        let charity = enter(self.gate, CHARITY_FEDERATION).await?;
        let over = statement::Column::Month.lt(month_of(self.gate.clock().now()));
        let rows = charity
            .select::<statement::Entity>()?
            .only(statement::Column::Status.eq(StatementStatus::Open))
            .only(over)
            .oldest_first(statement::Column::Id)
            .limit(many)
            .all()
            .await?;
        let mut waiting = Vec::new();
        for found in with_totals(&charity, rows).await? {
            let of = partner::Column::Id.eq(found.row.partner_id);
            let shop = charity.select::<partner::Entity>()?.only(of).one().await?;
            let shop = shop.ok_or_else(|| Error::internal("a statement of no partner"))?.code;
            waiting.push(Waiting { shop, month: found.row.month.clone(), net: Money(net(&found.totals)?) });
        }
        Ok(waiting)
    }

    /// The demo's past has 168 months of supermarkets to confirm; each start takes two of them.
    pub(super) async fn for_whom_it_is_owed(&mut self) -> Result<()> {
        let now = self.gate.clock().now();
        let today = self.gate.clock().today();
        self.add(
            "statement",
            HOSPITAL,
            format!("query($month: YearMonth!) {{ statement(month: $month) {{ {STATEMENT} lines(first: 10) {{ totalCount nodes {{ at key reference amount kind source {{ id }} }} }} }} }}"),
            json!({ "month": month_of(now) }),
        );
        self.add(
            "statements",
            CHARITY_FEDERATION,
            format!("query {{ statements(first: 10, filter: {{ status: [OPEN, CONFIRMED] }}) {{ totalCount nodes {{ {STATEMENT} }} pageInfo {{ hasNextPage endCursor }} }} }}"),
            json!({}),
        );
        let key = self.number();
        self.add(
            "reconcile",
            HOSPITAL,
            "mutation($input: ReconcileInput!) { reconcile(input: $input) { agreed matched differences { key result ours theirs remedy } userErrors { code message field } } }",
            json!({ "input": {
                "from": (today - Days::new(30)).to_string(), "to": today.to_string(),
                "lines": [{ "key": key, "amount": "100.00" }],
            } }),
        );
        let waiting = self.waiting(2).await?;
        let [first, second] = waiting.as_slice() else { return Ok(()) };
        let key = self.number();
        self.add(
            "confirmStatement",
            &first.shop,
            format!("mutation($input: ConfirmStatementInput!) {{ confirmStatement(input: $input) {{ statement {{ {STATEMENT} }} replayed userErrors {{ code message field }} }} }}"),
            json!({ "input": { "key": key, "month": first.month, "net": first.net.0.to_yuan().to_string() } }),
        );
        let input = ConfirmStatementInput {
            key: IdempotencyKey(self.number()),
            month: YearMonth(second.month.clone()),
            fund: None,
            net: second.net.clone(),
            operator: None,
        };
        let confirmed = done("confirmation", confirm(&enter(self.gate, &second.shop).await?, &input).await?)?;
        let (key, bank_reference) = (self.number(), self.number());
        self.add(
            "payStatement",
            CHARITY_FEDERATION,
            format!("mutation($input: PayStatementInput!) {{ payStatement(input: $input) {{ statement {{ {STATEMENT} paidAt bankReference }} receipt replayed userErrors {{ code message field }} }} }}"),
            json!({ "input": { "key": key, "statementId": type_id(confirmed.id), "bankReference": bank_reference } }),
        );
        Ok(())
    }
}
