//! A session of Codex copied line by line, with the provider's id that it is gone on with under.

use std::borrow::Cow;
use std::io::{self, BufRead, ErrorKind, Read, Write};

use memchr::{memchr, memchr2, memmem};
use ruzstd::decoding::StreamingDecoder;
use shims::KeyText;

/// What a copy stopped at.
pub enum CopyError {
    /// The file itself.
    Read(io::Error),
    /// Where it is written.
    Write(io::Error),
    /// Something else, as the folder that it is written to.
    Other(anyhow::Error),
}

/// Copies all bytes.
///
/// # Errors
/// At the first part that cannot be read or written.
pub fn copy_bytes(mut from: impl Read, to: &mut impl Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&buffer[..length]).map_err(CopyError::Write)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Read(error)),
        }
    }
}

/// Copies the lines of a session, with the texts of these keys as wanted. Sessions are up to hundreds of megabytes
/// long, so that one line at a time is held.
///
/// A last line without an end is left out, unless it is whole: another process may be writing it.
///
/// # Errors
/// As [`copy_bytes`], and when there is no whole line in it.
pub fn copy_lines(mut from: impl BufRead, values: &[KeyText], to: &mut impl Write) -> Result<(), CopyError> {
    let (mut line, mut is_empty) = (Vec::new(), true);
    loop {
        line.clear();
        from.read_until(b'\n', &mut line).map_err(CopyError::Read)?;
        if !line.ends_with(b"\n") {
            let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
            if !is_whole && is_empty {
                let why = "it has no complete line yet";
                return Err(CopyError::Read(io::Error::new(ErrorKind::InvalidData, why)));
            }
            if !is_whole {
                return Ok(());
            }
            line.push(b'\n');
        }
        to.write_all(&with_values(&line, values)).map_err(CopyError::Write)?;
        is_empty = false;
    }
}

/// The lines of a session that Codex packed (0.171).
///
/// # Errors
/// When the file is not packed so, or damaged at its beginning.
pub fn unpacked(mut packed: impl BufRead) -> io::Result<impl BufRead> {
    let is_empty = packed.fill_buf()?.is_empty();
    let frames = Frames { decoder: if is_empty { None } else { Some(start(packed)?) } };
    Ok(io::BufReader::new(frames))
}

type Decoder<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

fn start<R: BufRead>(packed: R) -> io::Result<Decoder<R>> {
    StreamingDecoder::new(packed).map_err(invalid)
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}

/// One frame after the other, each with its checksum compared.
struct Frames<R: BufRead> {
    /// `None` at the end.
    decoder: Option<Decoder<R>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let length = decoder.read(buffer).map_err(invalid)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let (said, found) =
                (decoder.decoder.get_checksum_from_data(), decoder.decoder.get_calculated_checksum());
            if said.is_some() && said != found {
                return Err(invalid("its checksum does not match"));
            }
            let Some(ended) = self.decoder.take() else { break };
            let mut rest = ended.into_inner();
            if !rest.fill_buf()?.is_empty() {
                self.decoder = Some(start(rest)?);
            }
        }
        Ok(0)
    }
}

/// A line with the text of each of these keys as wanted, at whatever depth; all else is as it was, byte for byte.
///
/// What somebody said in a session is a text, within which no key is found: its quotes are escaped there.
fn with_values<'a>(line: &'a [u8], values: &[KeyText]) -> Cow<'a, [u8]> {
    // Nearly all lines have none of the keys, however spelled: a letter of theirs can only be escaped so.
    let holds = |text: &[u8]| memmem::find(line, text).is_some();
    if !holds(b"\\u00") && !values.iter().any(|it| holds(it.key.as_bytes())) {
        return Cow::Borrowed(line);
    }
    let mut fresh = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some((key, after)) = text_from(line, at) {
        at = after;
        let colon = after_spaces(line, after);
        if line.get(colon) != Some(&b':') {
            continue;
        }
        let value = after_spaces(line, colon + 1);
        if line.get(value) != Some(&b'"') {
            continue;
        }
        let Some((now, end)) = text_from(line, value) else { break };
        at = end;
        let is_wanted =
            |it: &&KeyText| is(key, &it.key) && (it.was.is_empty() || it.was.iter().any(|was| is(now, was)));
        if let Some(wanted) = values.iter().find(is_wanted) {
            fresh.extend_from_slice(&line[copied..value]);
            fresh.extend_from_slice(serde_json::Value::from(wanted.text.as_str()).to_string().as_bytes());
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(line);
    }
    fresh.extend_from_slice(&line[copied..]);
    Cow::Owned(fresh)
}

/// The next text of JSON at or after `at`, without its quotes, and where the rest begins.
fn text_from(line: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let start = at + memchr(b'"', line.get(at..)?)? + 1;
    let mut end = start;
    loop {
        end += memchr2(b'"', b'\\', line.get(end..)?)?;
        if line[end] == b'"' {
            return Some((&line[start..end], end + 1));
        }
        end += 2;
    }
}

fn after_spaces(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// Whether a text of JSON, without its quotes, says this.
fn is(text: &[u8], wanted: &str) -> bool {
    if !text.contains(&b'\\') {
        return text == wanted.as_bytes();
    }
    let quoted = [b"\"", text, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|it| it == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, was: &[&str]) -> KeyText {
        KeyText {
            key: key.to_owned(),
            was: was.iter().map(|it| (*it).to_owned()).collect(),
            text: "new".to_owned(),
        }
    }

    #[test]
    fn only_the_text_of_a_key_is_replaced() {
        for (old, new) in [
            (r#"{"p":"openai","q":"p","t":"\"p\":\"x\""}"#, r#"{"p":"new","q":"p","t":"\"p\":\"x\""}"#),
            (r#"{"p":"a\"b\\","n":{"p":""}}"#, r#"{"p":"new","n":{"p":"new"}}"#),
            (r#"{"p":1,"p":"cut"#, r#"{"p":1,"p":"cut"#),
            (
                r#"{"p" : "x","\u0070":"y",  "q":["p","x"]}"#,
                r#"{"p" : "new","\u0070":"new",  "q":["p","x"]}"#,
            ),
            (r#"["p",{"x":"p"},"p"]"#, r#"["p",{"x":"p"},"p"]"#),
            ("", ""),
            ("\"\\", "\"\\"),
        ] {
            let replaced = with_values(old.as_bytes(), &[key("p", &[])]);
            assert_eq!(String::from_utf8_lossy(&replaced), new, "{old}");
        }
        let of_two = with_values(br#"[{"p":"a"},{"p":"b"},{"p":"\u0061"}]"#, &[key("p", &["a"])]);
        assert_eq!(String::from_utf8_lossy(&of_two), r#"[{"p":"new"},{"p":"b"},{"p":"new"}]"#);
    }

    /// A reader that fails after what is in it, and a writer for nothing: as a disk does.
    #[test]
    fn a_fault_says_on_which_side_it_is() {
        let damaged = [0x28, 0xb5, 0x2f, 0xfd, 0xff];
        let read = unpacked(&damaged[..]).map(|lines| copy_lines(lines, &[], &mut Vec::new()));
        assert!(!matches!(read, Ok(Ok(()))));
        let full: &mut [u8] = &mut [];
        let written = copy_lines(&b"{}\n"[..], &[], &mut &mut *full);
        assert!(matches!(written, Err(CopyError::Write(_))));
    }
}
