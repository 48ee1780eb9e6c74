//! Statements and expressions as plain data, for whoever asks what a story does.

use proc_macro2::LineColumn;
use pyo3::prelude::*;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Block, Expr, ExprPath, Fields, GenericArgument, Item, ItemStruct, Lit, LitInt, Local,
    Pat, Path, PathArguments, PointerMutability, Stmt, Token, UnOp, punctuated::Punctuated,
};

use super::RustError;
use super::plain::write_type;
use crate::deep::{tokens, with_room};

/// How deep terms may be nested; whoever reads them goes into them by calls of its own.
const DEEPEST: usize = 60;

/// A statement or an expression. Line and column count from 1, columns in code points.
///
/// Which parts there are goes by the kind: `let` (a value), `assign` (a place and a value; the
/// text is the operator before `=`), `name`, `number`, `float`, `method` (the receiver, then the
/// arguments), `call`, `macro` (arguments), `cast`, `unary`, `binary`, `borrow` (the text says
/// which), `field`, `index`, `array`, `repeat`, `tuple`, `block` (statements), `if` (a condition
/// and one block or two), `loop` (statements), `closure` (names in it), `struct` (of one field, whose type is `written`; its
/// alignment), `use` and `unsaid`.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustTerm {
    kind: String,
    /// A name, an operator, the digits of a number; of what is `unsaid`, what it is, in words.
    text: String,
    /// The type that is written there: a cast's, a literal's suffix, one in `::<…>`.
    written: Option<String>,
    parts: Vec<RustTerm>,
    line: usize,
    column: usize,
}

/// The statements of `text`, as they stand in a function.
///
/// Raises: harness.errors.RustError, if it is not Rust.
#[pyfunction]
#[pyo3(signature = (text: "str") -> "list[RustTerm]")]
pub fn rust_terms(text: &str) -> PyResult<Vec<RustTerm>> {
    // Lines of its own for the braces, as in `rust_names`.
    let whole = format!("{{\n{text}\n}}");
    let read = || -> Result<Vec<RustTerm>, (String, LineColumn)> {
        let block: Block = tokens(&whole)
            .and_then(syn::parse2)
            .map_err(|error| (error.to_string(), error.span().start()))?;
        Ok(statements(&block, 0))
    };
    with_room(read).map_err(|(message, at)| {
        let last = text.lines().count().max(1);
        let line = at.line.saturating_sub(1).clamp(1, last);
        RustError::new_err((message, line, at.column + 1))
    })
}

fn term(kind: &str, text: impl Into<String>, at: &impl Spanned, parts: Vec<RustTerm>) -> RustTerm {
    let start = at.span().start();
    let (line, column) = (start.line.saturating_sub(1), start.column + 1);
    RustTerm { kind: kind.into(), text: text.into(), written: None, parts, line, column }
}

fn unsaid(what: &str, at: &impl Spanned) -> RustTerm {
    term("unsaid", what, at, Vec::new())
}

fn statements(block: &Block, depth: usize) -> Vec<RustTerm> {
    // A semicolon alone is a statement without a place.
    let is_empty =
        |each: &Stmt| matches!(each, Stmt::Expr(Expr::Verbatim(tokens), _) if tokens.is_empty());
    let told = block.stmts.iter().filter(|each| !is_empty(each));
    told.map(|each| statement(each, depth)).collect()
}

fn statement(of: &Stmt, depth: usize) -> RustTerm {
    match of {
        Stmt::Local(local) => declaration(local, depth),
        Stmt::Item(Item::Use(item)) => term("use", "", item, Vec::new()),
        Stmt::Item(Item::Struct(item)) => read_struct(item),
        Stmt::Item(item) => unsaid("an item of its own", item),
        Stmt::Expr(expr, _) => expression(expr, depth),
        Stmt::Macro(called) => read_macro(&called.mac, depth),
    }
}

