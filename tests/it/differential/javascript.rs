//! What JavaScript's `JSON.parse` accepts, our reader reads to the same value.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use shims::json::{JAVASCRIPT, MAX_DEPTH, parse};

use super::made_json::{Dice, broken, odd, plain};
use crate::support::real;

/// Reads documents, each after its length in four bytes, and writes back what was read in the same way; of one
/// that is refused, nothing. What our reader is documented to change is changed here too: one byte order mark comes
/// off, half a surrogate pair becomes U+FFFD, a number beyond a double becomes a text, and what is nested too deep
/// becomes `null`.
const PROGRAM: &str = r#"
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
require('fs').writeSync(1, Buffer.concat(answers).toString('base64'));
"#;

/// The value with every number as a double, as JavaScript has it.
fn as_javascript_has_it(json: Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.into_iter().map(as_javascript_has_it).collect(),
        Json::Object(members) => Json::Object(
            members.into_iter().map(|(key, value)| (key, as_javascript_has_it(value))).collect(),
        ),
        other => other,
    }
}
