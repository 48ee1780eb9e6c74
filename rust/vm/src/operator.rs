//! What instructions make of values.

/// What is made of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// The value itself.
    Move,
    /// Every bit flipped.
    Not,
}

/// What is made of two values, at their width; sums and the like wrap.
///
/// The signed ones read them in two's complement. Shift counts are taken modulo the number of
/// bits, comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The sum.
    Add,
    /// The difference.
    Sub,
    /// The low half of the product.
    Mul,
    /// The unsigned quotient.
    Div,
    /// The unsigned remainder.
    Rem,
    /// The signed quotient, rounded towards zero.
    Sdiv,
    /// The remainder that belongs to it.
    Srem,
    /// The bits that are in both.
    And,
    /// The bits that are in either.
    Or,
    /// The bits that are in one of them.
    Xor,
    /// Shifted to the left.
    Shl,
    /// Shifted to the right, zeros moving in.
    Shr,
    /// Shifted to the right, the sign moving in.
    Sar,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less, unsigned.
    Lt,
    /// Less or equal, unsigned.
    Le,
    /// Less, signed.
    Slt,
    /// Less or equal, signed.
    Sle,
}

/// Every operator of two values, in the order of the opcodes.
///
/// A static, since a constant is copied wherever it stands, even to look at one element.
pub static BINARY: [Binary; 19] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Rem,
    Binary::Sdiv,
    Binary::Srem,
    Binary::And,
    Binary::Or,
    Binary::Xor,
    Binary::Shl,
    Binary::Shr,
    Binary::Sar,
    Binary::Eq,
    Binary::Ne,
    Binary::Lt,
    Binary::Le,
    Binary::Slt,
    Binary::Sle,
];

/// Why there is no quotient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undivided {
    /// The divisor is zero.
    ByZero,
    /// The lowest number by -1: the quotient is one more than the highest.
    Overflow,
}
