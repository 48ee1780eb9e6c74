//! Drawn inputs: the same for the same seed, with more of what is special than chance would give.

/// The bits of one operand, the lowest first.
pub type Bits = [u64; 4];

/// SplitMix64.
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Draws {
        Draws(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }

    /// Any number, and often one at an edge.
    pub fn number(&mut self) -> u64 {
        match self.below(10) {
            0 => 0,
            1 => u64::MAX,
            2 => self.below(17),
            3 => 1 << self.below(64),
            4 => (1 << self.below(64)) - 1,
            5 => self.below(17).wrapping_neg(),
            6 => self.bits() >> self.below(64),
            7 => 0x0101_0101_0101_0101_u64.wrapping_mul(self.below(256)),
            _ => self.bits(),
        }
    }

    /// A value from the ranges, whose ends are included; any where there are none.
    pub fn operand(&mut self, ranges: &[(i128, i128)]) -> Bits {
        if ranges.is_empty() {
            return [self.number(), self.number(), self.number(), self.number()];
        }
        let (first, last) = ranges[self.below(ranges.len() as u64) as usize];
        let span = (last - first) as u128 + 1;
        let offset = match self.below(4) {
            0 => 0,
            1 => span - 1,
            _ => u128::from(self.bits()) % span,
        };
        [(first + offset as i128) as u64, 0, 0, 0]
    }

    /// A floating-point number, often one at an edge or one to which others are near.
    pub fn float(&mut self, bytes: usize) -> Bits {
        let halves = self.below(65) as f64 / 2.0 - 16.0;
        let edges = if bytes == 4 {
            [0.0, f32::INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, f32::EPSILON].map(f64::from)
        } else {
            [0.0, f64::INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, f64::EPSILON]
        };
        let edge = edges[self.below(edges.len() as u64) as usize];
        let sign = if self.below(2) == 0 { 1.0 } else { -1.0 };
        // Between 1/256 and 256.
        let scale = f64::from_bits((1023 - 8 + self.below(16)) << 52);
        let ordinary = scale + scale * (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        let value = match self.below(8) {
            0 | 1 => return [self.number(), 0, 0, 0],
            2 => edge * sign,
            3 | 4 => halves,
            5 => 1.0 + edge * sign,
            _ => ordinary * sign,
        };
        let bits = if bytes == 4 { u64::from((value as f32).to_bits()) } else { value.to_bits() };
        [bits, 0, 0, 0]
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

/// What a story may leave undecided: every pattern of bits is a value.
pub trait Value: Copy {
    fn from_bits(bits: u64) -> Self;
}

macro_rules! value {
    ($($integer:ty),*) => {
        $(impl Value for $integer {
            fn from_bits(bits: u64) -> Self {
                bits as $integer
            }
        })*
    };
}

value!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Value for bool {
    fn from_bits(bits: u64) -> Self {
        bits & 1 == 1
    }
}

impl Value for f32 {
    fn from_bits(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Value for f64 {
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}
