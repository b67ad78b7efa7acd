use entity::kinds::{Role, Scope};
use serde::{Deserialize, Serialize};

/// Why nobody was registered, changed or suspended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Administrative {
    CodeTaken,
    NotAnArea,
    OutsideTerritory { area: String },
    OneBureau,
    ScopeNotAllowed { scope: Scope },
    DutiesConflict { one: Role, two: Role },
    KeysUnusable,
    KeysOrSecret,
    NoSecret,
    OverlapTooLong { most: u32 },
    TooMany { most: usize },
    NotADocument,
    Oneself,
}

impl Administrative {
    pub(super) fn sentences(&self) -> (String, String) {
        let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        match self {
            Self::CodeTaken => both("该编码已被使用。", "This code is taken."),
            Self::NotAnArea => {
                both("区划代码应为 6、9 或 12 位数字。", "An area code has 6, 9 or 12 digits.")
            }
            Self::OutsideTerritory { area } => {
                (format!("区划应在 {area} 之内。"), format!("The area must lie within {area}."))
            }
            Self::OneBureau => both(
                "每个系统只有一个民政局。",
                "An installation has one bureau; register another kind of partner.",
            ),
            Self::ScopeNotAllowed { scope } => (
                format!("该合作方的系统不能持有 {}。", scope.word()),
                format!("A system of this kind of partner may never hold {}.", scope.word()),
            ),
            Self::DutiesConflict { one, two } => (
                format!("{} 与 {} 不得由同一人担任。", one.word(), two.word()),
                format!("{} and {} must not meet in one person.", one.word(), two.word()),
            ),
            Self::KeysUnusable => both(
                "密钥集应为 JWK Set，含 1 至 10 个 Ed25519 或 P-256 公钥，不得含私钥。",
                "Keys must be a JWK Set of 1 to 10 public keys, each Ed25519 or P-256 and without a private part.",
            ),
            Self::KeysOrSecret => both(
                "PRIVATE_KEY_JWT 应提供密钥集，CLIENT_SECRET 不应提供。",
                "Give keys with PRIVATE_KEY_JWT, and none with CLIENT_SECRET.",
            ),
            Self::NoSecret => {
                both("该客户端使用密钥而非口令。", "This client proves itself by its keys; it has no secret.")
            }
            Self::OverlapTooLong { most } => (
                format!("旧口令最多再有效 {most} 小时。"),
                format!("The old secret may stay good for 0 to {most} hours."),
            ),
            Self::TooMany { most } => (format!("最多 {most} 项。"), format!("At most {most} at once.")),
            Self::NotADocument => {
                both("应为可解析的 GraphQL 文档。", "It must be a GraphQL document that can be parsed.")
            }
            Self::Oneself => {
                both("不能暂停自己。", "Nobody suspends oneself, or the bureau that one works for.")
            }
        }
    }
}
