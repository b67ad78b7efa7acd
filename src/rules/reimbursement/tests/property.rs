//! Thousands of random stays against a plain recomputation.

use super::*;

/// A linear congruential generator: the same stays on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap()
    }

    /// A number from 0 up to and including `most`.
    fn upto(&mut self, most: i64) -> i64 {
        self.next() % (most + 1)
    }

    fn coin(&mut self) -> bool {
        self.upto(1) == 1
    }

    fn fen(&mut self, most: i64) -> Fen {
        Fen::new(self.upto(most))
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let last = i64::try_from(choices.len() - 1).unwrap();
        choices[usize::try_from(self.upto(last)).unwrap()]
    }

    fn bill(&mut self) -> Bill {
        let scale = self.one_of(&[9, 500, 2_000_000]);
        let costs = [(); 4].map(|()| if self.coin() { self.upto(scale) } else { 0 });
        let total: i64 = costs.iter().sum();
        let mut rest = total;
        let payments = [(); 6].map(|()| {
            let payment = if self.upto(3) == 0 { self.upto(rest) } else { 0 };
            rest -= payment;
            Fen::new(payment)
        });
        let [fully_self_paid, over_limit_self_paid, upfront_self_paid, in_scope] = costs.map(Fen::new);
        Bill {
            total_cost: Fen::new(total),
            fully_self_paid,
            over_limit_self_paid,
            upfront_self_paid,
            in_scope,
            basic_insurance_paid: payments[0],
            serious_illness_insurance_paid: payments[1],
            other_funds_paid: payments[2],
            commercial_insurance_paid: payments[3],
            hospital_waiver: payments[4],
            other_assistance_paid: payments[5],
        }
    }

    fn policy(&mut self) -> Policy {
        let form = self.one_of(RateForm::ALL);
        let edges = if form == RateForm::Flat { 0 } else { self.upto(3) };
        let mut bands = Vec::new();
        let mut from = 0;
        for _ in 0..edges {
            let below = from + 1 + self.one_of(&[0, 2, 300, 500_000]);
            bands.push(Band { from: Fen::new(from), below: Some(Fen::new(below)), rate: self.rate() });
            from = below;
        }
        bands.push(Band { from: Fen::new(from), below: None, rate: self.rate() });
        let scale = self.one_of(&[5, 1_000, 1_000_000]);
        Policy {
            form,
            bands,
            deductible_mode: self.one_of(DeductibleMode::ALL),
            deductible: self.fen(scale),
            per_stay_cap: self.coin().then(|| self.fen(scale)),
            annual_cap: self.coin().then(|| self.fen(scale)),
            includes_upfront: self.coin(),
        }
    }

    fn rate(&mut self) -> BasisPoints {
        BasisPoints::new(i32::try_from(self.upto(10_000)).unwrap()).unwrap()
    }

    fn purse(&mut self, cap_group: &str) -> Purse {
        let scale = self.one_of(&[0, 5, 500_000]);
        let candidates = (0..=self.upto(2))
            .map(|number| Candidate {
                source: source(u128::try_from(number).unwrap()),
                policy: self.policy(),
                order: i32::try_from(self.upto(2)).unwrap(),
                benefit_year: self.one_of(&[YEAR, YEAR - 1]),
            })
            .collect();
        Purse {
            cap_group: cap_group.to_owned(),
            stacking: self.one_of(Stacking::ALL),
            candidates,
            used: [YEAR - 1, YEAR]
                .map(|year| (year, Used { cap: self.fen(scale), deductible: self.fen(scale) }))
                .into(),
        }
    }
}

/// Source, deductible applied, and paid.
type PlainPart = (Source, i128, i128);

fn plain(fen: Fen) -> i128 {
    i128::from(fen.get())
}

/// raw in whole fen: ten-thousandths of a fen are summed, then half of them rounds up.
fn plain_raw(policy: &Policy, eligible: i128) -> i128 {
    let mut ten_thousandths = 0;
    for band in &policy.bands {
        let rate = i128::from(band.rate.get());
        let (from, below) = (plain(band.from), band.below.map_or(i128::MAX, plain));
        if policy.form == RateForm::Marginal {
            ten_thousandths += rate * (eligible.min(below) - from).max(0);
        } else if from <= eligible && eligible < below {
            ten_thousandths = rate * eligible;
        }
    }
    (ten_thousandths + 5_000) / 10_000
}

