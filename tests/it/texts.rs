//! What partners write: numbers have one form each, and text is for people to read.

use serde_json::{Value, json};

use crate::harness::district::{DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::referring::{consent, request};
use crate::harness::till::sale;
use crate::harness::{District, Reply};

/// Puts a text at a dotted path of an input.
fn put(input: &mut Value, path: &str, text: &str) {
    let place = path.split('.').fold(input, |value, step| match step.parse::<usize>() {
        Ok(index) => &mut value[index],
        Err(_) => &mut value[step],
    });
    *place = text.into();
}

fn is_refused(reply: &Reply, mutation: &str, path: &str) -> bool {
    reply.refusals_at(mutation).contains(&("INVALID".into(), path.into()))
}

struct Act {
    asker: &'static str,
    mutation: &'static str,
    input: Value,
    numbers: &'static [&'static str],
    texts: &'static [&'static str],
}

/// Every act that takes text, with an input that has nothing else against it but that what it names may not be there.
async fn acts(district: &District) -> Vec<Act> {
    let patient = district.person("李小明", &[]).await;
    let card = district.card("50.00").await;
    let operator = json!({ "code": "C07", "name": "收费员" });
    let mut redeemed = sale(&card, "1.00", "R");
    redeemed["lines"] = json!([{ "category": "FOOD", "description": "rice", "amount": "1.00" }]);
    redeemed["operator"] = operator.clone();
    let step = |text: &str| json!({ "referralId": "referral_0", text: "x" });
    let act = |asker, mutation, input, numbers, texts| Act { asker, mutation, input, numbers, texts };
    vec![
        act(
            HOSPITAL,
            "settle",
            json!({ "bill": bill(&patient).0, "operator": operator }),
            &[
                "bill.admissionNumber",
                "bill.invoiceNumber",
                "bill.insurerSettlementId",
                "bill.encounterId",
                "operator.code",
            ],
            &["operator.name"],
        ),
        act(HOSPITAL, "reverseSettlement", json!({ "settlementId": "x", "reason": "x" }), &[], &["reason"]),
        act(SHOP, "redeemAidCard", redeemed, &["receiptNumber"], &["agentName", "lines.0.description"]),
        act(SHOP, "refundRedemption", json!({ "redemptionId": "x", "reason": "x" }), &[], &["reason"]),
        act(SHOP, "voidOperation", json!({ "operationKey": "none", "reason": "x" }), &[], &["reason"]),
        act(
            OFFICE,
            "requestReferral",
            request(DPF, &patient),
            &["externalReference"],
            &["person.name", "phone", "reason"],
        ),
        act(DPF, "acceptReferral", step("note"), &["externalReference"], &["note"]),
        act(DPF, "declineReferral", step("reason"), &[], &["reason"]),
        act(DPF, "completeReferral", step("outcome"), &[], &["outcome"]),
        act(
            OFFICE,
            "recordConsent",
            consent(DPF, &patient, &["PHONE"]),
            &[],
            &["person.name", "purpose", "wordingVersion"],
        ),
    ]
}

#[tokio::test]
async fn no_act_takes_text_that_hides_something() {
    let district = District::with_medical_assistance().await;
    let steering =
        ["a\u{202E}b", "a\u{200B}b", "a\u{FEFF}", "\u{7}", "a\tb", "a\r\nb", "\u{3164}", "\u{3000}", ""];
    let for_numbers = ["FP 1 ", " FP1", "FP  1", "FP\n1", "FP1\u{FE0F}", "FP\u{2800}1"];
    for act in acts(&district).await {
        let partner = district.partner(act.asker).await;
        let mut tried = Vec::new();
        for text in steering {
            tried.extend([act.numbers, act.texts].concat().into_iter().map(|path| (path, text)));
        }
        for text in for_numbers {
            tried.extend(act.numbers.iter().map(|path| (*path, text)));
        }
        for (path, text) in tried {
            let mut input = act.input.clone();
            input["key"] = new_key().into();
            put(&mut input, path, text);
            let reply = partner.act(act.mutation, input, "").await.fine();
            assert!(
                is_refused(&reply, act.mutation, path),
                "{} {path} {text:?}: {}",
                act.mutation,
                reply.body
            );
        }
        for path in act.texts {
            let mut input = act.input.clone();
            input["key"] = new_key().into();
            put(&mut input, path, "第一行\n第二行 ❤\u{FE0F}");
            let reply = partner.act(act.mutation, input, "").await.fine();
            assert!(!is_refused(&reply, act.mutation, path), "{} {path}: {}", act.mutation, reply.body);
        }
    }
}

#[tokio::test]
async fn an_invoice_is_settled_once_however_wide_its_number_is_written() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let dibao = [entity::kinds::Category::Dibao];
    let one = district.person("李小明", &dibao).await;
    let other = district.person("王小红", &dibao).await;
    let wide = bill(&one).with("invoiceNumber", "ＦＰ－１").with("insurerSettlementId", "ＪＳ１");
    let settled = hospital.settle(&wide).await.done("settle");
    assert_eq!(settled.text("settle.settlement.invoiceNumber"), "FP-1");
    let same_invoice = bill(&other).with("invoiceNumber", "FP-1");
    let refused = hospital.settle(&same_invoice).await;
    assert_eq!(
        refused.refusals_at("settle"),
        [("DUPLICATE_STAY".to_owned(), "bill.invoiceNumber".to_owned())]
    );
    let same_insurer = bill(&other).with("insurerSettlementId", "JS１");
    let refused = hospital.preview(&same_insurer).await;
    assert_eq!(refused.refusals("settlementPreview"), ["DUPLICATE_STAY"]);
    for by in [json!({ "invoiceNumber": "ＦＰ-1" }), json!({ "insurerSettlementId": "ＪＳ1" })] {
        let found = hospital.settlement(by).await.fine();
        assert_eq!(found.at("settlement.id"), settled.at("settle.settlement.id"));
    }
}

#[tokio::test]
async fn a_receipt_serves_once_however_wide_its_number_is_written() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("50.00").await;
    let id = shop.sell(&card, "10.00", "ＡＢ１").await;
    let refused = shop.redeem(sale(&card, "10.00", "AB1")).await;
    assert_eq!(refused.refusals("redeemAidCard"), ["DUPLICATE_RECEIPT"]);
    let query =
        "query($n: String) { redemptions(filter: { receiptNumber: $n }) { nodes { id receiptNumber } } }";
    for number in ["AB1", "ＡＢ１", "AＢ1"] {
        let found = shop.ask(query, json!({ "n": number })).await.fine();
        assert_eq!(found.at("redemptions.nodes"), &json!([{ "id": id, "receiptNumber": "AB1" }]));
    }
}

#[tokio::test]
async fn a_refusal_names_the_character_in_both_languages() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let query =
        "mutation($i: RedeemAidCardInput!) { redeemAidCard(input: $i) { userErrors { message field } } }";
    for (language, number, message) in [
        ("en", "R\u{200B}1", "It must not contain the character U+200B."),
        ("zh-CN", "R\u{200B}1", "不能包含字符 U+200B。"),
        ("en", "R1 ", "It must not begin or end with a space, nor have two in a row."),
        ("zh-CN", "R1 ", "首尾不能有空格，中间不能有连续的空格。"),
    ] {
        let input = sale("x", "1.00", number);
        let reply = shop.ask_in(language, query, json!({ "i": input })).await.fine();
        assert_eq!(reply.at("redeemAidCard.userErrors.0.message"), message);
        assert_eq!(reply.at("redeemAidCard.userErrors.0.field"), &json!(["receiptNumber"]));
    }
}
