//! Rust that is nested deeply: syn goes into it by calls of its own.

use std::thread;

use proc_macro2::{TokenStream, TokenTree};

/// Bytes; what is not used takes no memory.
const STACK: usize = 1 << 30;

/// How deep brackets may be nested. People write some dozens.
const DEEPEST: usize = 10_000;

/// Do the work where there is room for many calls, whatever thread this is.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK);
        builder.spawn_scoped(scope, work).expect("a thread can be had").join()
    });
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The text as tokens. Raises: an error where they are none, or nested too deeply to be parsed.
pub fn tokens(text: &str) -> syn::Result<TokenStream> {
    let tokens: TokenStream = text.parse()?;
    let mut ahead = vec![tokens.clone().into_iter()];
    while let Some(inner) = ahead.last_mut() {
        match inner.next() {
            None => {
                ahead.pop();
            }
            Some(TokenTree::Group(group)) => {
                if ahead.len() > DEEPEST {
                    return Err(syn::Error::new(group.span_open(), "brackets too deep to be read"));
                }
                ahead.push(group.stream().into_iter());
            }
            Some(_) => {}
        }
    }
    Ok(tokens)
}