/// A struct of one field without a name, by its alignment.
fn read_struct(item: &ItemStruct) -> RustTerm {
    let mut align = None;
    for attribute in item.attrs.iter().filter(|each| each.path().is_ident("repr")) {
        // What is no `align(…)` says nothing of its alignment.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("align") {
                let inner;
                syn::parenthesized!(inner in meta.input);
                align = Some(inner.parse::<LitInt>()?.base10_digits().to_string());
            }
            Ok(())
        });
    }
    match &item.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let align = term("number", align.unwrap_or_else(|| "1".into()), item, Vec::new());
            let written = Some(write_type(&fields.unnamed[0].ty));
            RustTerm { written, ..term("struct", item.ident.to_string(), item, vec![align]) }
        }
        _ => unsaid("a struct", item),
    }
}

fn declaration(local: &Local, depth: usize) -> RustTerm {
    let Some(init) = &local.init else { return unsaid("a variable without a value", local) };
    if init.diverge.is_some() {
        return unsaid("a branch", local);
    }
    let (pattern, written) = match &local.pat {
        Pat::Type(typed) => (&*typed.pat, Some(write_type(&typed.ty))),
        plain => (plain, None),
    };
    let name = match pattern {
        Pat::Wild(_) => "_".to_string(),
        Pat::Ident(one) if one.by_ref.is_none() && one.subpat.is_none() => one.ident.to_string(),
        _ => return unsaid("a pattern", local),
    };
    let value = expression(&init.expr, depth + 1);
    RustTerm { written, ..term("let", name, local, vec![value]) }
}

fn all<'a>(of: impl IntoIterator<Item = &'a Expr>, depth: usize) -> Vec<RustTerm> {
    of.into_iter().map(|each| expression(each, depth + 1)).collect()
}

fn expression(of: &Expr, depth: usize) -> RustTerm {
    if depth > DEEPEST {
        return unsaid("what is nested so deeply", of);
    }
    match of {
        Expr::Paren(inner) => expression(&inner.expr, depth),
        Expr::Group(inner) => expression(&inner.expr, depth),
        Expr::Path(path) => read_path(path),
        Expr::Lit(literal) => read_literal(&literal.lit),
        Expr::Tuple(tuple) => term("tuple", "", of, all(&tuple.elems, depth)),
        Expr::Array(array) => term("array", "", of, all(&array.elems, depth)),
        Expr::Repeat(repeat) => term("repeat", "", of, all([&*repeat.expr, &*repeat.len], depth)),
        Expr::Assign(assign) => term("assign", "", of, all([&*assign.left, &*assign.right], depth)),
        Expr::Binary(binary) => read_binary(of, &binary.op, [&binary.left, &binary.right], depth),
        Expr::Unary(unary) => {
            let operator = match unary.op {
                UnOp::Deref(_) => "*",
                UnOp::Not(_) => "!",
                UnOp::Neg(_) => "-",
                _ => return unsaid("an operator", of),
            };
            term("unary", operator, of, all([&*unary.expr], depth))
        }
        Expr::Cast(cast) => RustTerm {
            written: Some(write_type(&cast.ty)),
            ..term("cast", "", of, all([&*cast.expr], depth))
        },
        Expr::RawAddr(borrow) => {
            let is_mut = matches!(borrow.mutability, PointerMutability::Mut(_));
            let word = if is_mut { "&raw mut" } else { "&raw const" };
            term("borrow", word, of, all([&*borrow.expr], depth))
        }
        Expr::Reference(borrow) => {
            let word = if borrow.mutability.is_some() { "&mut" } else { "&" };
            term("borrow", word, of, all([&*borrow.expr], depth))
        }
        Expr::MethodCall(call) => {
            let mut parts = all([&*call.receiver], depth);
            parts.extend(all(&call.args, depth));
            let written = call.turbofish.as_ref().and_then(|each| first_type(each.args.first()));
            // Where it is called, not where its receiver begins.
            RustTerm { written, ..term("method", call.method.to_string(), &call.method, parts) }
        }
        Expr::Call(call) => {
            let Expr::Path(path) = &*call.func else { return unsaid("a computed function", of) };
            let name = read_path(path);
            if name.kind == "unsaid" {
                return name;
            }
            RustTerm {
                written: name.written,
                ..term("call", name.text, of, all(&call.args, depth))
            }
        }
        Expr::Field(field) => {
            let name = field.member.to_token_stream().to_string();
            term("field", name, of, all([&*field.base], depth))
        }
        Expr::Index(index) => term("index", "", of, all([&*index.expr, &*index.index], depth)),
        Expr::Unsafe(block) => term("block", "", of, statements(&block.block, depth + 1)),
        Expr::Block(block) if block.label.is_none() => {
            term("block", "", of, statements(&block.block, depth + 1))
        }
        Expr::If(branch) => {
            let taken = statements(&branch.then_branch, depth + 1);
            let taken = term("block", "", &branch.then_branch, taken);
            let mut parts = vec![expression(&branch.cond, depth + 1), taken];
            parts.extend(branch.else_branch.iter().map(|(_, each)| expression(each, depth + 1)));
            term("if", "", of, parts)
        }
        Expr::Loop(endless) if endless.label.is_none() => {
            term("loop", "", of, statements(&endless.body, depth + 1))
        }
        Expr::Closure(closure) => {
            let mut names = Used::default();
            names.visit_expr(&closure.body);
            term("closure", "", of, names.found)
        }
        Expr::Macro(called) => read_macro(&called.mac, depth),
        Expr::Match(_) | Expr::Let(_) => unsaid("a branch", of),
        Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => unsaid("a loop", of),
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => unsaid("a jump", of),
        Expr::Struct(_) => unsaid("a struct", of),
        Expr::Range(_) => unsaid("a range", of),
        _ => unsaid("such an expression", of),
    }
}

