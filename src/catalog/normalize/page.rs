//! The envelope around the rows: where they are, what went wrong, and where the next page is.

use serde_json::{Value, json};

use super::Reject;
use super::value::{at, count, text};

/// How to ask for the next page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// The same URL with this query parameter.
    Query(&'static str, String),
    /// Another URL, maybe relative.
    Url(String),
    /// There is more, and no word on how to get it.
    Nowhere,
}

/// The rows, from the first place that holds a list.
pub fn rows(page: &Value) -> Result<&[Value], Reject> {
    const PLACES: [&str; 7] =
        ["data", "models", "result.data", "result.models", "result", "output.models", "items"];
    if let Some(rows) = page.as_array() {
        return Ok(rows);
    }
    if let Some(message) = stated_error(page) {
        return Err(Reject::Error(message));
    }
    let rows = PLACES.iter().find_map(|place| at(page, place)?.as_array());
    if rows.is_none() && text(page, "object") == Some("list") && page.get("data").is_some_and(Value::is_null)
    {
        // An Ollama that has no model (seen in 0.13).
        return Ok(&[]);
    }
    rows.map(Vec::as_slice).ok_or_else(|| loose_message(page).map_or(Reject::NoList, Reject::Error))
}

/// Where error envelopes keep their message.
const MESSAGES: [&str; 6] =
    ["error.message", "error", "message", "errors.0.message", "base_resp.status_msg", "msg"];

/// What an error envelope says; several providers send it with status 200.
pub fn stated_error(page: &Value) -> Option<String> {
    // Some send the key with every answer, and nothing in it when all is well.
    let is_said =
        |error: &&Value| !matches!(error, Value::Bool(false)) && **error != "" && **error != json!({});
    let error = at(page, "error").filter(is_said);
    let failed = at(page, "success") == Some(&Value::Bool(false))
        || at(page, "base_resp.status_code").is_some_and(|code| code != 0);
    if error.is_none() && !failed {
        return None;
    }
    let message = MESSAGES.iter().find_map(|place| text(page, place));
    Some(message.unwrap_or("an error without a message").to_owned())
}

/// The message of an answer that has no list, and no word for error either.
pub fn loose_message(page: &Value) -> Option<String> {
    ["message", "detail", "msg", "detail.0.msg"].iter().find_map(|place| text(page, place)).map(str::to_owned)
}

/// Where the next page is; `None` on the last one.
pub fn next(page: &Value) -> Option<Next> {
    if at(page, "has_more") == Some(&Value::Bool(true)) {
        return Some(
            text(page, "last_id").map_or(Next::Nowhere, |id| Next::Query("after_id", id.to_owned())),
        );
    }
    if let Some(token) = ["nextPageToken", "next_page_token"].iter().find_map(|key| text(page, key)) {
        return Some(Next::Query("pageToken", token.to_owned()));
    }
    if let Some(url) = text(page, "links.next") {
        return Some(Next::Url(url.to_owned()));
    }
    let number = |path| at(page, path).and_then(count);
    if let (Some(this), Some(last)) = (number("result_info.page"), number("result_info.total_pages")) {
        return (this < last).then(|| Next::Query("page", (this + 1).to_string()));
    }
    let (this, size, total) =
        (number("output.page_no")?, number("output.page_size")?, number("output.total")?);
    (this * size < total).then(|| Next::Query("page_no", (this + 1).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_wherever_they_are() {
        for page in [
            json!([1]),
            json!({"data": [1], "models": [1, 2]}),
            json!({"data": null, "models": [1]}),
            json!({"result": {"data": [1]}, "success": true, "errors": []}),
            json!({"result": [1]}),
            json!({"output": {"models": [1]}}),
            json!({"items": [1], "error": null}),
            json!({"data": [1], "error": {}, "success": true}),
            json!({"data": [1], "error": ""}),
        ] {
            assert_eq!(rows(&page).unwrap().len(), 1, "{page}");
        }
    }

    #[test]
    fn an_error_is_said_in_the_providers_own_words() {
        for (page, message) in [
            (json!({"error": "no such key", "data": []}), "no such key"),
            (json!({"success": false, "errors": [{"message": "bad account"}], "result": []}), "bad account"),
            (json!({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}), "login fail"),
            (json!({"detail": "Not authenticated"}), "Not authenticated"),
            (json!({"code": 20_012, "message": "no model", "data": null}), "no model"),
        ] {
            assert_eq!(rows(&page), Err(Reject::Error(message.to_owned())));
        }
        assert_eq!(rows(&json!({"data": {"id": "m"}})), Err(Reject::NoList));
        assert_eq!(rows(&json!({"data": null})), Err(Reject::NoList));
        assert_eq!(rows(&json!({"object": "list", "data": null})), Ok(&[][..]));
        assert_eq!(rows(&json!("text")), Err(Reject::NoList));
    }

    #[test]
    fn every_way_to_page_is_understood() {
        let query = |name, value: &str| Some(Next::Query(name, value.to_owned()));
        for (page, expected) in [
            (json!({"has_more": true, "last_id": "m/1"}), query("after_id", "m/1")),
            (json!({"has_more": true, "last_id": ""}), Some(Next::Nowhere)),
            (json!({"has_more": false, "last_id": "m"}), None),
            (json!({"nextPageToken": "t"}), query("pageToken", "t")),
            (json!({"nextPageToken": ""}), None),
            (json!({"links": {"next": "/models?offset=2"}}), Some(Next::Url("/models?offset=2".to_owned()))),
            (json!({"links": {"next": null}}), None),
            (json!({"result_info": {"page": 1, "total_pages": 2}}), query("page", "2")),
            (json!({"result_info": {"page": 2, "total_pages": 2}}), None),
            (json!({"output": {"page_no": 1, "page_size": 20, "total": 21}}), query("page_no", "2")),
            (json!([]), None),
        ] {
            assert_eq!(next(&page), expected, "{page}");
        }
    }
}
