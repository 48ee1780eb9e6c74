//! TOML read with the line and column of every key and value, for messages about case files.

use std::ops::Range;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyTuple};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

// Written in Python: an extension for the stable ABI of Python 3.11 can neither derive a class
// of its own from an exception nor describe one in its stubs.
pyo3::import_exception!(harness.errors, TomlError);

/// Steps in the longest path of a value. The parser bounds the depth of brackets and the number
/// of a key's parts, but not their product, and each step is a level of recursion here.
const DEEPEST: usize = 100;

/// Where a key and its value stand. Lines and columns count from 1, columns in code points.
#[pyclass(frozen, get_all, module = "harness._native")]
pub struct TomlPlace {
    /// Line and column of the key; None for the document and for an element of an array.
    key: Option<(usize, usize)>,
    /// Line and column of the value's first character; a table that a header opens begins
    /// at the header's bracket, one that only a dotted key implies at that part of the key.
    value: (usize, usize),
    /// The source text of a string, with its quotation marks; None for any other value.
    raw: Option<String>,
}

/// Read `text` as a TOML document: its values, and where each of them stands.
///
/// The values are those that `tomllib` would give. The places go by the path of a value: its
/// keys, and its indices in arrays, from the outside in; `()` is the document itself.
///
/// Raises: harness.errors.TomlError for the first mistake in the text.
#[pyfunction]
#[pyo3(signature = (text: "str") -> "tuple[dict[str, object], dict[tuple[str | int, ...], TomlPlace]]")]
pub fn parse_toml<'py>(
    py: Python<'py>,
    text: &str,
) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut first: Option<(usize, &str)> = None;
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        if first.is_none_or(|(earliest, _)| offset < earliest) {
            first = Some((offset, error.message()));
        }
    }
    if let Some((offset, message)) = first {
        return Err(lines.error(message, offset));
    }
    let mut reader = Reader { py, text, lines: &lines, places: PyDict::new(py) };
    let root = PyTuple::empty(py);
    reader.note(&root, None, 0, None)?;
    let values = reader.table(&root, table.get_ref())?;
    Ok((values, reader.places))
}

/// How many bytes lie between two of the counts in `Lines`.
const BLOCK: usize = 256;

/// Where each line begins, and how many code points there are up to any place.
struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
    /// How many continuation bytes come before each `BLOCK`th byte, so that a place costs the
    /// same far along a line as near its beginning.
    continuations: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        // No editor counts a byte order mark as a column.
        let first = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(first).chain(newlines.map(|(at, _)| at + 1)).collect();
        let text = text.as_bytes();
        let mut continuations = vec![0];
        for block in text.chunks(BLOCK) {
            continuations.push(continuations[continuations.len() - 1] + count_continuations(block));
        }
        Lines { text, starts, continuations }
    }

    /// Line and column, from 1, of the byte at `offset`.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let before = self.code_points(offset).saturating_sub(self.code_points(start));
        (line, before + 1)
    }

    /// How many code points begin before the byte at `offset`.
    fn code_points(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        let rest = count_continuations(&self.text[block * BLOCK..offset]);
        offset - self.continuations[block] - rest
    }

    fn error(&self, message: &str, offset: usize) -> PyErr {
        let (line, column) = self.place(offset);
        TomlError::new_err((message.to_owned(), line, column))
    }
}

/// Every code point has one byte that is not a continuation byte.
fn count_continuations(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 == 0x80).count()
}

/// Turns the parser's values into Python's and notes where each stands.
struct Reader<'a, 'py> {
    py: Python<'py>,
    text: &'a str,
    lines: &'a Lines<'a>,
    places: Bound<'py, PyDict>,
}

impl<'py> Reader<'_, 'py> {
    fn note(
        &mut self,
        path: &Bound<'py, PyTuple>,
        key: Option<usize>,
        value: usize,
        raw: Option<&str>,
    ) -> PyResult<()> {
        let place = TomlPlace {
            key: key.map(|offset| self.lines.place(offset)),
            value: self.lines.place(value),
            raw: raw.map(str::to_owned),
        };
        self.places.set_item(path, place)
    }

    fn table(
        &mut self,
        path: &Bound<'py, PyTuple>,
        table: &DeTable<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(self.py);
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = extend(path, name)?;
            let value = self.value(&path, Some(key.span().start), value)?;
            values.set_item(name, value)?;
        }
        Ok(values)
    }

    fn value(
        &mut self,
        path: &Bound<'py, PyTuple>,
        key: Option<usize>,
        spanned: &Spanned<DeValue<'_>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let span = spanned.span();
        if path.len() > DEEPEST {
            return Err(self.lines.error("nested too deeply", key.unwrap_or(span.start)));
        }
        let raw = match spanned.get_ref() {
            DeValue::String(_) => self.text.get(span.clone()),
            _ => None,
        };
        self.note(path, key, span.start, raw)?;
        match spanned.get_ref() {
            DeValue::String(text) => Ok(text.as_ref().into_pyobject(self.py)?.into_any()),
            DeValue::Integer(integer) => {
                let int = self.py.get_type::<PyInt>();
                let value = int.call1((integer.as_str(), integer.radix()));
                value.map_err(|error| self.refuse(&span, &error))
            }
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(value) => Ok(value.into_pyobject(self.py)?.into_any()),
                Err(error) => Err(self.refuse(&span, &PyValueError::new_err(error.to_string()))),
            },
            DeValue::Boolean(value) => Ok(value.into_pyobject(self.py)?.to_owned().into_any()),
            DeValue::Datetime(value) => {
                let class = match (value.date, value.time) {
                    (Some(_), Some(_)) => "datetime",
                    (Some(_), None) => "date",
                    (None, _) => "time",
                };
                let class = self.py.import("datetime")?.getattr(class)?;
                let value = class.call_method1("fromisoformat", (value.to_string(),));
                value.map_err(|error| self.refuse(&span, &error))
            }
            DeValue::Array(array) => {
                let values = PyList::empty(self.py);
                for (index, element) in array.iter().enumerate() {
                    values.append(self.value(&extend(path, index)?, None, element)?)?;
                }
                Ok(values.into_any())
            }
            DeValue::Table(table) => Ok(self.table(path, table)?.into_any()),
        }
    }

    /// The parser took a value that Python cannot hold, such as a second of 60.
    fn refuse(&self, span: &Range<usize>, error: &PyErr) -> PyErr {
        self.lines.error(&error.value(self.py).to_string(), span.start)
    }
}

fn extend<'py, T>(path: &Bound<'py, PyTuple>, step: T) -> PyResult<Bound<'py, PyTuple>>
where
    T: IntoPyObject<'py>,
{
    let step = PyTuple::new(path.py(), [step])?;
    path.as_sequence().concat(step.as_sequence())?.to_tuple()
}
