//! A client that says whatever it wants, and keeps every byte that it is sent.

use mayfly_tests::process::PATIENCE;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// A session of an anonymous client.
pub(crate) struct Wire {
    control: BufReader<TcpStream>,
    /// All that the server has said and sent so far.
    pub(crate) heard: Vec<u8>,
}

impl Wire {
    pub(crate) fn log_in(server: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stream.set_nodelay(true).expect("it is a TCP socket");
        let mut wire = Self { control: BufReader::new(stream), heard: Vec::new() };
        assert_eq!(wire.reply(), 220);
        assert_eq!(wire.ask(b"USER anonymous"), 331);
        assert_eq!(wire.ask(b"PASS test"), 230);
        wire
    }

    /// Sends a line and reads its first reply: its code.
    pub(crate) fn ask(&mut self, line: &[u8]) -> u16 {
        let line = [line, b"\r\n"].concat();
        self.control.get_mut().write_all(&line).expect("the control connection stands");
        self.reply()
    }

    /// Sends a line that may want a data connection, and sees it through: what is sent is read, and `upload` is what an
    /// upload brings. The final reply's code.
    pub(crate) fn carry_out(&mut self, line: &[u8], upload: Option<&[u8]>) -> u16 {
        let mut data = self.data();
        let code = self.ask(line);
        if code != 150 {
            return code;
        }
        if let Some(bytes) = upload {
            data.write_all(bytes).expect("the server takes it");
        } else {
            let mut sent = Vec::new();
            data.read_to_end(&mut sent).expect("the server sends all");
            self.heard.extend(sent);
        }
        drop(data);
        self.reply()
    }

    fn data(&mut self) -> TcpStream {
        let begun = self.heard.len();
        assert_eq!(self.ask(b"EPSV"), 229);
        let said = String::from_utf8_lossy(&self.heard[begun..]).into_owned();
        let port = mayfly_core::data::read_epsv_text(&said).unwrap_or_else(|| panic!("no port: {said}"));
        let host = self.control.get_ref().peer_addr().expect("it is connected").ip();
        let data = TcpStream::connect_timeout(&SocketAddr::new(host, port), PATIENCE).expect("it listens there");
        data.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        data
    }

    /// Reads one reply, in text or JSON.
    pub(crate) fn reply(&mut self) -> u16 {
        let mut first: Option<Vec<u8>> = None;
        loop {
            let mut line = Vec::new();
            self.control.read_until(b'\n', &mut line).expect("a reply comes in time");
            assert!(line.ends_with(b"\r\n"), "no reply: {:?}", String::from_utf8_lossy(&line));
            self.heard.extend(&line);
            if line.starts_with(b"{") {
                let json: serde_json::Value = serde_json::from_slice(&line).expect("it is JSON");
                return json["Response Code"].as_u64().and_then(|code| code.try_into().ok()).expect("it has a code");
            }
            let code = first.get_or_insert_with(|| line[..3].to_vec());
            if line.starts_with(code) && line[3] == b' ' {
                return String::from_utf8_lossy(code).parse().expect("it is a number");
            }
        }
    }
}
