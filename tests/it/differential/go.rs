//! What Go's `encoding/json` accepts, our reader reads to the same value or refuses.

use std::collections::BTreeMap;
use std::process::Command;

use shims::json::{Dialect, parse};

use super::made_json::{Dice, answers, broken, in_doubles, odd, plain};
use crate::support::{Sandbox, real};

/// Reads documents, each after its length in four bytes, and writes back what was read in the same way; of one
/// that is refused, nothing.
const PROGRAM: &str = r#"package main

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
)

func main() {
	all, _ := io.ReadAll(os.Stdin)
	for len(all) > 0 {
		size := binary.LittleEndian.Uint32(all)
		var value any
		out := []byte{}
		if json.Unmarshal(all[4:4+size], &value) == nil {
			out, _ = json.Marshal(value)
		}
		all = all[4+size:]
		binary.Write(os.Stdout, binary.LittleEndian, uint32(len(out)))
		os.Stdout.Write(out)
	}
}
"#;

#[test]
#[cfg_attr(not(feature = "go-client"), ignore = "needs go: --features go-client")]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn what_go_reads_is_read_alike_or_refused() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("read.go");
    sandbox.write(&program, PROGRAM);
    let mut go = Command::new(real::program("go").unwrap());
    go.args(["run", program.to_str().unwrap()]).env("GOCACHE", sandbox.path("cache")).env("GOFLAGS", "");
    go.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").current_dir(sandbox.path("tmp"));

    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut documents: Vec<(&str, Vec<u8>)> = Vec::new();
    documents.extend((0..900).map(|_| ("plain", plain(&mut dice, 4).into_bytes())));
    documents.extend((0..900).map(|_| odd(&mut dice)));
    documents.extend((0..900).map(|_| ("broken", broken(&mut dice))));

    let answers = answers(&mut go, &documents);
    let (mut alike, mut refused_by_go, mut taken) = (0, 0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for ((kind, document), theirs) in documents.iter().zip(&answers) {
        let shown = String::from_utf8_lossy(&document[..document.len().min(300)]);
        let ours = parse(document, Dialect::Go);
        let Some(theirs) = theirs else {
            assert_ne!(*kind, "plain", "Go refuses {shown}");
            refused_by_go += 1;
            taken += usize::from(ours.is_ok());
            continue;
        };
        match ours {
            Ok(ours) => {
                // Deeper ones are beyond serde_json, and plain by now.
                let theirs = serde_json::from_slice(theirs).or_else(|_| parse(theirs, Dialect::Go)).unwrap();
                assert_eq!(in_doubles(ours), in_doubles(theirs), "{kind}: {shown}");
                alike += 1;
            }
            Err(_) => *refused.entry(kind).or_default() += 1,
        }
    }
    println!(
        "{} documents: {alike} read alike, {refused_by_go} refused by Go ({taken} of them read by us), refused by us \
         alone: {refused:?}",
        documents.len()
    );
    // Values that deep cannot be dropped without using up the stack.
    let kinds: Vec<_> = refused.keys().copied().collect();
    assert_eq!(kinds, ["more than 1,000 levels"]);
    assert_eq!(taken, 0, "what Go refuses, Crush refuses");
    assert!(alike >= 1200, "{alike}");
}
