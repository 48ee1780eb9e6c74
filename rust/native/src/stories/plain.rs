//! Expressions and types as far as they can be understood without a compiler.

use proc_macro2::LineColumn;
use pyo3::prelude::*;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Expr, ExprCall, ExprMethodCall, GenericArgument, Lit, PathArguments, PointerMutability, Type,
};

/// An expression. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustExpr {
    /// As it stands there, for people.
    text: String,
    /// The plain variable that it is, before any cast.
    variable: Option<String>,
    /// The integer that it is, before any cast, in decimal digits.
    literal: Option<String>,
    /// What it is cast to, one after the other; a literal's suffix is the first, and of what is
    /// neither a variable nor a literal only the last cast is known. `as_ptr`,
    /// `as_mut_ptr`, `from_ref` and `from_mut` stand for the functions, `&raw const` and
    /// `&raw mut` for a borrow of its place.
    casts: Vec<String>,
    line: usize,
    column: usize,
}

/// A line and a column, both from 1.
pub fn place(at: LineColumn) -> (usize, usize) {
    (at.line, at.column + 1)
}

/// What the expression is: a variable or a number with casts, or no more than a text.
pub fn read_expr(expr: &Expr) -> RustExpr {
    let (line, column) = place(expr.span().start());
    let text = expr.span().source_text().unwrap_or_else(|| expr.to_token_stream().to_string());
    let mut found =
        RustExpr { text, variable: None, literal: None, casts: Vec::new(), line, column };
    if !read_into(expr, &mut found) {
        // Whatever is cast, the type that comes of it is said.
        let casts = if let Expr::Cast(cast) = expr { vec![write_type(&cast.ty)] } else { vec![] };
        (found.variable, found.literal, found.casts) = (None, None, casts);
    }
    found
}

fn read_into(expr: &Expr, found: &mut RustExpr) -> bool {
    match expr {
        Expr::Paren(inner) => read_into(&inner.expr, found),
        Expr::Group(inner) => read_into(&inner.expr, found),
        Expr::Path(path) => {
            found.variable = path.path.get_ident().map(ToString::to_string);
            path.qself.is_none() && found.variable.is_some()
        }
        Expr::Lit(literal) => read_literal(&literal.lit, found),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            let negative = read_into(&unary.expr, found) && found.literal.is_some();
            found.literal = found.literal.take().map(|digits| format!("-{digits}"));
            negative
        }
        Expr::Cast(cast) => {
            let known = read_into(&cast.expr, found);
            found.casts.push(write_type(&cast.ty));
            known
        }
        Expr::RawAddr(borrow) => {
            let word = if matches!(borrow.mutability, PointerMutability::Mut(_)) {
                "&raw mut"
            } else {
                "&raw const"
            };
            read_borrow(&borrow.expr, word, found)
        }
        Expr::MethodCall(call) if call.args.is_empty() => read_method(call, found),
        Expr::Call(call) => read_call(call, found),
        _ => false,
    }
}

/// `&raw mut *p` of a reference `p` is the pointer that it is.
fn read_borrow(of: &Expr, word: &str, found: &mut RustExpr) -> bool {
    let Expr::Unary(unary) = of else { return false };
    if !matches!(unary.op, syn::UnOp::Deref(_)) {
        return false;
    }
    let known = read_into(&unary.expr, found);
    found.casts.push(word.into());
    known
}

fn read_method(call: &ExprMethodCall, found: &mut RustExpr) -> bool {
    let known = read_into(&call.receiver, found);
    let method = call.method.to_string();
    match (method.as_str(), &call.turbofish) {
        ("as_ptr" | "as_mut_ptr", None) => found.casts.push(method),
        ("cast", Some(generics)) => match generics.args.first() {
            Some(GenericArgument::Type(to)) => found.casts.push(format!("*_ {}", write_type(to))),
            _ => return false,
        },
        _ => return false,
    }
    known
}

/// `ptr::from_mut(p)` of a reference `p` is the pointer that it is.
fn read_call(call: &ExprCall, found: &mut RustExpr) -> bool {
    let (Expr::Path(function), Some(argument), 1) =
        (&*call.func, call.args.first(), call.args.len())
    else {
        return false;
    };
    let names: Vec<_> = function.path.segments.iter().map(|each| each.ident.to_string()).collect();
    let [.., module, name] = &names[..] else { return false };
    if module != "ptr" || !matches!(name.as_str(), "from_ref" | "from_mut") {
        return false;
    }
    let known = read_into(argument, found);
    found.casts.push(name.clone());
    known
}

fn read_literal(literal: &Lit, found: &mut RustExpr) -> bool {
    match literal {
        Lit::Int(number) => {
            found.literal = Some(number.base10_digits().into());
            if !number.suffix().is_empty() {
                found.casts.push(number.suffix().into());
            }
            true
        }
        _ => false,
    }
}

/// The type in one way of writing: `u64`, `*mut u8`, `&[u32; 4]`, the last name of a path.
pub fn write_type(of: &Type) -> String {
    match of {
        Type::Paren(inner) => write_type(&inner.elem),
        Type::Group(inner) => write_type(&inner.elem),
        Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(last) if matches!(last.arguments, PathArguments::None) => last.ident.to_string(),
            _ => path.to_token_stream().to_string(),
        },
        Type::Ptr(pointer) => {
            let is_mut = matches!(pointer.mutability, PointerMutability::Mut(_));
            let word = if is_mut { "mut" } else { "const" };
            format!("*{word} {}", write_type(&pointer.elem))
        }
        Type::Reference(reference) => {
            let word = if reference.mutability.is_some() { "&mut " } else { "&" };
            format!("{word}{}", write_type(&reference.elem))
        }
        Type::Array(array) => {
            let length = array.len.to_token_stream().to_string();
            format!("[{}; {length}]", write_type(&array.elem))
        }
        Type::Slice(slice) => format!("[{}]", write_type(&slice.elem)),
        _ => of.to_token_stream().to_string(),
    }
}