fn read_binary(of: &Expr, operator: &BinOp, sides: [&Expr; 2], depth: usize) -> RustTerm {
    if matches!(operator, BinOp::And(_) | BinOp::Or(_)) {
        return unsaid("a branch", of);
    }
    let text = operator.to_token_stream().to_string();
    let comparisons = ["==", "!=", "<=", ">="];
    match text.strip_suffix('=') {
        Some(before) if !comparisons.contains(&text.as_str()) => {
            term("assign", before, of, all(sides, depth))
        }
        _ => term("binary", text, of, all(sides, depth)),
    }
}

fn read_path(path: &ExprPath) -> RustTerm {
    if path.qself.is_some() {
        return unsaid("a path of a trait", path);
    }
    RustTerm {
        written: generics(&path.path),
        ..term("name", spelled(&path.path), path, Vec::new())
    }
}

fn spelled(path: &Path) -> String {
    let segments: Vec<_> = path.segments.iter().map(|each| each.ident.to_string()).collect();
    segments.join("::")
}

/// The first type that the last segment is given.
fn generics(path: &Path) -> Option<String> {
    match &path.segments.last()?.arguments {
        PathArguments::AngleBracketed(given) => first_type(given.args.first()),
        _ => None,
    }
}

fn first_type(argument: Option<&GenericArgument>) -> Option<String> {
    match argument {
        Some(GenericArgument::Type(of)) => Some(write_type(of)),
        _ => None,
    }
}

fn read_literal(literal: &Lit) -> RustTerm {
    let suffixed = |kind, digits: &str, suffix: &str| RustTerm {
        written: (!suffix.is_empty()).then(|| suffix.to_string()),
        ..term(kind, digits, literal, Vec::new())
    };
    match literal {
        Lit::Int(number) => suffixed("number", number.base10_digits(), number.suffix()),
        Lit::Float(number) => suffixed("float", number.base10_digits(), number.suffix()),
        Lit::Bool(value) => suffixed("number", if value.value { "1" } else { "0" }, "bool"),
        _ => unsaid("a literal that is no number", literal),
    }
}

fn read_macro(called: &syn::Macro, depth: usize) -> RustTerm {
    let name = spelled(&called.path);
    // What a macro is given lives no longer than the macro's own tokens.
    match called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
        Ok(arguments) => term("macro", name, called, all(&arguments, depth)),
        Err(_) => unsaid("what a macro is given", called),
    }
}

/// Names of one word.
#[derive(Default)]
struct Used {
    found: Vec<RustTerm>,
}

impl<'ast> Visit<'ast> for Used {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(name) = path.get_ident() {
            self.found.push(term("name", name.to_string(), path, Vec::new()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.found.push(unsaid("a macro", called));
    }
}
