//! A server that says whatever a test wants: for what no honest one would.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What it says and shows.
#[derive(Clone, Debug)]
pub struct Guise {
    /// Its first line; none: it says nothing at all.
    pub greeting: Option<&'static str>,
    /// The only password that it takes; none: any.
    pub password: Option<&'static str>,
    /// What MLSD shows of any directory that is not named: lines with their ends.
    pub listing: String,
    /// What MLSD shows of every other.
    pub listing_below: String,
    /// What SIZE tells of each file, whatever RETR sends.
    pub told_bytes: Option<u64>,
}

impl Default for Guise {
    fn default() -> Self {
        let greeting = Some("220 At your service.");
        Self { greeting, password: None, listing: String::new(), listing_below: String::new(), told_bytes: None }
    }
}

/// A running one; it ends with the test.
#[derive(Debug)]
pub struct Impostor {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Impostor {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn start(guise: Guise) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (guise, notes) = (guise.clone(), Arc::clone(&notes));
                // Where the client goes, so does its thread.
                thread::spawn(move || drop(Talk { guise, heard: notes, data: None }.serve(&stream)));
            }
        });
        Self { address, heard }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients have said so far.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One control connection.
struct Talk {
    guise: Guise,
    heard: Arc<Mutex<Vec<String>>>,
    data: Option<TcpListener>,
}

impl Talk {
    fn serve(&mut self, mut control: &TcpStream) -> std::io::Result<()> {
        control.set_nodelay(true)?;
        if let Some(greeting) = self.guise.greeting {
            write!(control, "{greeting}\r\n")?;
        }
        for line in BufReader::new(control).lines() {
            let line = line?;
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
            if self.guise.greeting.is_some() {
                let reply = self.answer(&line, control)?;
                write!(control, "{reply}\r\n")?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, line: &str, control: &TcpStream) -> std::io::Result<String> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match verb {
            "USER" => "331 And the password?".to_owned(),
            "PASS" if self.guise.password.is_some_and(|password| password != argument) => "530 No.".to_owned(),
            "PASS" => "230 Welcome.".to_owned(),
            "FEAT" => {
                let size = self.guise.told_bytes.map_or("", |_| " SIZE\r\n");
                format!("211-Features:\r\n MLST type*;size*;\r\n EPSV\r\n{size}211 End")
            }
            "SIZE" => self.guise.told_bytes.map_or_else(|| "502 What?".to_owned(), |bytes| format!("213 {bytes}")),
            "EPSV" => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                let port = listener.local_addr()?.port();
                self.data = Some(listener);
                format!("229 Here (|||{port}|)")
            }
            "MLSD" if argument.is_empty() => self.send(&self.guise.listing, control)?,
            "MLSD" => self.send(&self.guise.listing_below, control)?,
            "RETR" => self.send("loot", control)?,
            "CWD" | "TYPE" | "OPTS" => "250 As you like.".to_owned(),
            "QUIT" => "221 Bye.".to_owned(),
            _ => "502 What?".to_owned(),
        })
    }

    fn send(&self, text: &str, mut control: &TcpStream) -> std::io::Result<String> {
        let Some(listener) = &self.data else { return Ok("425 Where to?".to_owned()) };
        write!(control, "150 Here it comes.\r\n")?;
        let (mut data, _) = listener.accept()?;
        data.write_all(text.as_bytes())?;
        data.shutdown(Shutdown::Write)?;
        Ok("226 That was it.".to_owned())
    }
}
