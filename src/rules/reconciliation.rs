//! Comparing what the bureau owes for each act with what the partner counts as owed (对明细账, DOMAIN.md §4).

use std::collections::BTreeMap;

use entity::Fen;

/// How one act compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    Matched,
    AmountDiffers,
    OnlyOurs,
    OnlyTheirs,
    ReversedOneSide,
}

/// What would settle a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Send the act again under its key.
    Repeat,
    /// Take it back, whole.
    TakeBack,
    /// Give back a part.
    GiveBackPart,
    /// Undo it by its key.
    Void,
}

/// What the bureau owes for an act by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ours {
    pub amount: Fen,
    /// Something of it was taken back.
    pub corrected: bool,
}

/// An act on which the two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    pub result: Result,
    pub ours: Option<Fen>,
    pub theirs: Option<Fen>,
    pub remedy: Option<Remedy>,
}

/// What comparing came to: how many acts match, and those that do not, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub matched: u64,
    pub differences: Vec<Difference>,
}

/// Compares act by act. An act that was undone is owed 0.00; the partner may say so or leave it out.
pub fn compare(ours: &BTreeMap<String, Ours>, theirs: &BTreeMap<String, Fen>) -> Comparison {
    let mut comparison = Comparison::default();
    let only_theirs = theirs.keys().filter(|key| !ours.contains_key(*key));
    let mut keys: Vec<&String> = ours.keys().chain(only_theirs).collect();
    keys.sort();
    for key in keys {
        let (our, their) = (ours.get(key).copied(), theirs.get(key).copied());
        let (result, remedy) = judge(our, their);
        match result {
            // What both know to be nothing is not counted unless the partner named it.
            Result::Matched => comparison.matched += u64::from(their.is_some()),
            _ => comparison.differences.push(Difference {
                key: key.clone(),
                result,
                ours: our.map(|ours| ours.amount),
                theirs: their,
                remedy,
            }),
        }
    }
    comparison
}

fn judge(ours: Option<Ours>, theirs: Option<Fen>) -> (Result, Option<Remedy>) {
    let stated = theirs.unwrap_or(Fen::ZERO);
    match ours {
        None if stated == Fen::ZERO => (Result::Matched, None),
        None => (Result::OnlyTheirs, Some(Remedy::Repeat)),
        Some(ours) if ours.amount == stated => (Result::Matched, None),
        Some(ours) if ours.amount == Fen::ZERO && ours.corrected => (Result::ReversedOneSide, None),
        Some(_) if theirs.is_none() => (Result::OnlyOurs, Some(Remedy::Void)),
        Some(_) if stated == Fen::ZERO => (Result::ReversedOneSide, Some(Remedy::TakeBack)),
        Some(ours) if stated < ours.amount => (Result::AmountDiffers, Some(Remedy::GiveBackPart)),
        Some(_) => (Result::AmountDiffers, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(fen: i64) -> Option<Ours> {
        Some(Ours { amount: Fen::new(fen), corrected: false })
    }

    fn corrected(fen: i64) -> Option<Ours> {
        Some(Ours { amount: Fen::new(fen), corrected: true })
    }

    #[test]
    fn each_of_the_five_results() {
        let said = |fen: i64| Some(Fen::new(fen));
        for (ours, theirs, result, remedy) in [
            (live(500), said(500), Result::Matched, None),
            (corrected(300), said(300), Result::Matched, None),
            (corrected(0), said(0), Result::Matched, None),
            (corrected(0), None, Result::Matched, None),
            (live(0), None, Result::Matched, None),
            (None, said(0), Result::Matched, None),
            (live(500), None, Result::OnlyOurs, Some(Remedy::Void)),
            (None, said(500), Result::OnlyTheirs, Some(Remedy::Repeat)),
            (live(500), said(0), Result::ReversedOneSide, Some(Remedy::TakeBack)),
            (corrected(0), said(500), Result::ReversedOneSide, None),
            (live(500), said(499), Result::AmountDiffers, Some(Remedy::GiveBackPart)),
            (live(500), said(501), Result::AmountDiffers, None),
            (live(0), said(1), Result::AmountDiffers, None),
        ] {
            assert_eq!(judge(ours, theirs), (result, remedy), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn differences_come_by_key_and_matches_are_counted() {
        let ours = [("b", live(2)), ("a", live(1)), ("u", corrected(0))];
        let ours = ours.map(|(key, ours)| (key.to_owned(), ours.unwrap())).into();
        let theirs = [("a", 1), ("c", 3)].map(|(key, fen)| (key.to_owned(), Fen::new(fen))).into();
        let comparison = compare(&ours, &theirs);
        assert_eq!(comparison.matched, 1);
        let found: Vec<_> = comparison
            .differences
            .iter()
            .map(|difference| (difference.key.as_str(), difference.result))
            .collect();
        assert_eq!(found, [("b", Result::OnlyOurs), ("c", Result::OnlyTheirs)]);
    }
}
