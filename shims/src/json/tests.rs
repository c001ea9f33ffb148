use serde_json::json;

use super::*;

fn js(text: impl AsRef<[u8]>) -> Result<Json, JsonError> {
    parse(text.as_ref(), Dialect::JavaScript)
}

#[test]
fn plain_documents_are_read_as_serde_json_reads_them() {
    for text in [
        r#"{"a": [1, -2, 3.5, 1e3, true, false, null, "x\n\u00e9\ud83e\udd80"], "b": {}, "c": []}"#,
        "  [ ]\r\n\t",
        "\"\"",
        "0",
        "18446744073709551615",
        "1e-400",
    ] {
        let expected: Json = serde_json::from_str(text).expect(text);
        assert_eq!(js(text), Ok(expected.clone()), "{text}");
        assert_eq!(parse(text.as_bytes(), Dialect::Go), Ok(expected), "{text}");
    }
}

#[test]
fn what_javascript_reads_beyond_serde_json_is_read() {
    assert_eq!(js("{\"n\":1e400,\"m\":-1e400}"), Ok(json!({"n": "Infinity", "m": "-Infinity"})));
    assert_eq!(js("\u{feff}{}"), Ok(json!({})));
    assert_eq!(js(b"[\"\xff\"]"), Ok(json!(["\u{fffd}"])));
    assert_eq!(js(b"[\"\xf0\x9f\"]"), Ok(json!(["\u{fffd}"])));
    assert_eq!(parse(b"[\"\xf0\x9f\"]", Dialect::Go), Ok(json!(["\u{fffd}\u{fffd}"])));
    assert_eq!(js(r#"["\ud800", "\udc00x", "\ud800A"]"#), Ok(json!(["\u{fffd}", "\u{fffd}x", "\u{fffd}A"])));
    assert_eq!(js(r#"{"a": 1, "b": 2, "a": 3}"#), Ok(json!({"a": 3, "b": 2})));
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep =
            |inner| format!(r#"{{"n": {}{inner}{}, "m": 1}}"#, open.repeat(100_000), close.repeat(100_000));
        assert_eq!(js(deep("0")).expect("deep")["m"], 1, "what stands beside a deep value is read");
        assert!(js(deep("01")).is_err(), "a deep value is checked all the same");
    }
}

#[test]
fn what_the_parsers_refuse_is_refused_with_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("{\n  // comment\n}", 2, 3),
        ("[1,]", 1, 4),
        ("{\"a\": 01}", 1, 7),
        ("[\"\t\"]", 1, 3),
        ("[1] x", 1, 5),
        ("{\"é\" 1}", 1, 6),
        (r#"["\x"]"#, 1, 3),
        ("nul", 1, 1),
        ("[1", 1, 3),
    ] {
        let fault = js(text).expect_err(text);
        assert_eq!((fault.line, fault.column), (line, column), "{text}: {fault}");
    }
    let deep = "[".repeat(1_000_000);
    assert_eq!(
        parse(deep.as_bytes(), Dialect::Go).expect_err("deep").message,
        "nested deeper than 1,000 levels"
    );
    assert_eq!(js(&deep).expect_err("not closed").message, "expected a value, found the end of the file");
    assert!(parse(b"1e400", Dialect::Go).is_err() && parse("\u{feff}{}".as_bytes(), Dialect::Go).is_err());
}
