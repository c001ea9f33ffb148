//! What fuzzing found once, by what it was, and what the formats' authors thought of first.

use super::oracles;

/// A config with a home of this agent's, and every list that a provider can have.
fn every_list(agent: &str) -> String {
    let config = "\
providers:
  p:
    protocols: [openai-responses]
    base_urls: {openai: https://host/v1}
    models: [a, {id: b, context_window: 100, input_cost_per_million: 0.5, vision: true}]
    model_api_filters:
      - {filter: '^a/(.+)$', order_key: ['\\1'], top: 2}
      - {filter: b, desc: false, top: null}
    args: {codex: [--search], claude: []}
    isolated: true
isolated_homes: {AGENT: {work: {}}}
shims: {dir: ~/bin}
models_ttl: 2d
";
    config.replace("AGENT", agent)
}

/// Tests that the bytes break no promise of the oracle, and that they are still taken, or still refused.
macro_rules! regressions {
    ($taken:literal; $($name:ident: $oracle:ident $bytes:expr,)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(oracles::$oracle($bytes), $taken);
        }
    )*};
}

regressions! {
    true;
    a_variable_named_export: dotenv
        b"A=1\nexport =\r12\r",
    rows_of_the_cache_in_the_wrong_order: cache_file
        b"{\"version\":1,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"whole\",\"filters\":\"\",\"bytes\":155}\n\
        c\t3\t2\t{\"kind\":\"other\"}\n\
        b/m-1\t0\t1\t{\"name\":\"B\",\"protocols\":[\"anthropic\"],\"input_modalities\":[\"text\",\"imag\
        e\"]}\n\
        a/m-2\t1\t-\t{}\n\
        a/m-1\t2\t0\t{\"context_window\":1000}\n",
    a_file_of_the_cache_without_rows: cache_file
        b"{\"version\":1,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"whole\",\"filters\":\"\",\"bytes\":0}\n",
    a_whole_list: cache_file
        b"{\"version\":1,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"whole\",\"filters\":\"\",\"bytes\":155}\n\
        a/m-1\t2\t0\t{\"context_window\":1000}\n\
        a/m-2\t1\t-\t{}\n\
        b/m-1\t0\t1\t{\"name\":\"B\",\"protocols\":[\"anthropic\"],\"input_modalities\":[\"text\",\"imag\
        e\"]}\n\
        c\t3\t2\t{\"kind\":\"other\"}\n",
    half_a_surrogate_pair_in_a_key_of_claude: claude_json
        b"\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r{\"n[ups\\ud800\":3}\n",
    anchors_and_merge_keys: config
        b"providers:\n\
        \x20 a: &b\n\
        \x20   protocols: [anthropic]\n\
        \x20   base_urls: {anthropic: https://h}\n\
        \x20 c: {<<: *b, key_env: K}\n",
    no_provider: config
        b"providers: {}\n",
    a_config_that_is_json: config
        b"{\"providers\": {\"p\": {\"protocols\": [\"anthropic\"], \"base_urls\": {\"anthropic\": \"https:\
        //h\"}, \"key\": \"sk-0123456789abcdefghijklmnopqrstuvwxyz\"}}}",
    a_line_separator_before_the_providers: config
        b"#\n\
        \xe2\x80\xa8providers:\n\
        \x20\n",
    every_list_of_a_provider: config
        every_list("codex").as_bytes(),
    a_question_mark_in_a_flow_map: config
        every_list("?codex").as_bytes(),
    a_quoted_text_that_goes_on_without_indentation: config
        b"providers:\n\
        \x20 p:\n\
        \x20   protocols: [openai-responses]\n\
        \x20   base_urls: {openai: https://host/v1}\n\
        \x20   key_file: 'llllllllllllllllllll  models: laude: []}\n\
        \x20  providetocol{: [opetocol{:e [{it: a, reasoning: yes}, {id: a, input_ovidetocol{: [opetocol{:e\
        \x20[{it: a, reasoning: yes}, {id: a, input_ccost_://_million: cheap}]\n\
        ed: true\n\
        isolated_homes: {codex: {work: {}}}\n\
        ion: 0.5, vision: trms: {{codex: \n\
        hel{a:dir: ~/bin}\n\
        mod {}, a: {}elsers:llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\
        lllllllllllllllllllllll'\n",
    env_of_crush_in_capitals: crush_json
        b"{\"Env\":3}",
    env_of_crush_in_two_spellings: crush_json
        b"{\"ENV\":{\"A\":\"b\"},\"env\":{\"C\":\"d\"},\"Lsp\":{}}",
    a_colon_in_an_anchor: hermes_yaml
        b"a: &a:x",
    a_number_beyond_all_bounds: hermes_yaml
        b"a: 11111111111111111111111111111111111115\n",
    a_table_that_hermes_protections_are_put_into: hermes_yaml
        b"display: {skn:xi }\nagent: 1\nwrite_sessions_json: false\n",
    a_question_mark_in_a_flow_map_of_hermes: hermes_yaml
        b"display: {?Jskin: x}\n\
        approvals:\n\
        \x20 mode: off\n\
        \x20 deny: [rm, \"x: y\"]\n",
    a_next_page_whose_host_has_capitals: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"https://liSts.example/v1/models?page=2\"}}",
    a_next_page_named_at_a_whole_address: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"https://lists.example/v1/models?page=2\"}}",
    a_next_page_named_as_a_query: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"?p=2\"}}",
    a_next_page_named_as_a_path: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"/v1?p=2\"}}",
    a_next_page_named_at_an_address_with_another_host_behind_an_at_sign: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"https://lists.example@evil.example/m\"}}",
    a_next_page_named_by_a_token: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"nextPageToken\":\"t&x\"}",
    a_next_page_named_by_the_last_id: model_list
        b"{\"data\":[{\"id\":\"a\"}],\"has_more\":true,\"last_id\":\"a\"}",
    a_next_page_named_by_a_page_number: model_list
        b"{\"result\":[{\"id\":\"a\",\"parent\":\"b\"}],\"result_info\":{\"page\":1,\"total_pages\":2}}",
    a_next_page_named_by_a_page_and_a_total: model_list
        b"{\"output\":{\"page_no\":1,\"page_size\":20,\"total\":21,\"models\":[{\"model\":\"q\"}]}}",
}

