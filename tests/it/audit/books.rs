//! Amounts that were changed by hand.

use entity::id::{RedemptionId, RefundId, SettlementId, StatementId};
use entity::kinds::PostingKind;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Summer, posting_of, sql, sql_of};
use onestop::page::type_id;

use crate::harness::district::{CF, HOSPITAL, SHOP};

#[tokio::test]
async fn a_posting_that_is_not_whole_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let appropriation = district.posting_under("CHARITY_ILLNESS-2016").await;
    let of = "operation_key = 'CHARITY_ILLNESS-2016' AND account";
    let change = format!("UPDATE entry SET amount = amount + 1 WHERE {of} = 'TREASURY'");
    let mend = format!("UPDATE entry SET amount = amount - 1 WHERE {of} = 'TREASURY'");
    let act = format!("{} CHARITY_ILLNESS-2016", summer.partner(CF).await);
    let sums = [("posting.sum", appropriation.as_str()), ("book.sum", "CHARITY"), ("receipt.amount", &act)];
    district.finds(&change, &mend, &sums).await;
    let change = format!("UPDATE entry SET book = 'FISCAL' WHERE {of} = 'TREASURY'");
    let mend = format!("UPDATE entry SET book = 'CHARITY' WHERE {of} = 'TREASURY'");
    let books = [
        ("posting.books", appropriation.as_str()),
        ("book.sum", "FISCAL"),
        ("book.sum", "CHARITY"),
        ("receipt.amount", &act),
    ];
    district.finds(&change, &mend, &books).await;
    let change = format!("UPDATE entry SET number = 7 WHERE {of} = 'APPROPRIATION'");
    let mend = format!("UPDATE entry SET number = 1 WHERE {of} = 'APPROPRIATION'");
    district.finds(&change, &mend, &[("posting.entries", &appropriation)]).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn entries_that_name_something_else_are_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let (settled, sold) = (&summer.settled_later, &summer.sold_later);
    let of_settled = format!("posting_id = {} AND account", sql::<SettlementId>(settled));
    let of_sold = format!("posting_id = {} AND account", sql::<RedemptionId>(sold));
    let theirs = format!("(SELECT statement_id FROM entry WHERE {of_sold} = 'PAYABLE')");
    let mend_by = format!(
        "(SELECT id FROM statement WHERE month = '2016-07' AND partner_id = {})",
        sql_of(district.partner_id(HOSPITAL).await)
    );
    let change = format!("UPDATE entry SET statement_id = {theirs} WHERE {of_settled} = 'PAYABLE'");
    let mend = format!("UPDATE entry SET statement_id = {mend_by} WHERE {of_settled} = 'PAYABLE'");
    district.finds(&change, &mend, &[("posting.statement", &posting_of(settled))]).await;

    let (medical, cards) = (summer.budget(district.medical), summer.budget(district.cards));
    let set = |programme| {
        format!("UPDATE entry SET programme_id = {} WHERE {of_settled} = 'SPENDING'", sql_of(programme))
    };
    let posting = posting_of(settled);
    let moved = [
        ("posting.programme", posting.as_str()),
        ("budget.available", medical.as_str()),
        ("budget.available", cards.as_str()),
    ];
    district.finds(&set(district.cards), &set(district.medical), &moved).await;

    let card = type_id(summer.card);
    let set = |card: String| format!("UPDATE entry SET aid_card_id = {card} WHERE {of_sold} = 'CARD'");
    let lost = [("posting.card", posting_of(sold)), ("card.balance", card)];
    let lost: Vec<(&str, &str)> = lost.iter().map(|(kind, row)| (*kind, row.as_str())).collect();
    district.finds(&set("NULL".into()), &set(sql_of(summer.card)), &lost).await;

    let set =
        |group: &str| format!("UPDATE entry SET cap_group = {group} WHERE {of_settled} = 'ENTITLEMENT'");
    let cap = summer.cap_of(2);
    let lost = [("posting.person", posting.as_str()), ("entitlement.used", cap.as_str())];
    district.finds(&set("NULL"), &set("'MEDICAL'"), &lost).await;

    let set = |key: &str| format!("UPDATE entry SET operation_key = '{key}' WHERE {of_settled} = 'PAYABLE'");
    district.finds(&set("another"), &set(super::LATER_KEY), &[("settlement.entries", settled)]).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn a_settlement_that_the_ledger_does_not_know_so_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let (settled, reversed) = (&summer.settled, &summer.reversed);
    let (id, taken_back) = (sql::<SettlementId>(settled), sql::<SettlementId>(reversed));
    let add = |table: &str, column: &str, by: i32, which: &str, id: &str| {
        format!("UPDATE {table} SET {column} = {column} + ({by}) WHERE {which} = {id}")
    };
    let whole = |by| add("settlement", "assistance", by, "id", &id);
    let all = [
        "settlement.calculation",
        "settlement.burden",
        "settlement.parts",
        "settlement.owed",
        "settlement.spent",
        "settlement.used",
    ];
    district.finds(&whole(1), &whole(-1), &all.map(|kind| (kind, settled.as_str()))).await;
    let part = |by| add("settlement_part", "paid", by, "settlement_id", &id);
    district.finds(&part(1), &part(-1), &[("settlement.parts", settled)]).await;

    let set = |status: &str| format!("UPDATE settlement SET status = '{status}' WHERE id = {taken_back}");
    let cap = summer.cap_of(1);
    let back = [("settlement.mirror", reversed.as_str()), ("entitlement.deductible", cap.as_str())];
    district.finds(&set("SETTLED"), &set("REVERSED"), &back).await;

    let mirror = |by: i64| {
        format!(
            "UPDATE entry SET amount = amount + CASE account WHEN 'ENTITLEMENT' THEN {by} ELSE {} END \
             WHERE kind = 'REVERSAL' AND source_id = {taken_back} AND account IN ('ENTITLEMENT', 'ENTITLEMENT_TOTAL')",
            -by
        )
    };
    let less = [("settlement.used_back", reversed.as_str()), ("entitlement.used", cap.as_str())];
    district.finds(&mirror(1), &mirror(-1), &less).await;

    let mirror = |by: i64| {
        format!(
            "UPDATE entry SET amount = amount + CASE account WHEN 'PAYABLE' THEN {by} ELSE {} END \
             WHERE kind = 'REVERSAL' AND source_id = {taken_back} AND account IN ('PAYABLE', 'SPENDING')",
            -by
        )
    };
    let (budget, hospital) = (summer.budget(district.medical), summer.partner(HOSPITAL).await);
    let owed = format!("{hospital} FISCAL");
    let key = "SELECT key FROM operation WHERE mutation = 'reverseSettlement'";
    let act = format!("{hospital} {}", super::receipts::text(district, key).await);
    let more = [
        ("settlement.owed_back", reversed.as_str()),
        ("settlement.spent_back", reversed.as_str()),
        ("budget.available", budget.as_str()),
        ("statement.reversed", summer.paid.as_str()),
        ("partner.owed", owed.as_str()),
        ("receipt.amount", act.as_str()),
    ];
    district.finds(&mirror(1), &mirror(-1), &more).await;

    let person = sql_of(summer.patients[0].id);
    let cap = summer.cap_of(0);
    let used = |by| add("entitlement_use", "used", by, "person_id", &person);
    district.finds(&used(1), &used(-1), &[("entitlement.used", &cap)]).await;
    let deductible = |by| add("entitlement_use", "deductible_used", by, "person_id", &person);
    district.finds(&deductible(-1), &deductible(1), &[("entitlement.deductible", &cap)]).await;
    let set = |cap: i64| format!("UPDATE policy_version SET annual_cap = {cap}");
    let caps = [("entitlement.cap", cap.as_str()), ("entitlement.cap", &summer.cap_of(2))];
    district.finds(&set(468_999), &set(469_000), &caps).await;
    assert_eq!(district.audit().await, []);

    district
        .falsify(&format!(
            "DELETE FROM entry WHERE posting_id = {}",
            sql::<SettlementId>(&summer.settled_later)
        ))
        .await;
    let findings = district.audit().await;
    let gone = findings.iter().find(|finding| finding.kind == "settlement.posting").unwrap();
    assert_eq!((&gone.row, gone.found.as_str(), gone.expected.as_str()), (&summer.settled_later, "0", "1"));
    let follows = [
        ("settlement.posting", summer.settled_later.clone()),
        ("entitlement.used", summer.cap_of(2)),
        ("budget.available", summer.budget(district.medical)),
        ("receipt.amount", format!("{hospital} {}", super::LATER_KEY)),
    ];
    let follows: Vec<(&str, &str)> = follows.iter().map(|(kind, row)| (*kind, row.as_str())).collect();
    assert_eq!(super::named(&findings), super::named_so(&follows));
}

