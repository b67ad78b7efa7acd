use std::time::Duration;

use clap::{Args, Subcommand};
use entity::kinds::Scope;

use super::{Failure, Outcome, Place, check, configure, gate, gate_of_installation, open};
use crate::access::{IssueError, LONGEST_LIFE, scopes_of};

/// Issue an access token to a partner or to a member of staff (prints the token alone), or revoke one.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Token {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    #[command(flatten)]
    issue: Issue,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// End a token; the server refuses it within five seconds.
    Revoke(Revoke),
}

#[derive(Args)]
struct Issue {
    #[command(flatten)]
    place: Place,
    /// The partner's code, e.g. H41999900153.
    #[arg(long, value_name = "CODE", required_unless_present = "staff")]
    partner: Option<String>,
    /// The code of a member of the bureau's staff; the token names the person.
    #[arg(long, value_name = "CODE", conflicts_with = "partner")]
    staff: Option<String>,
    /// Scopes, separated by commas, e.g. COVERAGE_READ,SETTLEMENT_WRITE; all that the partner's kind, or the person's duties, may hold
    /// when left out.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Vec<String>,
    /// How long it lives: a number with s, m, h or d; at most 366d, and 12h for a person.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = life)]
    ttl: Duration,
}

#[derive(Args)]
struct Revoke {
    #[command(flatten)]
    place: Place,
    /// The token, or its id (`jti`, token_…).
    token: String,
}

/// Reads `90s`, `30m`, `12h`, `1d`.
fn life(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number with s, m, h or d, e.g. 12h, and at most 366d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let life = Duration::from_secs(number.checked_mul(seconds).ok_or_else(wrong)?);
    if life.is_zero() || life > LONGEST_LIFE { Err(wrong()) } else { Ok(life) }
}

impl Token {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            Some(TokenCommand::Revoke(revoke)) => revoke.run().await,
            None => self.issue.run().await,
        }
    }
}

impl Issue {
    async fn run(self) -> Outcome {
        let mut scopes = Vec::new();
        for word in &self.scopes {
            let scope = Scope::of_word(word.trim()).ok_or_else(|| {
                let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.word()).collect();
                Failure(format!("--scopes: {word} is no scope; there are {}", known.join(", ")))
            })?;
            scopes.push(scope);
        }
        let config = configure(&self.place, None)?;
        let gate = gate(&config, open(&config).await?).await?;
        check(&config, &gate).await?;
        let issued = match (&self.staff, self.partner.unwrap_or_default()) {
            (Some(code), _) => gate.issue_to_staff(code, &scopes, self.ttl).await,
            (None, code) => {
                if scopes.is_empty() {
                    let partner = gate.partner(&code).await?.ok_or_else(|| no_partner(&code))?;
                    scopes = scopes_of(partner.kind);
                }
                gate.issue(&code, &scopes, self.ttl).await
            }
        };
        let token = issued.map_err(|error| match error {
            IssueError::NoSuchPartner => Failure("--partner: there is no such partner".into()),
            IssueError::NoSuchStaff => Failure("--staff: there is no such member of staff".into()),
            IssueError::Suspended => Failure("whom it is for is suspended: resume that first".into()),
            IssueError::ScopeNotAllowed(scope) => {
                Failure(format!("--scopes: who it is for may never hold {}", scope.word()))
            }
            IssueError::LifetimeOutOfRange => Failure(
                "--ttl: must be longer than 0s and at most 366d, for a member of staff at most 12h".into(),
            ),
            IssueError::Failed(error) => error.into(),
        })?;
        println!("{token}");
        Ok(())
    }
}

fn no_partner(code: &str) -> Failure {
    Failure(format!("--partner: there is no partner {code}"))
}

impl Revoke {
    async fn run(self) -> Outcome {
        let config = configure(&self.place, None)?;
        let gate = gate_of_installation(&config).await?;
        check(&config, &gate).await?;
        if gate.revoke(&self.token).await? {
            println!("revoked; the server refuses it within five seconds");
            Ok(())
        } else {
            Err(Failure("there is no such live token of this server".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_read_with_their_unit() {
        assert_eq!(life("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(life("1d"), Ok(Duration::from_secs(86_400)));
        for wrong in ["", "1", "h", "0h", "-1h", "367d", "1y", "１h", "99999999999999999999d", "h1天"] {
            assert!(life(wrong).is_err(), "{wrong}");
        }
    }
}
