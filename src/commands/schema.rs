use clap::Args;
use clap::builder::PossibleValuesParser;
use entity::kinds::PartnerKind;

use super::Outcome;
use crate::schema::{sdl, sdl_of};

/// Print the GraphQL schema: all of it, as `schema.graphql` has it, or the part that one kind of partner has.
#[derive(Args)]
pub struct Schema {
    /// Only what this kind of partner has.
    #[arg(long = "as", value_name = "KIND", value_parser = kinds(), ignore_case = true)]
    kind: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(PartnerKind::ALL.iter().map(|kind| kind.word()))
}

impl Schema {
    pub(super) fn run(self) -> Outcome {
        let kind = self.kind.and_then(|word| PartnerKind::of_word(&word.to_uppercase()));
        print!("{}", kind.map_or_else(sdl, sdl_of));
        Ok(())
    }
}
