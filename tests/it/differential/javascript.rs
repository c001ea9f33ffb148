//! What JavaScript's `JSON.parse` accepts, our reader reads to the same value.

use std::collections::BTreeMap;
use std::process::Command;

use shims::json::{Dialect, MAX_DEPTH, parse};

use super::made_json::{Dice, answers, broken, in_doubles, odd, plain};
use crate::support::real;

/// Reads documents, each after its length in four bytes, and writes back what was read in the same way; of one
/// that is refused, nothing. What our reader is documented to change is changed here too: one byte order mark comes
/// off, half a surrogate pair becomes U+FFFD, a number beyond a double becomes a text, and what is nested too deep
/// becomes `null`.
const PROGRAM: &str = r"
const all = require('fs').readFileSync(0);
const most = Number(process.argv[1]);
const seen = (value, depth) => {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= most) return null;
  if (Array.isArray(value)) return value.map((item) => seen(item, depth + 1));
  const object = Object.create(null);
  for (const [key, item] of Object.entries(value)) object[key.toWellFormed()] = seen(item, depth + 1);
  return object;
};
const answers = [];
for (let at = 0; at < all.length; ) {
  const size = all.readUInt32LE(at);
  const text = all.toString('utf8', at + 4, at + 4 + size).replace(/^\ufeff/, '');
  at += 4 + size;
  let out = Buffer.alloc(0);
  let value;
  let is_json = true;
  try { value = JSON.parse(text); } catch { is_json = false; }
  if (is_json) out = Buffer.from(JSON.stringify(seen(value, 0)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(out.length);
  answers.push(length, out);
}
process.stdout.write(Buffer.concat(answers));
";

#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs node: --features real-agents")]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn what_javascript_reads_is_read_alike() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut documents: Vec<(&str, Vec<u8>)> = Vec::new();
    documents.extend((0..1000).map(|_| ("plain", plain(&mut dice, 4).into_bytes())));
    documents.extend((0..1000).map(|_| odd(&mut dice)));
    documents.extend((0..1000).map(|_| ("broken", broken(&mut dice))));
    let answers = node(&documents);

    let (mut alike, mut refused_by_both) = (0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for ((kind, document), theirs) in documents.iter().zip(answers) {
        let shown = String::from_utf8_lossy(&document[..document.len().min(300)]);
        match (theirs, parse(document, Dialect::JavaScript)) {
            (Some(theirs), Ok(ours)) => {
                // Beyond the levels that serde_json reads by itself.
                let theirs = parse(&theirs, Dialect::JavaScript).expect("JSON");
                assert_eq!(in_doubles(ours), in_doubles(theirs), "{kind}: {shown}");
                alike += 1;
                *kinds.entry(kind).or_default() += 1;
            }
            (None, Err(_)) => {
                assert_ne!(*kind, "plain", "{shown}");
                refused_by_both += 1;
            }
            (Some(_), Err(fault)) => panic!("JavaScript reads it and we do not ({fault}), {kind}: {shown}"),
            (None, Ok(_)) => panic!("we read it and JavaScript does not, {kind}: {shown}"),
        }
    }
    println!(
        "{} documents: {alike} read alike ({kinds:?}), {refused_by_both} refused by both",
        documents.len()
    );
    assert_eq!(kinds["plain"], 1000);
    for kind in ["a number beyond a double", "more than 1,000 levels", "a byte order mark", "a key twice"] {
        assert!(kinds.get(kind).is_some_and(|&count| count > 30), "{kind}: {kinds:?}");
    }
}

/// What node makes of each document; `None` of one that it refuses.
fn node(documents: &[(&str, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
    let mut node = Command::new(real::program("node").unwrap());
    node.args(["--stack-size=4000", "-e", PROGRAM, &MAX_DEPTH.to_string()]);
    answers(&mut node, documents)
}
