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

/// What comparing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Acts that match; one that came to nothing counts only when the partner named it.
    pub matched: u64,
    pub differences: u64,
    /// What the bureau owes for all acts together, in fen.
    pub ours: i128,
    /// What the partner counts as owed for all acts together, in fen.
    pub theirs: i128,
}

/// A comparison under way: what the partner counts is known, and the bureau's acts come one by one, in any order. It holds
/// what the partner counts and has not been compared yet, and nothing else that grows.
///
/// An act that was undone is owed 0.00; the partner may say so or leave it out.
pub struct Comparing {
    theirs: BTreeMap<String, Fen>,
    totals: Totals,
}

impl Comparing {
    pub fn with(theirs: BTreeMap<String, Fen>) -> Self {
        Self { theirs, totals: Totals::default() }
    }

    /// The next act of the bureau's, each once.
    pub fn ours(&mut self, key: String, ours: Ours) -> Option<Difference> {
        let theirs = self.theirs.remove(&key);
        self.judged(key, Some(ours), theirs)
    }

    /// When all acts of the bureau's have come: the next difference among those that only the partner has, by key.
    pub fn next_of_theirs(&mut self) -> Option<Difference> {
        while let Some((key, theirs)) = self.theirs.pop_first() {
            let difference = self.judged(key, None, Some(theirs));
            if difference.is_some() {
                return difference;
            }
        }
        None
    }

    /// What it came to so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn judged(&mut self, key: String, ours: Option<Ours>, theirs: Option<Fen>) -> Option<Difference> {
        let (result, remedy) = judge(ours, theirs);
        let ours = ours.map(|ours| ours.amount);
        self.totals.ours += ours.map_or(0, |fen| i128::from(fen.get()));
        self.totals.theirs += theirs.map_or(0, |fen| i128::from(fen.get()));
        if result == Result::Matched {
            self.totals.matched += u64::from(theirs.is_some());
            return None;
        }
        self.totals.differences += 1;
        Some(Difference { key, result, ours, theirs, remedy })
    }
}

fn judge(ours: Option<Ours>, theirs: Option<Fen>) -> (Result, Option<Remedy>) {
    let stated = theirs.unwrap_or(Fen::ZERO);
    match ours {
        None if stated == Fen::ZERO => (Result::Matched, None),
        // Nothing that can be sent makes an act owed less than nothing.
        None => (Result::OnlyTheirs, stated.is_positive().then_some(Remedy::Repeat)),
        Some(ours) if ours.amount == stated => (Result::Matched, None),
        Some(ours) if ours.amount == Fen::ZERO && ours.corrected => (Result::ReversedOneSide, None),
        Some(_) if theirs.is_none() => (Result::OnlyOurs, Some(Remedy::Void)),
        Some(_) if stated == Fen::ZERO => (Result::ReversedOneSide, Some(Remedy::TakeBack)),
        Some(ours) if stated < ours.amount && stated.is_positive() => {
            (Result::AmountDiffers, Some(Remedy::GiveBackPart))
        }
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
            (None, said(-500), Result::OnlyTheirs, None),
            (live(500), said(0), Result::ReversedOneSide, Some(Remedy::TakeBack)),
            (corrected(0), said(500), Result::ReversedOneSide, None),
            (live(500), said(499), Result::AmountDiffers, Some(Remedy::GiveBackPart)),
            (live(500), said(501), Result::AmountDiffers, None),
            (live(500), said(-1), Result::AmountDiffers, None),
            (live(0), said(1), Result::AmountDiffers, None),
        ] {
            assert_eq!(judge(ours, theirs), (result, remedy), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn matches_are_counted_and_what_only_they_have_comes_last_by_key() {
        let theirs = [("d", 4), ("a", 1), ("c", 3), ("n", 0)];
        let theirs = theirs.map(|(key, fen)| (key.to_owned(), Fen::new(fen)));
        let mut comparing = Comparing::with(theirs.into());
        let mut found = Vec::new();
        for (key, ours) in [("b", live(2)), ("a", live(1)), ("u", corrected(0))] {
            found.extend(comparing.ours(key.to_owned(), ours.unwrap()));
        }
        found.extend(std::iter::from_fn(|| comparing.next_of_theirs()));
        let found: Vec<_> = found.iter().map(|one| (one.key.as_str(), one.result)).collect();
        assert_eq!(found, [("b", Result::OnlyOurs), ("c", Result::OnlyTheirs), ("d", Result::OnlyTheirs)]);
        assert_eq!(comparing.totals(), Totals { matched: 2, differences: 3, ours: 3, theirs: 8 });
    }
}
