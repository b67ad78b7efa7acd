//! Which duties may meet in one person of the bureau's staff.

use entity::kinds::Role;

/// Two of these duties that must not meet in one person; none when all may.
///
/// Whoever decides or prepares does not pay, and whoever audits or gives out rights does nothing else: the separation of incompatible
/// duties that the internal control norms for administrative units ask for (行政事业单位内部控制规范, 2012). Clerk and decider may
/// meet: that nobody decides what the same person prepared is judged case by case.
pub fn conflict(roles: &[Role]) -> Option<(Role, Role)> {
    let pairs =
        roles.iter().enumerate().flat_map(|(at, one)| roles[at + 1..].iter().map(move |two| (*one, *two)));
    pairs.into_iter().find(|(one, two)| one != two && !may_meet(*one, *two))
}

const fn may_meet(one: Role, two: Role) -> bool {
    matches!((one, two), (Role::Clerk, Role::Decider) | (Role::Decider, Role::Clerk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_duty_or_clerk_and_decider() {
        use Role::{Administrator, Auditor, Clerk, Decider, Paymaster};
        for role in Role::ALL {
            assert_eq!(conflict(&[*role]), None);
            assert_eq!(conflict(&[*role, *role]), None, "said twice");
        }
        assert_eq!(conflict(&[Clerk, Decider]), None);
        assert_eq!(conflict(&[Decider, Clerk]), None);
        let refused = [
            (Clerk, Paymaster),
            (Clerk, Auditor),
            (Clerk, Administrator),
            (Decider, Paymaster),
            (Decider, Auditor),
            (Decider, Administrator),
            (Paymaster, Auditor),
            (Paymaster, Administrator),
            (Auditor, Administrator),
        ];
        for (one, two) in refused {
            assert_eq!(conflict(&[one, two]), Some((one, two)));
            assert_eq!(conflict(&[two, one]), Some((two, one)));
        }
        assert_eq!(conflict(&[Clerk, Decider, Paymaster]), Some((Clerk, Paymaster)));
    }
}
