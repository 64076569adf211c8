//! Owns reading a zstd stream (RFC 8878) of any number of frames, skippable ones between them.
//! Refuses dictionaries, windows above 128 MiB, and to lose what a file cut short still holds.

use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Closes a frame by hand: an empty last block, and a checksum in case one is due.
const EMPTY_LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

pub(super) struct ZstdReader<R> {
    source: R,
    decoder: FrameDecoder,
    /// Between the header of a frame and the check of its end.
    in_frame: bool,
    /// What ended the stream early, told after the bytes before it.
    failure: Option<io::Error>,
}

impl<R: BufRead> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false, failure: None }
    }

    /// Begins the next frame; false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip(length)?,
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn skip(&mut self, length: u32) -> io::Result<()> {
        let frame = (&mut self.source).take(length.into());
        if io::copy(&mut { frame }, &mut io::sink())? < length.into() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Decodes one block, which need not yield bytes: the decoder holds its window back.
    fn decode(&mut self) -> io::Result<()> {
        let strategy = BlockDecodingStrategy::UptoBlocks(1);
        let Err(error) = self.decoder.decode_blocks(&mut self.source, strategy) else {
            return Ok(());
        };
        // Only a source that ran out leaves a window to trust: a block that breaks in the
        // middle of its sequences may have put anything there.
        if !ran_out(&error) {
            return Err(io::Error::other(error));
        }
        self.failure =
            Some(io::Error::new(io::ErrorKind::UnexpectedEof, "the zstd stream is cut short"));
        let strategy = BlockDecodingStrategy::All;
        let closed = self.decoder.decode_blocks(EMPTY_LAST_BLOCK, strategy);
        closed.map(drop).map_err(io::Error::other)
    }

    /// The end of a frame: what it was cut by, or whether its checksum holds.
    fn finish(&mut self) -> io::Result<()> {
        self.in_frame = false;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let told = self.decoder.get_checksum_from_data();
        if told.is_some() && told != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("a zstd frame does not match its checksum"));
        }
        Ok(())
    }
}

/// Whether an error comes down to a source without further bytes.
fn ran_out(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<io::Error>() {
        Some(cause) => cause.kind() == io::ErrorKind::UnexpectedEof,
        None => error.source().is_some_and(ran_out),
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame && !self.begin()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if self.decoder.is_finished() {
                self.finish()?;
            } else {
                self.decode()?;
            }
        }
    }
}
