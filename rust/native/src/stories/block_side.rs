//! The side of a pair that has the assembly: declarations, one `asm!`, and what comes of it.

use proc_macro2::{Span, TokenStream, TokenTree};
use pyo3::prelude::*;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Local, Macro, Pat, PatIdent, Path, Stmt, Type};

use super::asm_block::AsmBlock;
use super::plain::{RustExpr, place, read_expr, write_type};

/// A variable. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustVariable {
    name: String,
    /// The type as it is written; None where it is not.
    declared: Option<String>,
    /// What it begins as; None for a parameter, and where nothing says so in one expression.
    value: Option<RustExpr>,
    /// Whether it is there for the assembly alone, so that the story does not see it.
    inner: bool,
    /// Whether it can be assigned to anew.
    mutable: bool,
    line: usize,
    column: usize,
}

/// Why something is not understood, and where.
pub type Reason = (Span, String);

/// What stands in the place of a story where there is no Miri.
#[derive(Default)]
pub struct BlockSide {
    pub block: Option<AsmBlock>,
    pub variables: Vec<RustVariable>,
    /// The variables that its value is made of; None if it has none.
    pub gives: Option<Vec<String>>,
    /// Other names that variables get behind the assembly.
    other_names: Vec<(String, String)>,
}

impl BlockSide {
    /// Raises: why it is no more than one `asm!` with its declarations.
    pub fn of_statements(statements: &[Stmt]) -> Result<BlockSide, Reason> {
        let mut side = BlockSide::default();
        side.read_all(statements, true)?;
        Ok(side)
    }

    pub fn of_expression(expr: &Expr) -> Result<BlockSide, Reason> {
        let mut side = BlockSide::default();
        side.read_expression(expr, true)?;
        Ok(side)
    }

    fn read_all(&mut self, statements: &[Stmt], is_end: bool) -> Result<(), Reason> {
        for (number, statement) in statements.iter().enumerate() {
            let is_last = is_end && number + 1 == statements.len();
            match statement {
                Stmt::Item(syn::Item::Use(_)) => {}
                Stmt::Local(local) => self.read_local(local)?,
                Stmt::Macro(called) if is_asm(&called.mac.path) => self.read_asm(&called.mac)?,
                Stmt::Expr(expr, semicolon) => {
                    let gives = is_last && (semicolon.is_none() || is_return(expr));
                    self.read_expression(expr, gives)?;
                }
                _ => return Err(beside(statement.span())),
            }
        }
        Ok(())
    }

    fn read_local(&mut self, local: &Local) -> Result<(), Reason> {
        if let Some(init) = &local.init
            && !asm_places_in(&init.expr).is_empty()
        {
            let Some((name, _)) = plain_pattern(&local.pat) else {
                return Err(beside(local.pat.span()));
            };
            self.read_expression(&init.expr, true)?;
            return match self.gives.take().as_deref() {
                // The variable is another name of what the block gives.
                Some([given]) => {
                    self.name_again(name, given, &local.pat);
                    Ok(())
                }
                _ => Err(beside(local.span())),
            };
        }
        if self.block.is_some() {
            return Err(beside(local.span()));
        }
        let declared = declare(&local.pat, local.init.as_ref().map(|init| &*init.expr));
        self.variables
            .extend(declared.into_iter().map(|each| RustVariable { inner: true, ..each }));
        Ok(())
    }

    /// `let name: T = given;` behind the assembly.
    fn name_again(&mut self, name: String, given: &str, pattern: &Pat) {
        let declared = match pattern {
            Pat::Type(typed) => Some(write_type(&typed.ty)),
            _ => None,
        };
        for each in self.variables.iter_mut().filter(|each| each.name == given) {
            each.declared = each.declared.take().or_else(|| declared.clone());
        }
        self.other_names.push((name, given.into()));
    }

    /// gives: whether the expression's value is the side's.
    fn read_expression(&mut self, expr: &Expr, gives: bool) -> Result<(), Reason> {
        match expr {
            Expr::Paren(inner) => self.read_expression(&inner.expr, gives),
            Expr::Macro(called) if is_asm(&called.mac.path) => self.read_asm(&called.mac),
            Expr::Unsafe(inner) => self.read_all(&inner.block.stmts, gives),
            Expr::Block(inner) if inner.label.is_none() => self.read_all(&inner.block.stmts, gives),
            Expr::Return(inner) if gives && self.block.is_some() => match &inner.expr {
                Some(value) => self.read_value(value),
                None => Ok(()),
            },
            _ if gives && self.block.is_some() => self.read_value(expr),
            _ => Err(beside(expr.span())),
        }
    }

