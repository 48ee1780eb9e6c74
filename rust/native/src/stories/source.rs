//! The text of a file, by the places in it.

use proc_macro2::LineColumn;
use pyo3::prelude::*;
use syn::spanned::Spanned;
use syn::{Attribute, Block, Expr};

/// A piece of the file as it stands there. Line and column of its start count from 1.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustText {
    text: String,
    line: usize,
    column: usize,
}

pub struct Source<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Source<'a> {
    pub fn new(text: &'a str) -> Source<'a> {
        Source { lines: text.split_inclusive('\n').collect() }
    }

    /// The text from one place to another.
    pub fn between(&self, from: LineColumn, to: LineColumn) -> RustText {
        let mut text = String::new();
        for number in from.line..=to.line {
            let line = self.lines.get(number - 1).copied().unwrap_or_default();
            let first = if number == from.line { offset(line, from.column) } else { 0 };
            let last = if number == to.line { offset(line, to.column) } else { line.len() };
            text.push_str(&line[first..last.max(first)]);
        }
        RustText { text, line: from.line, column: from.column + 1 }
    }

    /// What stands between the braces.
    pub fn inside(&self, block: &Block) -> RustText {
        let delimiters = block.brace_token.span;
        self.between(delimiters.open().end(), delimiters.close().start())
    }

    /// What an expression says: statements where it is a block, and without its attributes.
    pub fn said(&self, expr: &Expr) -> RustText {
        match expr {
            Expr::Block(inner) if inner.label.is_none() => self.inside(&inner.block),
            Expr::Unsafe(inner) => self.inside(&inner.block),
            _ => {
                let span = expr.span();
                let start = attributes(expr).last().map_or(span.start(), |last| {
                    let end = last.bracket_token.span.close().end();
                    self.skip_space(end)
                });
                self.between(start, span.end())
            }
        }
    }

    /// The next place at which there is something.
    fn skip_space(&self, mut at: LineColumn) -> LineColumn {
        while let Some(line) = self.lines.get(at.line - 1) {
            let rest = &line[offset(line, at.column)..];
            let spaces = rest.chars().take_while(|each| each.is_whitespace()).count();
            if spaces < rest.chars().count() {
                return LineColumn { line: at.line, column: at.column + spaces };
            }
            at = LineColumn { line: at.line + 1, column: 0 };
        }
        at
    }
}

/// The byte at which a column of a line begins.
fn offset(line: &str, column: usize) -> usize {
    line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

/// The attributes of an expression that is a statement.
pub fn attributes(expr: &Expr) -> &[Attribute] {
    match expr {
        // They belong to the statement, and stand at its first part.
        Expr::Assign(each) => attributes(&each.left),
        Expr::Binary(each) => attributes(&each.left),
        Expr::Cast(each) => attributes(&each.expr),
        Expr::Block(each) => &each.attrs,
        Expr::Unsafe(each) => &each.attrs,
        Expr::Call(each) => &each.attrs,
        Expr::MethodCall(each) => &each.attrs,
        Expr::Return(each) => &each.attrs,
        Expr::Path(each) => &each.attrs,
        Expr::Unary(each) => &each.attrs,
        Expr::Macro(each) => &each.attrs,
        Expr::If(each) => &each.attrs,
        Expr::Match(each) => &each.attrs,
        Expr::Tuple(each) => &each.attrs,
        Expr::Field(each) => &each.attrs,
        Expr::Index(each) => &each.attrs,
        Expr::Lit(each) => &each.attrs,
        Expr::Paren(each) => &each.attrs,
        Expr::Loop(each) => &each.attrs,
        Expr::While(each) => &each.attrs,
        Expr::ForLoop(each) => &each.attrs,
        Expr::Let(each) => &each.attrs,
        _ => &[],
    }
}
