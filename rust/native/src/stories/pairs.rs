//! Pairs of assembly and story in a Rust file: which forms they have, and what is left over.
//!
//! One visitor, as each form hangs on the scope, the function and the condition around it.

use std::collections::HashSet;

use proc_macro2::Span;
use pyo3::prelude::*;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, Block, Expr, ExprClosure, ExprForLoop, ExprIf, File, ImplItem, Item, ItemFn,
    ItemImpl, ItemMod, Local, Macro, PatIdent, Signature, Stmt, UseTree,
};

use super::asm_block::AsmBlock;
use super::block_side::{
    BlockSide, Reason, RustVariable, asm_in, asm_places_in, asm_places_of, declare, ends_in_return,
    is_asm, name_of, plain_pattern,
};
use super::condition::{Side, side_of};
use super::functions::{
    Function, declare_parameters, describe, functions_of, parameters, returned_types,
    type_of_pattern,
};
use super::plain::place;
use super::source::{RustText, Source};
use super::statements::{leaves, side_of_choice, side_of_statement};

/// A block of assembly and its story. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustPair {
    /// The function that it is in; empty outside of any.
    function: String,
    /// What `target_feature` enables there.
    features: Vec<String>,
    block: AsmBlock,
    story: RustText,
    /// What is in scope where the block stands, and what is declared for it, in that order.
    variables: Vec<RustVariable>,
    /// The operands' variables that the pair's value is made of; None if it has no value.
    gives: Option<Vec<String>>,
    /// The types of that value, where they are said.
    returns: Option<Vec<String>>,
    /// The story's parameters, where it is a function of its own: what it calls each, what the
    /// block's function calls it, and whether it can be assigned to.
    parameters: Option<Vec<(String, String, bool)>>,
    /// Whether its function ends with it, so that nobody sees its variables any more.
    ends: bool,
}

/// Assembly that is not read as one half of a pair. Line and column count from 1.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct RustUnread {
    function: String,
    reason: String,
    /// Whether it is for other machines alone.
    elsewhere: bool,
    line: usize,
    column: usize,
}

/// What a Rust file has of assembly.
#[pyclass(frozen, get_all, module = "harness._native")]
pub struct RustStories {
    pairs: Vec<RustPair>,
    unread: Vec<RustUnread>,
    /// Names that `use` brings in, with their paths.
    imports: Vec<(String, String)>,
    /// Names of the file's own items.
    items: Vec<String>,
    /// Modules in files of their own that are for other machines, as `outer/inner`.
    elsewhere: Vec<String>,
}

pub fn find(file: &File, source: &Source) -> RustStories {
    let mut finder = Finder {
        source,
        found: RustStories {
            pairs: Vec::new(),
            unread: Vec::new(),
            imports: Vec::new(),
            items: Vec::new(),
            elsewhere: Vec::new(),
        },
        modules: Vec::new(),
        scope: Vec::new(),
        functions: Vec::new(),
        elsewhere: false,
        expected: None,
        ends: false,
        handled: HashSet::new(),
    };
    finder.visit_file(file);
    let mut found = finder.found;
    found.pairs.sort_by_key(|each| each.block.place());
    found.unread.sort_by_key(|each| (each.line, each.column));
    found
}

struct Finder<'a> {
    source: &'a Source<'a>,
    found: RustStories,
    /// The variables that are in scope, the innermost last.
    scope: Vec<RustVariable>,
    functions: Vec<Function>,
    elsewhere: bool,
    /// The names of the modules around.
    modules: Vec<String>,
    /// The types that the next `if` has to come to, where they are said.
    expected: Option<Vec<String>>,
    /// Whether its function ends with the next `if`.
    ends: bool,
    /// Where the calls of `asm!` stand of which something was said.
    handled: HashSet<(usize, usize)>,
}

/// What a pair is made of, beside its two sides.
#[derive(Default)]
struct Frame {
    returns: Option<Vec<String>>,
    parameters: Option<Vec<(String, String, bool)>>,
    ends: bool,
    /// In place of the variables in scope.
    scope: Option<Vec<RustVariable>>,
}

