//! The default address, and servers that do not answer as ours does.

use std::net::TcpListener;

use super::*;

/// A server that takes one connection, reads the request, and does this with it. Gives its URL,
/// and the request once that is read.
fn server(serve: impl FnOnce(TcpStream) + Send + 'static) -> (Url, mpsc::Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        tell.send(String::from_utf8(request).unwrap()).unwrap();
        serve(stream);
    });
    (url, told)
}

fn answering(answer: &'static str) -> (Url, mpsc::Receiver<String>) {
    server(move |mut stream| stream.write_all(answer.as_bytes()).unwrap())
}

/// What is said of a server, without its address.
fn said(url: Url, patience: Duration) -> String {
    let place = url[Position::BeforeHost..Position::AfterPort].to_owned();
    let said = ask(url, patience).map_or_else(|unready| unready.to_string(), |()| String::new());
    said.replace(&place, "PLACE")
}

#[test]
fn the_default_is_the_configured_port_on_loopback_or_the_address_that_is_listened_on() {
    for (listens, asked) in [
        ("0.0.0.0:3000", "http://127.0.0.1:3000/"),
        ("[::]:3000", "http://[::1]:3000/"),
        ("127.0.0.1:80", "http://127.0.0.1/"),
        ("10.0.0.7:8080", "http://10.0.0.7:8080/"),
        ("[fd00::7]:8080", "http://[fd00::7]:8080/"),
    ] {
        let url = on_this_machine(Scheme::Http, listens.parse().unwrap()).unwrap();
        assert_eq!(url.as_str(), asked, "{listens}");
    }
    let any = on_this_machine(Scheme::Http, "127.0.0.1:0".parse().unwrap());
    assert!(matches!(any, Err(Unready::NoPort)), "{any:?}");
}

#[test]
fn what_is_asked_is_readiness_below_the_path_of_the_url() {
    for (path, asked) in
        [("", "GET /health/ready HTTP/1.1"), ("/a/", "GET /a/health/ready HTTP/1.1")]
    {
        let (url, request) = answering("HTTP/1.1 200 OK\r\n\r\n");
        let url: Url = format!("{}{path}", url.as_str().trim_end_matches('/')).parse().unwrap();
        ask(url.clone(), PATIENCE).unwrap();
        let host = format!("Host: {}", &url[Position::BeforeHost..Position::AfterPort]);
        let request = request.recv().unwrap();
        assert_eq!(request.lines().take(2).collect::<Vec<_>>(), [asked, &host]);
    }
}

#[test]
fn only_200_is_ready() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ready\"}", ""),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "is not ready: it answers 503"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "is not ready: it answers 204"),
        ("HTTP/1.1 301 Moved\r\nLocation: http://other/\r\n\r\n", "is not ready: it answers 301"),
        ("HTTP/1.1 200", "cannot be asked: invalid data"),
        ("", "cannot be asked: invalid data"),
        ("SSH-2.0-200 OK\r\n", "cannot be asked: invalid data"),
        ("HTTP/1.1 200000 OK\r\n", "cannot be asked: invalid data"),
    ] {
        let said = said(answering(answer).0, PATIENCE);
        let expected = match expected {
            "" => String::new(),
            expected => format!("the server at PLACE {expected}"),
        };
        assert_eq!(said, expected, "{answer}");
    }
}

#[test]
fn an_answer_that_does_not_end_is_waited_for_no_longer_than_the_patience() {
    let (hold, held) = mpsc::channel::<()>();
    let (url, _request) = server(move |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        // Until the test is over, or has failed.
        let _ = held.recv_timeout(PATIENCE);
    });
    let said = said(url, Duration::from_millis(50));
    assert_eq!(said, "the server at PLACE does not answer within 3 s");
    drop(hold);
}

#[test]
fn a_url_that_is_no_server_s_is_refused_and_no_password_in_one_is_told() {
    for url in ["wss://localhost", "ftp://localhost", "file:///etc/hosts", "data:text/plain,x"] {
        assert!(matches!(ask(url.parse().unwrap(), PATIENCE), Err(Unready::Url)), "{url}");
    }
    // Nobody listens at port 1.
    let refused = ask("http://user:canary@127.0.0.1:1".parse().unwrap(), PATIENCE).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the server at 127.0.0.1:1 cannot be asked: connection refused"
    );
}
