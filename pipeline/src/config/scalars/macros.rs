// SPDX-License-Identifier: GPL-2.0-or-later
//! How scalars are declared: each is a type around a text, and an entry of its file's table.

/// `Name = Scalar::new(…);`, with docs, for each.
macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident = $rule:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
            #[schemars(transform = $name::declare)]
            pub struct $name(String);

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    from.deserialize_str(super::ScalarVisitor::<Self>(
                        std::marker::PhantomData,
                        Self::rule(),
                    ))
                }
            }

            impl TryFrom<String> for $name {
                type Error = String;
                fn try_from(text: String) -> Result<Self, String> {
                    if Self::rule().admits(&text) {
                        Ok(Self(text))
                    } else {
                        Err(Self::rule().refusal(&text))
                    }
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&self.0)
                }
            }

            #[allow(dead_code, reason = "some are only ever shown, some are only a rule")]
            impl $name {
                pub fn as_str(&self) -> &str {
                    &self.0
                }

                pub fn rule() -> &'static super::Scalar {
                    static RULE: super::Scalar = $rule;
                    &RULE
                }

                fn declare(schema: &mut schemars::Schema) {
                    Self::rule().declare(schema);
                }
            }
        )*

        /// Every scalar of this file, by the name that its definition has in a schema.
        pub(super) const ALL: &[(&str, fn() -> &'static super::Scalar)] =
            &[$((stringify!($name), $name::rule)),*];
    };
}

pub(super) use scalars;
