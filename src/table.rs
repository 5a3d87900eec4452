//! Enums that are tables: one line per variant with everything about it.

/// Declares an enum whose variants have names, and optionally stored numbers and one more column: `Variant = number,
/// "name", Column;`. A variant cannot be missing in [`ALL`] or lack a name.
///
/// [`ALL`]: crate::store::Keyspace::ALL
macro_rules! table {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $variant:ident $(= $number:literal)?, $text:literal $(, $column:ident)?;)*
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$doc])* $variant $(= $number)?,)*
        }

        impl $name {
            /// Every variant, in the order of its declaration.
            $vis const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            /// The name in replies, messages and on the command line.
            #[must_use]
            $vis const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        $crate::table::column!($name, $vis, $($($variant, $column;)?)*);
    };
}

/// The last column of a table that has one: the owner of a keyspace's rows.
macro_rules! column {
    ($name:ident, $vis:vis,) => {};
    ($name:ident, $vis:vis, $($variant:ident, $column:ident;)+) => {
        impl $name {
            /// What its rows belong to.
            #[must_use]
            $vis const fn belongs(self) -> Belongs {
                match self {
                    $(Self::$variant => Belongs::$column,)+
                }
            }
        }
    };
}

pub(crate) use {column, table};