    fn read_value(&mut self, value: &Expr) -> Result<(), Reason> {
        let parts: Vec<&Expr> = match value {
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            one => vec![one],
        };
        let mut names = Vec::new();
        for part in parts {
            let found = match part {
                Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                _ => None,
            };
            let said = "what comes out of the block is changed before it is passed on";
            let name = found.ok_or_else(|| (part.span(), said.to_string()))?;
            let known = self.other_names.iter().find(|(other, _)| *other == name);
            names.push(known.map_or(name.clone(), |(_, given)| given.clone()));
        }
        self.gives = (!names.is_empty()).then_some(names);
        Ok(())
    }

    fn read_asm(&mut self, called: &Macro) -> Result<(), Reason> {
        if self.block.is_some() {
            return Err((called.span(), "there are two `asm!` in the place of one story".into()));
        }
        let block: AsmBlock = called
            .parse_body()
            .map_err(|error| (error.span(), format!("the `asm!` is not understood: {error}")))?;
        self.block = Some(block.at(called.path.span()));
        Ok(())
    }
}

fn beside(at: Span) -> Reason {
    (at, "beside its `asm!` the block does something that the story would have to do too".into())
}

fn is_return(expr: &Expr) -> bool {
    match expr {
        Expr::Return(_) => true,
        Expr::Unsafe(inner) => ends_in_return(&inner.block),
        Expr::Block(inner) => ends_in_return(&inner.block),
        _ => false,
    }
}

/// Whether its last statement is a `return`.
pub fn ends_in_return(block: &Block) -> bool {
    matches!(block.stmts.last(), Some(Stmt::Expr(last, _)) if is_return(last))
}

pub fn is_asm(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "asm")
}

/// Where there are calls of `asm!`, and other macros with one in what they are given.
#[derive(Default)]
pub struct AsmPlaces {
    pub found: Vec<(Span, Option<String>)>,
}

impl<'ast> Visit<'ast> for AsmPlaces {
    fn visit_macro(&mut self, called: &'ast Macro) {
        let last = called.path.segments.last();
        if is_asm(&called.path) {
            self.found.push((called.path.span(), None));
        } else if let (Some(last), Some(at)) = (last, asm_in(called.tokens.clone())) {
            if last.ident != "macro_rules" {
                self.found.push((at, Some(last.ident.to_string())));
            }
        }
        visit::visit_macro(self, called);
    }
}

pub fn asm_places_in(expr: &Expr) -> Vec<(Span, Option<String>)> {
    let mut places = AsmPlaces::default();
    places.visit_expr(expr);
    places.found
}

pub fn asm_places_of(statements: &[Stmt]) -> Vec<(Span, Option<String>)> {
    let mut places = AsmPlaces::default();
    statements.iter().for_each(|each| places.visit_stmt(each));
    places.found
}

/// Where `asm!` stands in the tokens.
pub fn asm_in(tokens: TokenStream) -> Option<Span> {
    let mut ahead = vec![tokens.into_iter()];
    let mut name: Option<Span> = None;
    while let Some(tokens) = ahead.last_mut() {
        match tokens.next() {
            None => {
                ahead.pop();
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '!' && name.is_some() => {
                return name;
            }
            Some(TokenTree::Ident(ident)) => name = (ident == "asm").then(|| ident.span()),
            Some(TokenTree::Group(group)) => {
                name = None;
                ahead.push(group.stream().into_iter());
            }
            Some(_) => name = None,
        }
    }
    None
}

/// The name of a pattern that is no more, and whether it can be assigned to.
pub fn plain_pattern(pattern: &Pat) -> Option<(String, bool)> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
            Some((ident.ident.to_string(), ident.mutability.is_some()))
        }
        Pat::Type(typed) => plain_pattern(&typed.pat),
        _ => None,
    }
}

/// The variables of a pattern, with the type and the value of one that is no more than a name.
pub fn declare(pattern: &Pat, value: Option<&Expr>) -> Vec<RustVariable> {
    match pattern {
        Pat::Type(typed) => declare_as(&typed.pat, Some(&typed.ty), value),
        _ => declare_as(pattern, None, value),
    }
}

/// The same, of a pattern whose type stands apart.
pub fn declare_as(
    pattern: &Pat,
    declared: Option<&Type>,
    value: Option<&Expr>,
) -> Vec<RustVariable> {
    let mut names = Names::default();
    names.visit_pat(pattern);
    if plain_pattern(pattern).is_some() {
        for each in &mut names.found {
            each.declared = declared.map(write_type);
            each.value = value.map(read_expr);
        }
    }
    names.found
}

/// The variable that a pattern names, without a type.
pub fn name_of(ident: &PatIdent) -> RustVariable {
    let (line, column) = place(ident.ident.span().start());
    let name = ident.ident.to_string();
    let mutable = ident.mutability.is_some();
    RustVariable { name, declared: None, value: None, inner: false, mutable, line, column }
}

#[derive(Default)]
struct Names {
    found: Vec<RustVariable>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, ident: &'ast PatIdent) {
        self.found.push(name_of(ident));
        visit::visit_pat_ident(self, ident);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}
