//! Statements: who runs them, and whether they end their function.

use syn::{Expr, ExprIf, Meta, Stmt};

use super::block_side::ends_in_return;
use super::condition::{Side, side_of, side_of_all};
use super::source::attributes;

pub fn side_of_statement(statement: &Stmt) -> Side {
    match statement {
        Stmt::Local(local) => side_of(&local.attrs),
        Stmt::Expr(expr, _) => side_of(attributes(expr)),
        Stmt::Macro(called) => side_of(&called.attrs),
        Stmt::Item(_) => Side::Either,
    }
}

/// Who goes into an `if cfg!(…)`.
pub fn side_of_choice(choice: &ExprIf) -> Side {
    let (condition, negated) = match &*choice.cond {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => (&*unary.expr, true),
        other => (other, false),
    };
    let Expr::Macro(called) = condition else { return Side::Either };
    if !called.mac.path.is_ident("cfg") {
        return Side::Either;
    }
    let Ok(condition) = called.mac.parse_body::<Meta>() else { return Side::Either };
    match (side_of_all(&[condition]), negated) {
        (Side::Story, true) => Side::Block,
        (Side::Block, true) => Side::Story,
        (Side::Elsewhere, true) => Side::Either,
        (side, _) => side,
    }
}

/// Whether a statement ends its function.
pub fn leaves(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(Expr::Return(_), _) => true,
        Stmt::Expr(Expr::Block(inner), _) => ends_in_return(&inner.block),
        Stmt::Expr(Expr::Unsafe(inner), _) => ends_in_return(&inner.block),
        _ => false,
    }
}