impl Finder<'_> {
    fn function(&self) -> String {
        self.functions.last().map(|each| each.name.clone()).unwrap_or_default()
    }

    fn note(&mut self, at: Span, reason: String) {
        let (line, column) = place(at.start());
        if self.handled.insert((line, column)) {
            let (function, elsewhere) = (self.function(), self.elsewhere);
            self.found.unread.push(RustUnread { function, reason, elsewhere, line, column });
        }
    }

    /// A pair, if its block is understood. places: where its calls of `asm!` stand.
    fn pair(
        &mut self,
        side: Result<BlockSide, Reason>,
        places: &[(Span, Option<String>)],
        story: RustText,
        frame: Frame,
    ) {
        if self.elsewhere {
            return;
        }
        let read = side.and_then(|side| match side.block.clone() {
            Some(block) => Ok((side, block)),
            None => Err((places[0].0, "its `asm!` does not stand by itself".into())),
        });
        match read {
            Ok((side, block)) => {
                let mut variables = frame.scope.unwrap_or_else(|| self.scope.clone());
                variables.extend(side.variables);
                let function = self.functions.last();
                self.found.pairs.push(RustPair {
                    function: function.map(|each| each.name.clone()).unwrap_or_default(),
                    features: function.map(|each| each.features.clone()).unwrap_or_default(),
                    block,
                    story,
                    variables,
                    gives: side.gives,
                    returns: frame.returns,
                    parameters: frame.parameters,
                    ends: frame.ends,
                });
            }
            Err((at, reason)) => self.note(at, reason),
        }
        self.handled.extend(places.iter().map(|(at, _)| place(at.start())));
    }

    /// Pairs of which the first half is a block's statement of that number.
    fn pair_statements(&mut self, block: &Block, number: usize) {
        let statement = &block.stmts[number];
        let rest = &block.stmts[number + 1..];
        match (side_of_statement(statement), rest.first()) {
            (Side::Block, Some(next)) if side_of_statement(next) == Side::Story => {
                self.pair_two(block, statement, next, rest.len() == 1);
            }
            (Side::Story, Some(next)) if side_of_statement(next) == Side::Block => {
                self.pair_two(block, next, statement, rest.len() == 1);
            }
            (Side::Story, Some(_)) if leaves(statement) => {
                let Stmt::Expr(expr, _) = statement else { return };
                self.pair_with_rest(block, rest, self.source.said(expr));
            }
            (Side::Either, Some(_)) => {
                let Stmt::Expr(Expr::If(choice), _) = statement else { return };
                if side_of_choice(choice) == Side::Story
                    && choice.else_branch.is_none()
                    && ends_in_return(&choice.then_branch)
                {
                    self.pair_with_rest(block, rest, self.source.inside(&choice.then_branch));
                }
            }
            (Side::Block, Some(next)) if leaves(statement) => {
                let Stmt::Expr(expr, _) = statement else { return };
                let places = asm_places_in(expr);
                if places.is_empty() || self.is_handled(&places) {
                    return;
                }
                let end = block.brace_token.span.close().start();
                let story = self.source.between(next.span().start(), end);
                let returns = self.functions.last().and_then(|each| each.returns.clone());
                let frame = Frame { returns, ends: true, ..Frame::default() };
                self.pair(BlockSide::of_expression(expr), &places, story, frame);
            }
            _ => {}
        }
    }

    fn is_handled(&self, places: &[(Span, Option<String>)]) -> bool {
        places.iter().any(|(at, _)| self.handled.contains(&place(at.start())))
    }

    /// A story that leaves the function, and the rest of it.
    fn pair_with_rest(&mut self, block: &Block, rest: &[Stmt], story: RustText) {
        let places = asm_places_of(rest);
        if places.is_empty() || self.is_handled(&places) {
            return;
        }
        let returns = self.returned(block, true);
        let frame = Frame { returns, ends: true, ..Frame::default() };
        self.pair(BlockSide::of_statements(rest), &places, story, frame);
    }

    /// Two statements side by side. is_last: whether the second ends the block.
    fn pair_two(&mut self, block: &Block, assembly: &Stmt, told: &Stmt, is_last: bool) {
        let places = asm_places_of(std::slice::from_ref(assembly));
        if places.is_empty() || self.is_handled(&places) {
            return;
        }
        let returns = self.returned(block, is_last);
        let ends = is_last && self.is_body(block);
        let frame = Frame { returns, ends, ..Frame::default() };
        match (assembly, told) {
            (Stmt::Expr(assembly, _), Stmt::Expr(told, _)) => {
                let story = self.source.said(told);
                self.pair(BlockSide::of_expression(assembly), &places, story, frame);
            }
            (Stmt::Macro(_), Stmt::Expr(told, _)) => {
                let side = BlockSide::of_statements(std::slice::from_ref(assembly));
                self.pair(side, &places, self.source.said(told), frame);
            }
            (Stmt::Local(assembly), Stmt::Local(told)) => {
                self.pair_locals(assembly, told, &places);
            }
            _ => self.note_all(&places, "the story beside it is a statement of another kind"),
        }
    }

    fn pair_locals(&mut self, assembly: &Local, told: &Local, places: &[(Span, Option<String>)]) {
        let names = plain_pattern(&assembly.pat).zip(plain_pattern(&told.pat));
        let values = assembly.init.as_ref().zip(told.init.as_ref());
        match (names, values) {
            (Some(((first, _), (second, _))), Some((assembly_value, told_value)))
                if first == second =>
            {
                let returns = type_of_pattern(&assembly.pat).or(type_of_pattern(&told.pat));
                let frame = Frame { returns, ..Frame::default() };
                let side = BlockSide::of_expression(&assembly_value.expr);
                self.pair(side, places, self.source.said(&told_value.expr), frame);
            }
            _ => self.note_all(places, "the `let` beside it does not declare the same variable"),
        }
    }

    fn note_all(&mut self, places: &[(Span, Option<String>)], reason: &str) {
        for (at, _) in places {
            self.note(*at, reason.into());
        }
    }

    /// The types that a block's value has, where it is the function's.
    fn returned(&self, block: &Block, is_last: bool) -> Option<Vec<String>> {
        let function = self.functions.last()?;
        if is_last && self.is_body(block) { function.returns.clone() } else { None }
    }

    fn is_body(&self, block: &Block) -> bool {
        self.functions.last().is_some_and(|each| std::ptr::eq(each.body, block))
    }

    /// Functions of one name, of which one is the story of the other.
    fn pair_functions(&mut self, functions: &[(&[Attribute], &Signature, &Block)]) {
        for (attributes, signature, body) in functions {
            let places = asm_places_of(&body.stmts);
            if places.is_empty() || side_of(attributes) != Side::Block {
                continue;
            }
            let stories: Vec<_> = functions
                .iter()
                .filter(|(attributes, other, _)| {
                    other.ident == signature.ident && side_of(attributes) == Side::Story
                })
                .collect();
            let [(_, told, story)] = stories[..] else { continue };
            self.functions.push(describe(attributes, signature, body));
            match parameters(signature, told) {
                Err(reason) => self.note_all(&places, &reason),
                Ok(parameters) => {
                    let frame = Frame {
                        returns: returned_types(&signature.output),
                        parameters: Some(parameters),
                        ends: true,
                        scope: Some(declare_parameters(signature)),
                    };
                    let side = BlockSide::of_statements(&body.stmts);
                    self.pair(side, &places, self.source.inside(story), frame);
                }
            }
            self.functions.pop();
        }
    }

    /// attributes: of what is visited by `visit`.
    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let before = self.elsewhere;
        self.elsewhere = before || side_of(attributes) == Side::Elsewhere;
        visit(self);
        self.elsewhere = before;
    }

    fn visit_function(&mut self, attributes: &[Attribute], signature: &Signature, body: &Block) {
        self.within(attributes, |finder| {
            let outer = std::mem::take(&mut finder.scope);
            finder.scope = declare_parameters(signature);
            finder.functions.push(describe(attributes, signature, body));
            finder.visit_block(body);
            finder.functions.pop();
            finder.scope = outer;
        });
    }

    fn in_scope(&mut self, visit: impl FnOnce(&mut Self)) {
        let depth = self.scope.len();
        visit(self);
        self.scope.truncate(depth);
    }

    fn note_use(&mut self, before: &str, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.note_use(&format!("{before}{}::", path.ident), &path.tree),
            UseTree::Name(name) => {
                let path = format!("{before}{}", name.ident);
                self.found.imports.push((name.ident.to_string(), path));
            }
            UseTree::Rename(name) => {
                let path = format!("{before}{}", name.ident);
                self.found.imports.push((name.rename.to_string(), path));
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|each| self.note_use(before, each));
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_file(&mut self, file: &'ast File) {
        self.pair_functions(&functions_of(&file.items));
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.within(&module.attrs, |finder| {
            finder.modules.push(module.ident.to_string());
            match &module.content {
                Some((_, items)) => finder.pair_functions(&functions_of(items)),
                None if finder.elsewhere => finder.found.elsewhere.push(finder.modules.join("/")),
                None => {}
            }
            visit::visit_item_mod(finder, module);
            finder.modules.pop();
        });
    }

    fn visit_item_impl(&mut self, found: &'ast ItemImpl) {
        self.within(&found.attrs, |finder| {
            let functions: Vec<_> = found
                .items
                .iter()
                .filter_map(|each| match each {
                    ImplItem::Fn(one) => Some((&one.attrs[..], &one.sig, &one.block)),
                    _ => None,
                })
                .collect();
            finder.pair_functions(&functions);
            visit::visit_item_impl(finder, found);
        });
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Fn(found) => Some(&found.sig.ident),
            Item::Const(found) => Some(&found.ident),
            Item::Static(found) => Some(&found.ident),
            Item::Struct(found) => Some(&found.ident),
            Item::Enum(found) => Some(&found.ident),
            Item::Union(found) => Some(&found.ident),
            Item::Type(found) => Some(&found.ident),
            Item::Trait(found) => Some(&found.ident),
            Item::Mod(found) => Some(&found.ident),
            _ => None,
        };
        self.found.items.extend(name.map(ToString::to_string));
        if let Item::Use(found) = item {
            self.note_use("", &found.tree);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.visit_function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.visit_function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.in_scope(|finder| {
            for (number, statement) in block.stmts.iter().enumerate() {
                finder.pair_statements(block, number);
                let elsewhere = side_of_statement(statement) == Side::Elsewhere;
                let before = finder.elsewhere;
                finder.elsewhere |= elsewhere;
                if matches!(statement, Stmt::Expr(Expr::If(_), _)) {
                    let is_last = number + 1 == block.stmts.len();
                    finder.expected = finder.returned(block, is_last);
                    finder.ends = is_last && finder.is_body(block);
                }
                finder.visit_stmt(statement);
                finder.elsewhere = before;
            }
        });
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.expected = type_of_pattern(&local.pat);
            self.ends = false;
            self.visit_expr(&init.expr);
            if let Some((_, diverges)) = &init.diverge {
                self.visit_expr(diverges);
            }
        }
        let value = local.init.as_ref().map(|init| &*init.expr);
        self.scope.extend(declare(&local.pat, value));
    }

    fn visit_expr_if(&mut self, choice: &'ast ExprIf) {
        let returns = self.expected.take();
        let ends = std::mem::take(&mut self.ends);
        let branches = choice.else_branch.as_ref().map(|(_, other)| (&choice.then_branch, other));
        let sides = match (side_of_choice(choice), branches) {
            (Side::Story, Some((story, other))) => {
                Some((asm_places_in(other), BlockSide::of_expression(other), story))
            }
            (Side::Block, Some((assembly, other))) => match &**other {
                Expr::Block(story) => {
                    let side = BlockSide::of_statements(&assembly.stmts);
                    Some((asm_places_of(&assembly.stmts), side, &story.block))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((places, side, story)) = sides
            && !places.is_empty()
            && !self.is_handled(&places)
        {
            let frame = Frame { returns, ends, ..Frame::default() };
            self.pair(side, &places, self.source.inside(story), frame);
        }
        self.in_scope(|finder| visit::visit_expr_if(finder, choice));
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.in_scope(|finder| visit::visit_arm(finder, arm));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.in_scope(|finder| {
            for input in &closure.inputs {
                finder.scope.extend(declare(input, None));
            }
            finder.visit_expr(&closure.body);
        });
    }

    fn visit_expr_for_loop(&mut self, loop_: &'ast ExprForLoop) {
        self.in_scope(|finder| visit::visit_expr_for_loop(finder, loop_));
    }

    fn visit_pat_ident(&mut self, ident: &'ast PatIdent) {
        self.scope.push(name_of(ident));
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        if is_asm(&called.path) {
            self.note(called.path.span(), "no story stands beside it".into());
        } else if let Some(at) = asm_in(called.tokens.clone()) {
            let name = called.path.segments.last().map(|last| last.ident.to_string());
            let reason = format!("it stands in {}!, which is not read", name.unwrap_or_default());
            self.note(at, reason);
        }
    }
}