fn plain_calculation(bill: &Bill, purses: &[Purse]) -> Vec<PlainPart> {
    let others = plain(bill.basic_insurance_paid)
        + plain(bill.serious_illness_insurance_paid)
        + plain(bill.other_funds_paid)
        + plain(bill.commercial_insurance_paid)
        + plain(bill.hospital_waiver)
        + plain(bill.other_assistance_paid);
    let mut parts: Vec<PlainPart> = Vec::new();
    for purse in purses {
        // (year, mode, deductible applied, paid) of this purse so far
        let mut taken: Vec<(i32, DeductibleMode, i128, i128)> = Vec::new();
        let mut indices: Vec<usize> = (0..purse.candidates.len()).collect();
        indices.sort_by_key(|&index| (purse.candidates[index].order, index));
        let mut winner: Option<PlainPart> = None;
        for index in indices {
            let Candidate { source, policy, benefit_year, .. } = &purse.candidates[index];
            let before: i128 = parts.iter().map(|part| part.2).sum();
            let upfront = if policy.includes_upfront { plain(bill.upfront_self_paid) } else { 0 };
            let base = (plain(bill.in_scope) + upfront - others - before).max(0);
            let same_mode = taken.iter().filter(|entry| entry.1 == policy.deductible_mode);
            let left = match policy.deductible_mode {
                DeductibleMode::None => 0,
                DeductibleMode::PerStay => {
                    plain(policy.deductible) - same_mode.map(|entry| entry.2).sum::<i128>()
                }
                DeductibleMode::Annual => {
                    let of_year = same_mode.filter(|entry| entry.0 == *benefit_year);
                    plain(policy.deductible)
                        - plain(purse.used[benefit_year].deductible)
                        - of_year.map(|entry| entry.2).sum::<i128>()
                }
            };
            let applied = left.clamp(0, base);
            let eligible = base - applied;
            let mut pay = plain_raw(policy, eligible).min(eligible);
            if let Some(cap) = policy.per_stay_cap {
                pay = pay.min(plain(cap));
            }
            if let Some(cap) = policy.annual_cap {
                let of_year = taken.iter().filter(|entry| entry.0 == *benefit_year);
                let used = plain(purse.used[benefit_year].cap) + of_year.map(|entry| entry.3).sum::<i128>();
                pay = pay.min((plain(cap) - used).max(0));
            }
            pay = pay.min(plain(bill.total_cost) - others - before);
            match purse.stacking {
                Stacking::Sequential => {
                    taken.push((*benefit_year, policy.deductible_mode, applied, pay));
                    parts.push((*source, applied, pay));
                }
                Stacking::BestOf => {
                    if winner.is_none_or(|best| best.2 < pay) {
                        winner = Some((*source, applied, pay));
                    }
                }
            }
        }
        parts.extend(winner);
    }
    parts
}

#[test]
fn random_stays_agree_with_a_plain_recomputation() {
    let mut random = Random(2016);
    let mut paying = 0;
    for stay in 0..20_000 {
        let bill = random.bill();
        let purses: Vec<Purse> = ["A", "B"]
            .into_iter()
            .take(1 + usize::from(random.coin()))
            .map(|name| random.purse(name))
            .collect();
        let calculation = calculate(&bill, &purses).unwrap();

        let others: i128 = bill.payments().iter().map(|(_, _, amount)| plain(*amount)).sum();
        let burden = plain(bill.total_cost) - others;
        let found: Vec<PlainPart> = calculation
            .parts
            .iter()
            .map(|part| (part.source, plain(part.deductible_applied), plain(part.paid)))
            .collect();
        assert_eq!(found, plain_calculation(&bill, &purses), "stay {stay}: {bill:?} {purses:?}");

        let total: i128 = found.iter().map(|part| part.2).sum();
        assert_eq!(plain(calculation.assistance), total);
        assert_eq!(plain(calculation.personal_burden), burden - total);
        assert!(found.iter().all(|part| (0..=burden).contains(&part.2)) && total <= burden);
        for part in &calculation.parts {
            assert!(part.cap_left_before.is_none_or(|left| part.paid <= left));
            if stay % 20 == 0 {
                super::steps::recompute(part);
            }
        }
        paying += usize::from(total > 0);
    }
    assert!(paying > 5_000, "only {paying} stays were paid anything");
}
