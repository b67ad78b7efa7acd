//! The limits, and what is said when one is passed.

/// The limits that a document can pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Bytes,
    Tokens,
    Nesting,
    WrittenOut,
    Operations,
    Fragments,
    FragmentCycle,
    Depth,
    Recursion,
    Fields,
    Cost,
    Aliases,
    Directives,
    MutationFields,
    IntrospectionRoots,
    IntrospectionDepth,
    IntrospectionFields,
    IntrospectionLists,
    IntrospectionAliases,
}

/// A limit that was passed, by how much. Counts that do not fit 64 bits are given as the largest that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    /// Which limit.
    pub limit: Limit,
    /// What the document has.
    pub found: u64,
    /// The most it may have.
    pub allowed: u64,
}

impl LimitExceeded {
    /// One sentence for the client. Not `Display`: the library would turn that into an error without a code.
    #[must_use]
    pub fn message(&self) -> String {
        let what = match self.limit {
            Limit::FragmentCycle => {
                return "A fragment contains itself, directly or through others.".to_owned();
            }
            Limit::Bytes => "length of the document in bytes",
            Limit::Tokens => "number of tokens in the document",
            Limit::Nesting => "nesting of brackets in the document",
            Limit::WrittenOut => "size of the variables, written out wherever they are used, in bytes",
            Limit::Operations => "number of operations in the document",
            Limit::Fragments => "number of fragments in the document",
            Limit::Depth => "depth of the operation",
            Limit::Recursion => "nesting of selections, fragments included,",
            Limit::Fields => "number of fields, with fragments written out,",
            Limit::Cost => {
                "cost of the operation (fields times lists around them; a size in a variable counts as 100)"
            }
            Limit::Aliases => "number of aliases",
            Limit::Directives => "number of directives",
            Limit::MutationFields => "number of root fields of the mutation",
            Limit::IntrospectionRoots => "number of __schema and __type fields",
            Limit::IntrospectionDepth => "depth of the introspection",
            Limit::IntrospectionFields => "number of introspection fields",
            Limit::IntrospectionLists => "nesting of lists in the introspection",
            Limit::IntrospectionAliases => "number of aliases in the introspection",
        };
        format!("The {what} is {}, more than the {} allowed.", self.found, self.allowed)
    }
}

pub(super) fn within(limit: Limit, found: u64, allowed: u64) -> Result<(), LimitExceeded> {
    if found > allowed { Err(LimitExceeded { limit, found, allowed }) } else { Ok(()) }
}