regressions! {
    false;
    a_body_without_its_first_line_in_the_wrong_order: cache_file
        b"c\t3\t2\t{\"kind\":\"other\"}\n\
        b/m-1\t0\t1\t{\"name\":\"B\",\"protocols\":[\"anthropic\"],\"input_modalities\":[\"text\",\"imag\
        e\"]}\n\
        a/m-2\t1\t-\t{}\n\
        a/m-1\t2\t0\t{\"context_window\":1000}\n",
    a_file_of_the_cache_that_ends_within_a_row: cache_file
        b"{\"version\":1,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"whole\",\"filters\":\"\",\"bytes\":155}\n\
        c\t3\t2\t{\"kind\":\"other\"}\n\
        b/m-1\t0\t1\t{\"name\":\"B\",\"protocols\":[\"anthropic\"],\"input_modalities\":[\"text\",\"imag\
        e\"]}\n\
        a/m-2\t1\t-\t{}\n\
        a/m-1\t2\t0\t{\"context_window\":1",
    a_file_of_another_version: cache_file
        b"{\"version\":2,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"whole\",\"filters\":\"\",\"bytes\":155}\n\
        a/m-1\t2\t0\t{\"context_window\":1000}\n\
        a/m-2\t1\t-\t{}\n\
        b/m-1\t0\t1\t{\"name\":\"B\",\"protocols\":[\"anthropic\"],\"input_modalities\":[\"text\",\"imag\
        e\"]}\n\
        c\t3\t2\t{\"kind\":\"other\"}\n",
    a_part_of_a_list: cache_file
        b"{\"version\":1,\"provider\":\"p\",\"identity\":\"0123456789abcdef\",\"source\":\"https://a.b/mod\
        els\",\"fetched_at\":7,\"extent\":\"partial\",\"filters\":\"\",\"bytes\":3}\n\
        a/m-1\t2\t0\t{\"context_window\":1000}\n",
    a_key_too_long_for_one_line: hermes_yaml
        b"\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\
        \x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1ca: \xe2\x80\xa8[-$ ~, ?f\
        f'\n\
        c: 0&x F",
    settings_that_are_no_utf_8: hermes_yaml
        b"\x11D@\x9e\xc5\xdf\xce\xf7",
    options_that_are_no_utf_8: opts
        b"--model \xff\xfe",
    a_symlinks_name_with_a_slash_behind: shim_name
        b"\xc3\xa9hshellerm)s@\xc3\xbcA/",
    a_control_character_in_a_variables_name: template
        b"$%!${env:A\x00\x00\x00\x00\x00\x00\x00\n}kagentey",
}
