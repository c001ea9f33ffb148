//! A provider that only has a model list, and serves it as badly as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request for a list.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The values of a header, whatever its case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(had, _)| had.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

type Answer = dyn Fn(&Asked, &mut TcpStream) + Send + Sync;

/// A running server; its threads end with the test's process.
pub struct Lists {
    /// `127.0.0.1:PORT`.
    pub address: String,
    answer: Arc<Mutex<Arc<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// What CONNECT is answered with.
    tunnel: Arc<Mutex<&'static str>>,
}

impl Lists {
    /// Starts one that answers each request with `answer` and closes the connection then.
    pub fn start(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lists = Self {
            address: listener.local_addr().unwrap().to_string(),
            answer: Arc::new(Mutex::new(Arc::new(answer))),
            asked: Arc::default(),
            tunnel: Arc::new(Mutex::new("200 OK")),
        };
        let (answer, asked, tunnel) = (lists.answer.clone(), lists.asked.clone(), lists.tunnel.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (answer, asked, tunnel) = (answer.clone(), asked.clone(), *tunnel.lock().unwrap());
                std::thread::spawn(move || serve(stream, &answer, &asked, tunnel));
            }
        });
        lists
    }

    /// Starts one that answers with this JSON.
    pub fn json(body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_, stream| {
            respond(stream, "200 OK", &[("content-type", "application/json")], body.as_bytes());
        })
    }

    /// Answers differently from now on.
    pub fn now(&self, answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    /// Answers with this JSON from now on.
    pub fn now_json(&self, body: &str) {
        let body = body.to_owned();
        self.now(move |_, stream| respond(stream, "200 OK", &[], body.as_bytes()));
    }

    /// Refuses CONNECT from now on.
    #[allow(dead_code, reason = "each test binary uses its part")]
    pub fn opens_no_tunnel(&self, status: &'static str) {
        *self.tunnel.lock().unwrap() = status;
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &Mutex<Arc<Answer>>, asked: &Mutex<Vec<Asked>>, tunnel: &str) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    if first.starts_with("CONNECT ") {
        // It plays the proxy, and everything behind it.
        _ = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).count();
        _ = stream.write_all(format!("HTTP/1.1 {tunnel}\r\n\r\n").as_bytes());
        if tunnel.starts_with("200") {
            serve(stream, answer, asked, tunnel);
        }
        return;
    }
    let headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    });
    let request =
        Asked { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), headers: headers.collect() };
    asked.lock().unwrap().push(request.clone());
    let answer = answer.lock().unwrap().clone();
    answer(&request, &mut stream);
}

/// Writes a whole response. Nobody has to read it to its end.
pub fn respond(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
}
