//! One call of `asm!`, as its reference has it: templates, operands, options, clobbers.

use proc_macro2::Span;
use pyo3::prelude::*;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, ExprPath, Ident, LitStr, Path, Token, parenthesized, token};

use super::plain::{RustExpr, read_expr};

/// One operand. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct AsmOperand {
    /// What the template calls it; None where it goes by its number.
    name: Option<String>,
    /// `in`, `out`, `inout`, `lateout`, `inlateout`, `const`, `sym` or `label`.
    access: String,
    /// A class such as `reg`, or the name of one register; empty for a constant or a symbol.
    register: String,
    /// Whether `register` is the name of one register.
    explicit: bool,
    /// What goes in: of `in`, `inout`, `const` and `sym`.
    source: Option<RustExpr>,
    /// What comes out; None for `_`, and where nothing does.
    target: Option<RustExpr>,
    /// Whether something comes out that goes nowhere, as with `_`.
    dropped: bool,
    line: usize,
    column: usize,
}

/// One call of `asm!`. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
#[derive(Clone)]
pub struct AsmBlock {
    /// The templates, which the assembler sees as one, with a line for each.
    templates: Vec<String>,
    operands: Vec<AsmOperand>,
    options: Vec<String>,
    /// The functions' conventions whose registers are clobbered.
    clobber_abi: Vec<String>,
    line: usize,
    column: usize,
}

impl AsmBlock {
    pub fn at(mut self, span: Span) -> AsmBlock {
        (self.line, self.column) = (span.start().line, span.start().column + 1);
        self
    }

    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

impl Parse for AsmBlock {
    fn parse(input: ParseStream) -> syn::Result<AsmBlock> {
        let mut block = AsmBlock {
            templates: Vec::new(),
            operands: Vec::new(),
            options: Vec::new(),
            clobber_abi: Vec::new(),
            line: 0,
            column: 0,
        };
        while !input.is_empty() {
            if let Some(attribute) = input.call(Attribute::parse_outer)?.first() {
                let said = "a part of it hangs on an attribute, which is not read";
                return Err(syn::Error::new_spanned(attribute, said));
            }
            read_part(input, &mut block)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if block.templates.is_empty() {
            return Err(input.error("there is no template"));
        }
        Ok(block)
    }
}

fn read_part(input: ParseStream, block: &mut AsmBlock) -> syn::Result<()> {
    if input.peek(LitStr) {
        let template: LitStr = input.parse()?;
        if !block.operands.is_empty() {
            return Err(syn::Error::new_spanned(template, "a template stands behind an operand"));
        }
        block.templates.push(template.value());
        return Ok(());
    }
    if input.peek(Ident) && input.peek2(Token![!]) {
        return Err(input.error("its template is a macro's, which is not read"));
    }
    if input.peek(Ident) && input.peek2(token::Paren) {
        let word = input.fork().parse::<Ident>()?;
        if word == "options" {
            input.parse::<Ident>()?;
            return read_list(input, &mut block.options, |list| {
                Ok(list.parse::<Ident>()?.to_string())
            });
        }
        if word == "clobber_abi" {
            input.parse::<Ident>()?;
            return read_list(input, &mut block.clobber_abi, |list| {
                Ok(list.parse::<LitStr>()?.value())
            });
        }
    }
    block.operands.push(read_operand(input)?);
    Ok(())
}

fn read_list(
    input: ParseStream,
    into: &mut Vec<String>,
    read: impl Fn(ParseStream) -> syn::Result<String>,
) -> syn::Result<()> {
    let list;
    parenthesized!(list in input);
    while !list.is_empty() {
        into.push(read(&list)?);
        if !list.is_empty() {
            list.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn read_operand(input: ParseStream) -> syn::Result<AsmOperand> {
    let start = input.span().start();
    let mut name = None;
    if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![=>]) {
        name = Some(input.parse::<Ident>()?.to_string());
        input.parse::<Token![=]>()?;
    }
    let (access, is_value) = read_access(input)?;
    let mut operand = AsmOperand {
        name,
        access: access.clone(),
        register: String::new(),
        explicit: false,
        source: None,
        target: None,
        dropped: false,
        line: start.line,
        column: start.column + 1,
    };
    if !is_value {
        match access.as_str() {
            "label" => {
                input.parse::<syn::Block>()?;
            }
            "sym" => {
                let path: Path = input.parse()?;
                let path = ExprPath { attrs: Vec::new(), qself: None, path };
                operand.source = Some(read_expr(&Expr::Path(path)));
            }
            _ => operand.source = Some(read_expr(&input.parse()?)),
        }
        return Ok(operand);
    }
    let register;
    parenthesized!(register in input);
    if register.peek(LitStr) {
        operand.register = register.parse::<LitStr>()?.value();
        operand.explicit = true;
    } else {
        operand.register = register.parse::<Ident>()?.to_string();
    }
    let first: Expr = input.parse()?;
    let goes_in = access.starts_with("in");
    if goes_in {
        operand.source = Some(read_expr(&first));
    }
    let target = if goes_in && access != "in" && input.peek(Token![=>]) {
        input.parse::<Token![=>]>()?;
        input.parse()?
    } else {
        first
    };
    if access != "in" {
        operand.dropped = matches!(target, Expr::Infer(_));
        operand.target = (!operand.dropped).then(|| read_expr(&target));
    }
    Ok(operand)
}

/// The operand's kind, and whether it is a value in a register.
fn read_access(input: ParseStream) -> syn::Result<(String, bool)> {
    if input.peek(Token![in]) {
        input.parse::<Token![in]>()?;
        return Ok(("in".into(), true));
    }
    if input.peek(Token![const]) {
        input.parse::<Token![const]>()?;
        return Ok(("const".into(), false));
    }
    let word: Ident = input.parse()?;
    match word.to_string().as_str() {
        known @ ("out" | "inout" | "lateout" | "inlateout") => Ok((known.into(), true)),
        known @ ("sym" | "label") => Ok((known.into(), false)),
        other => Err(syn::Error::new_spanned(&word, format!("`{other}` is no kind of operand"))),
    }
}
