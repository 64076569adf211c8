//! The parser's view of a frame. Owns the trait by which bytes at an offset are read; knows no protocol.

/// A frame whose bytes can be read at any offset, in the kernel or on the host.
///
/// Reads return words instead of byte arrays: BPF would keep each byte of an array in its own register or
/// stack slot, and a program has only ten registers and 512 bytes of stack.
pub trait Frame {
    /// `N` 32-bit words from offset `at` on, with bytes in memory order (use `from_be` for numbers), or
    /// `None` if any of them was not captured.
    fn words<const N: usize>(&self, at: usize) -> Option<[u32; N]>;

    /// `N` 64-bit words from offset `at` on; otherwise like [`Self::words`].
    fn double_words<const N: usize>(&self, at: usize) -> Option<[u64; N]>;

    /// The big-endian 16-bit number at `at`.
    fn be16(&self, at: usize) -> Option<u16>;

    /// The byte at `at`.
    fn u8(&self, at: usize) -> Option<u8>;

    /// The length of the frame on the wire, captured or not, without FCS.
    fn wire_len(&self) -> usize;

    /// Returns the same number. After a loop, the kernel's verifier follows each possible value separately;
    /// if this makes it forget the value, it follows the rest only once.
    #[inline(always)]
    fn forget(&self, number: usize) -> usize {
        number
    }

    /// The big-endian 32-bit number at `at`.
    #[inline(always)]
    fn be32(&self, at: usize) -> Option<u32> {
        self.words::<1>(at).map(|[word]| u32::from_be(word))
    }
}

/// A captured frame in memory: the host's [`Frame`].
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    captured: &'a [u8],
    wire_len: usize,
}

impl<'a> Slice<'a> {
    /// A frame of which `captured` bytes were captured and that had `wire_len` bytes on the wire.
    pub fn new(captured: &'a [u8], wire_len: usize) -> Self {
        Self { captured, wire_len }
    }

    #[inline(always)]
    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.captured.get(at..)?.first_chunk::<N>().copied()
    }
}

impl Frame for Slice<'_> {
    #[inline(always)]
    fn words<const N: usize>(&self, at: usize) -> Option<[u32; N]> {
        let bytes = self.captured.get(at..at.checked_add(4 * N)?)?;
        let mut words = [0; N];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_ne_bytes(*chunk);
        }
        Some(words)
    }

    #[inline(always)]
    fn double_words<const N: usize>(&self, at: usize) -> Option<[u64; N]> {
        let bytes = self.captured.get(at..at.checked_add(8 * N)?)?;
        let mut words = [0; N];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_ne_bytes(*chunk);
        }
        Some(words)
    }

    #[inline(always)]
    fn be16(&self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_be_bytes)
    }

    #[inline(always)]
    fn u8(&self, at: usize) -> Option<u8> {
        self.captured.get(at).copied()
    }

    #[inline(always)]
    fn wire_len(&self) -> usize {
        self.wire_len
    }
}