#[tokio::test]
async fn a_card_that_has_another_balance_than_the_ledger_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let (card, id) = (type_id(summer.card), sql_of(summer.card));
    let add =
        |column: &str, by: i64| format!("UPDATE aid_card SET {column} = {column} + ({by}) WHERE id = {id}");
    district.falsify(&add("balance", 1)).await;
    let findings = district.audit().await;
    let told = &findings[0];
    assert_eq!((findings.len(), told.kind, told.table, &told.row), (1, "card.balance", "aid_card", &card));
    assert_eq!((told.found.as_str(), told.expected.as_str()), ("165.01", "165.00"));
    district.falsify(&add("balance", -1)).await;
    let below = [("card.balance", card.as_str()), ("card.below_zero", card.as_str())];
    district.finds(&add("balance", -20_000), &add("balance", 20_000), &below).await;
    district.finds(&add("face_value", 1), &add("face_value", -1), &[("card.issued", &card)]).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn a_sale_or_a_refund_that_the_ledger_does_not_know_so_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let (sold, refund) = (&summer.sold, &summer.refund);
    let (sale, back) = (sql::<RedemptionId>(sold), sql::<RefundId>(refund));
    let add = |table: &str, column: &str, by: i64, id: &str| {
        format!("UPDATE {table} SET {column} = {column} + ({by}) WHERE id = {id}")
    };
    let refunded = |by| add("redemption", "refunded", by, &sale);
    district.finds(&refunded(1), &refunded(-1), &[("redemption.refunded", sold)]).await;
    let amount = |by| add("redemption", "amount", by, &sale);
    let both = [("redemption.owed", sold.as_str()), ("redemption.taken", sold.as_str())];
    district.finds(&amount(1), &amount(-1), &both).await;
    let amount = |by| add("refund", "amount", by, &back);
    let all = [
        ("redemption.refunded", sold.as_str()),
        ("redemption.given_back", sold.as_str()),
        ("refund.given_back", refund.as_str()),
    ];
    district.finds(&amount(1), &amount(-1), &all).await;
    let set = |voided: &str| format!("UPDATE refund SET voided_at = {voided} WHERE id = {back}");
    let both = [("redemption.refunded", sold.as_str()), ("redemption.refunds", sold.as_str())];
    district.finds(&set("refunded_at"), &set("NULL"), &both).await;
    let set = |card: &str| format!("UPDATE refund SET credited_card_id = {card} WHERE id = {back}");
    district.finds(&set("NULL"), &set(&sql_of(summer.card)), &[("refund.card", refund)]).await;
    let set = |corrects: &str| {
        format!("UPDATE entry SET corrects = {corrects} WHERE kind = 'REFUND' AND posting_id = {back}")
    };
    let undone = [("refund.undone", refund.as_str()), ("redemption.refunds", sold.as_str())];
    district.finds(&set("posting_id"), &set("source_id"), &undone).await;
    // A posting without its row.
    let other = sql_of(uuid::Uuid::now_v7());
    let set = |from: &str, to: &str| {
        format!("UPDATE entry SET posting_id = {to} WHERE kind = 'REFUND' AND posting_id = {from}")
    };
    district.falsify(&set(&back, &other)).await;
    let kinds: Vec<&str> = district.audit().await.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, ["refund.posting", "receipt.amount", "receipt.posting"]);
    district.falsify(&set(&other, &back)).await;
    let set = |kind: &str| format!("UPDATE entry SET kind = '{kind}' WHERE posting_id = {sale}");
    let findings = [
        ("redemption.posting", sold.as_str()),
        ("settlement.posting", &sold.replace("redemption", "settlement")),
    ];
    district.falsify(&set("SETTLEMENT")).await;
    let named = super::named(&district.audit().await);
    assert!(super::named_so(&findings).is_subset(&named), "{named:?}");
    district.falsify(&set("REDEMPTION")).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn what_was_carried_otherwise_than_it_says_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    summer.shop.refund(&summer.sold_later, None).await.done("refundRedemption");
    summer.shop.refund(&summer.sold, None).await.done("refundRedemption");
    district.set_time("2016-09-02T02:00:00Z");
    let shop = district.partner(SHOP).await;
    let july = shop.confirm("2016-07", "0.00").await.done("confirmStatement");
    let july = july.text("confirmStatement.statement.id");
    let august = shop.statement("2016-08").await.fine().text("statement.id");
    let (july_id, august_id) = (sql::<StatementId>(&july), sql::<StatementId>(&august));
    let card = district.card("10.00").await;
    shop.sell(&card, "10.00", "R3").await;
    let september = shop.statement("2016-09").await.fine().text("statement.id");
    let september_id = sql::<StatementId>(&september);
    assert_eq!(shop.totals("2016-08").await.3, "-15.00");
    district.seal().await;
    assert_eq!(district.audit().await, []);

    let connection = district.database.look().await;
    let carried = entity::entry::Entity::find()
        .filter(entity::entry::Column::Kind.eq(PostingKind::CarryForward))
        .all(&connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let posting = type_id(carried[0].posting_id);
    let of = |number: i32| format!("kind = 'CARRY_FORWARD' AND number = {number}");
    // Out of August, where it has to stand, into another open month.
    let set = |id: &str| format!("UPDATE entry SET statement_id = {id} WHERE {}", of(1));
    district.finds(&set(&september_id), &set(&august_id), &[("carry.sides", &posting)]).await;
    let set = |month: &str| format!("UPDATE entry SET reference = '{month}' WHERE {}", of(0));
    district.finds(&set("2016-09"), &set("2016-08"), &[("carry.sides", &posting)]).await;
    let set = |id: &str| format!("UPDATE entry SET source_id = {id} WHERE {}", of(1));
    district.finds(&set(&september_id), &set(&july_id), &[("carry.sides", &posting)]).await;
    let set = |key: &str| format!("UPDATE entry SET operation_key = '{key}' WHERE kind = 'CARRY_FORWARD'");
    let key = carried[0].operation_key.as_str();
    district.finds(&set("another"), &set(key), &[("carry.sides", &posting)]).await;
    // Another amount on both sides.
    let shop_owes = format!("{} CHARITY", summer.partner(SHOP).await);
    let less = "UPDATE entry SET amount = amount - 2 * (CASE number WHEN 0 THEN 1 ELSE -1 END) WHERE kind = 'CARRY_FORWARD'";
    let more = less.replace("amount - 2", "amount + 2");
    district.finds(less, &more, &[("statement.reversed", &july), ("partner.owed", &shop_owes)]).await;
    // Confirmed below zero, as if nothing had been carried.
    let all = "count = count - 1, reversed = reversed + 1500";
    let change = format!("UPDATE statement SET {all} WHERE id = {july_id}");
    let mend =
        format!("UPDATE statement SET count = count + 1, reversed = reversed - 1500 WHERE id = {july_id}");
    let below = [
        ("statement.count", july.as_str()),
        ("statement.reversed", &july),
        ("statement.below_zero", &july),
        ("carry.sides", &posting),
        ("partner.owed", &shop_owes),
    ];
    district.finds(&change, &mend, &below).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn a_budget_that_has_another_amount_left_than_the_ledger_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let budget = summer.budget(district.medical);
    let share = format!("programme_id = {} AND year = 2016 AND number", sql_of(district.medical));
    let add = |by: i64, number: i32| {
        format!("UPDATE budget_share SET available = available + ({by}) WHERE {share} = {number}")
    };
    district.finds(&add(1, 0), &add(-1, 0), &[("budget.available", &budget)]).await;
    let large = 100_000_000_000;
    let between = |by: i64| format!("{}; {}", add(-by, 0), add(by, 1));
    district.finds(&between(large), &between(-large), &[("budget.below_zero", &budget)]).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn a_statement_that_says_something_else_than_its_lines_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let (paid, agreed) = (&summer.paid, &summer.agreed);
    let add = |id: &str, column: &str, by: i64| {
        format!("UPDATE statement SET {column} = {column} + ({by}) WHERE id = {}", sql::<StatementId>(id))
    };
    district.finds(&add(agreed, "count", 1), &add(agreed, "count", -1), &[("statement.count", agreed)]).await;
    let owed = |partner: &str, fund: &str| format!("{partner} {fund}");
    let shop = owed(&summer.partner(SHOP).await, "CHARITY");
    let hospital = owed(&summer.partner(HOSPITAL).await, "FISCAL");
    for column in ["gross", "reversed"] {
        let kind = format!("statement.{column}");
        let (change, mend) = (add(agreed, column, 1), add(agreed, column, -1));
        district.finds(&change, &mend, &[(&kind, agreed), ("partner.owed", &shop)]).await;
        let (change, mend) = (add(paid, column, 1), add(paid, column, -1));
        district.finds(&change, &mend, &[(&kind, paid), ("statement.paid_out", paid)]).await;
    }
    let id = sql::<StatementId>(paid);
    let unpaid = format!("UPDATE statement SET status = 'CONFIRMED', paid_at = NULL WHERE id = {id}");
    let again = format!("UPDATE statement SET status = 'PAID', paid_at = confirmed_at WHERE id = {id}");
    district.finds(&unpaid, &again, &[("statement.payment", paid), ("partner.owed", &hospital)]).await;
    assert_eq!(district.audit().await, []);
}
