//! Functions that have assembly in them, or a story: their signatures, and what is in scope.

use syn::{Attribute, Block, FnArg, Item, ReturnType, Signature, Type};

use super::block_side::{RustVariable, declare_as, plain_pattern};
use super::plain::write_type;

pub struct Function {
    pub name: String,
    pub features: Vec<String>,
    pub returns: Option<Vec<String>>,
    pub body: *const Block,
}

pub fn functions_of(items: &[Item]) -> Vec<(&[Attribute], &Signature, &Block)> {
    items
        .iter()
        .filter_map(|each| match each {
            Item::Fn(one) => Some((&one.attrs[..], &one.sig, &*one.block)),
            _ => None,
        })
        .collect()
}

pub fn describe(attributes: &[Attribute], signature: &Signature, body: &Block) -> Function {
    let mut features = Vec::new();
    for attribute in attributes.iter().filter(|each| each.path().is_ident("target_feature")) {
        // What is no list of `enable = "…"` enables nothing.
        let _ = attribute.parse_nested_meta(|meta| {
            let text: syn::LitStr = meta.value()?.parse()?;
            features.extend(text.value().split(',').map(|each| each.trim().to_string()));
            Ok(())
        });
    }
    Function {
        name: signature.ident.to_string(),
        features,
        returns: returned_types(&signature.output),
        body,
    }
}

pub fn returned_types(output: &ReturnType) -> Option<Vec<String>> {
    match output {
        ReturnType::Default => None,
        ReturnType::Type(_, of) => Some(types_of(of)),
    }
}

pub fn types_of(of: &Type) -> Vec<String> {
    match of {
        Type::Tuple(tuple) => tuple.elems.iter().map(write_type).collect(),
        one => vec![write_type(one)],
    }
}

pub fn type_of_pattern(pattern: &syn::Pat) -> Option<Vec<String>> {
    match pattern {
        syn::Pat::Type(typed) => Some(types_of(&typed.ty)),
        _ => None,
    }
}

pub fn declare_parameters(signature: &Signature) -> Vec<RustVariable> {
    let mut found = Vec::new();
    for input in &signature.inputs {
        if let FnArg::Typed(typed) = input {
            found.extend(declare_as(&typed.pat, Some(&typed.ty), None));
        }
    }
    found
}

/// What the story's function calls each parameter, what the block's does, and whether the
/// story's can be assigned to. Raises: why they are not the same.
pub fn parameters(
    of_block: &Signature,
    of_story: &Signature,
) -> Result<Vec<(String, String, bool)>, String> {
    let other = || Err("the story is a function of other parameters".to_string());
    if of_block.inputs.len() != of_story.inputs.len() {
        return other();
    }
    let mut found = Vec::new();
    for (first, second) in of_block.inputs.iter().zip(&of_story.inputs) {
        let (FnArg::Typed(first), FnArg::Typed(second)) = (first, second) else { continue };
        if write_type(&first.ty) != write_type(&second.ty) {
            return other();
        }
        match (plain_pattern(&first.pat), plain_pattern(&second.pat)) {
            (Some((name, _)), Some((told, mutable))) => found.push((told, name, mutable)),
            (_, None) if matches!(&*second.pat, syn::Pat::Wild(_)) => {}
            _ => return other(),
        }
    }
    if returned_types(&of_block.output) != returned_types(&of_story.output) {
        return Err("the story is a function with another result".into());
    }
    Ok(found)
}
