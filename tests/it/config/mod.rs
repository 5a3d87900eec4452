//! Settings: sources, sentences, the generated reference.

mod reference;
