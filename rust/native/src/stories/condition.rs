//! Conditions of `cfg`: whether they hold where Miri runs the code, and where the processor does.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Token};

/// Who runs a piece of code on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Both, or it is not known.
    Either,
    /// Miri alone: the story.
    Story,
    /// The processor alone: the block.
    Block,
    /// Neither: it is for another machine.
    Elsewhere,
}

/// Who runs what carries these attributes.
pub fn side_of(attributes: &[Attribute]) -> Side {
    let conditions: Vec<Meta> = attributes
        .iter()
        .filter(|each| each.path().is_ident("cfg"))
        .filter_map(|each| each.parse_args().ok())
        .collect();
    side_of_all(&conditions)
}

/// Who runs what stands behind these conditions.
pub fn side_of_all(conditions: &[Meta]) -> Side {
    let holds = |miri| all(conditions.iter().map(|each| truth(each, miri)));
    match (holds(true), holds(false)) {
        (Some(false), Some(false)) => Side::Elsewhere,
        (Some(false), _) => Side::Block,
        (_, Some(false)) => Side::Story,
        // What hangs on a feature, say, and holds under Miri whatever it is.
        (Some(true), None) => Side::Story,
        _ => Side::Either,
    }
}

/// Whether the condition holds; None if that hangs on how the crate is built.
fn truth(condition: &Meta, miri: bool) -> Option<bool> {
    let path = condition.path();
    match condition {
        Meta::Path(_) if path.is_ident("miri") => Some(miri),
        Meta::Path(_) if path.is_ident("unix") => Some(cfg!(unix)),
        Meta::Path(_) if path.is_ident("windows") => Some(cfg!(windows)),
        Meta::Path(_) => None,
        Meta::NameValue(pair) => {
            let Expr::Lit(literal) = &pair.value else { return None };
            let Lit::Str(value) = &literal.lit else { return None };
            let here = if path.is_ident("target_arch") {
                std::env::consts::ARCH
            } else if path.is_ident("target_pointer_width") {
                if cfg!(target_pointer_width = "64") { "64" } else { "32" }
            } else if path.is_ident("target_os") {
                std::env::consts::OS
            } else if path.is_ident("target_family") {
                std::env::consts::FAMILY
            } else {
                return None;
            };
            Some(value.value() == here)
        }
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let truths: Vec<_> = parts.ok()?.iter().map(|each| truth(each, miri)).collect();
            if path.is_ident("not") {
                truths.first().copied().flatten().map(|holds| !holds)
            } else if path.is_ident("all") {
                all(truths.into_iter())
            } else if path.is_ident("any") {
                all(truths.into_iter().map(|each| each.map(|holds| !holds))).map(|none| !none)
            } else {
                None
            }
        }
    }
}

/// Whether all hold; None if that is not known.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(true);
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            None => found = None,
            Some(true) => {}
        }
    }
    found
}
