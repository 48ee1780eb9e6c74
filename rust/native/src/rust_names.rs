//! The names that a piece of Rust uses, found by a parser of Rust.

use proc_macro2::LineColumn;
use pyo3::prelude::*;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Item, Macro, Path, Token, UseTree};

use crate::deep::{tokens, with_room};

// Written in Python, as `TomlError` is.
pyo3::import_exception!(harness.errors, RustError);

/// A name in a piece of Rust. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
pub struct RustName {
    /// `path`; `macro`; `opaque` for a macro whose arguments are no expressions; or for an item
    /// that is more than a definition: `static`, `extern`, `mod`.
    kind: String,
    /// A path has its segments with `::` between them.
    name: String,
    line: usize,
    column: usize,
}

/// The names in `text`, statements as they stand in a function, in their order.
///
/// Raises: harness.errors.RustError, if it is not Rust.
#[pyfunction]
#[pyo3(signature = (text: "str") -> "list[RustName]")]
pub fn rust_names(text: &str) -> PyResult<Vec<RustName>> {
    // Lines of its own for the braces: a comment may end the text, and columns stay as they are.
    let whole = format!("{{\n{text}\n}}");
    with_room(|| read(&whole)).map_err(|(message, at)| {
        let last = text.lines().count().max(1);
        let line = at.line.saturating_sub(1).clamp(1, last);
        RustError::new_err((message, line, at.column + 1))
    })
}

/// Raises: what is wrong, and where.
fn read(whole: &str) -> Result<Vec<RustName>, (String, LineColumn)> {
    let block: Block = tokens(whole)
        .and_then(syn::parse2)
        .map_err(|error| (error.to_string(), error.span().start()))?;
    let mut names = Names::default();
    names.visit_block(&block);
    Ok(names.found)
}

#[derive(Default)]
struct Names {
    found: Vec<RustName>,
}

impl Names {
    fn note(&mut self, kind: &str, name: String, at: LineColumn) {
        let (line, column) = (at.line.saturating_sub(1), at.column + 1);
        self.found.push(RustName { kind: kind.into(), name, line, column });
    }

    fn note_use(&mut self, before: &str, tree: &UseTree) {
        let at = tree.span().start();
        match tree {
            UseTree::Path(path) => self.note_use(&format!("{before}{}::", path.ident), &path.tree),
            UseTree::Name(name) => self.note("path", format!("{before}{}", name.ident), at),
            UseTree::Rename(name) => self.note("path", format!("{before}{}", name.ident), at),
            UseTree::Glob(_) => self.note("path", format!("{before}*"), at),
            UseTree::Group(group) => {
                for each in &group.items {
                    self.note_use(before, each);
                }
            }
            #[expect(unreachable_patterns, reason = "a later syn may know more")]
            _ => self.note("opaque", before.into(), at),
        }
    }
}

fn written(path: &Path) -> String {
    let segments: Vec<_> = path.segments.iter().map(|each| each.ident.to_string()).collect();
    let root = if path.leading_colon.is_some() { "::" } else { "" };
    format!("{root}{}", segments.join("::"))
}

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast Path) {
        self.note("path", written(path), path.span().start());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let at = called.path.span().start();
        self.note("macro", written(&called.path), at);
        match called.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(arguments) => arguments.iter().for_each(|each| Names::argument(self, each)),
            Err(_) => self.note("opaque", written(&called.path), at),
        }
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let at = item.span().start();
        match item {
            Item::Static(found) => self.note("static", found.ident.to_string(), at),
            Item::ForeignMod(_) => self.note("extern", "extern".into(), at),
            Item::Mod(found) => self.note("mod", found.ident.to_string(), at),
            Item::Use(found) => {
                let root = if found.leading_colon.is_some() { "::" } else { "" };
                self.note_use(root, &found.tree);
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }
}

impl Names {
    /// What a macro is given lives no longer than the macro's own tokens.
    fn argument(&mut self, argument: &Expr) {
        let mut inner = Names::default();
        inner.visit_expr(argument);
        self.found.append(&mut inner.found);
    }
}
