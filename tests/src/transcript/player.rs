//! Plays a transcript on a stage: does what it says and compares what comes with what it expects.

use super::pattern::{Bindings, exact_length, generalise, generalise_data};
use super::script::{Channel, Closing, DataStep, DiskStep, Handshake, Script, SessionNumber, Step, escape};
use crate::stage::{Amount, Fault, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Plays `script`; the error names file, line, expected and got.
///
/// # Errors
/// What was not as the transcript expects it.
pub fn play(script: &Script, stage: Box<dyn Stage + '_>) -> Result<(), Fault> {
    let mut player = Player::new(stage);
    let mut pipelined: Option<Flight> = None;
    for (index, (number, step)) in script.steps.iter().enumerate() {
        let at = |number: usize| move |fault: Fault| format!("{}:{}: {fault}", script.path.display(), number + 1);
        // Lines that follow each other, or a handshake, without an expectation between them leave in one write.
        let leaves = match step {
            Step::Send(session, template) => {
                Some((*session, player.fill(*session, template).map_err(at(*number))?, None))
            }
            Step::Secure(session, Handshake::Proper) => Some((*session, Vec::new(), Some(Handshake::Proper))),
            _ => None,
        };
        if let Some((session, bytes, handshake)) = leaves {
            let flight = Flight { number: *number, session, handshake, bytes: Vec::new() };
            pipelined.get_or_insert(flight).bytes.extend(bytes);
            if matches!(script.steps.get(index + 1), Some((_, Step::Send(next, _))) if *next == session) {
                continue;
            }
        }
        match pipelined.take() {
            Some(flight) => player.fly(&flight).map_err(at(flight.number))?,
            None => player.step(step).map_err(at(*number))?,
        }
    }
    player.stage.finish().map_err(|fault| format!("{}: at the end: {fault}", script.path.display()))
}

/// Plays `script` and writes down what comes, where it is not what the script expects. The result is its new text.
/// For a stage where everything happens at once.
///
/// # Errors
/// What cannot be done at all, such as a data step without a data connection.
pub fn update(script: &Script, stage: Box<dyn Stage + '_>) -> Result<String, Fault> {
    let mut player = Player::new(stage);
    let mut text = Vec::new();
    let mut steps = script.steps.iter().peekable();
    let mut pending = Vec::new();
    for (number, line) in script.lines.iter().enumerate() {
        let Some((_, step)) = steps.next_if(|(at, _)| *at == number) else {
            text.push(line.clone());
            continue;
        };
        if let Step::Expect(session, template) = step {
            match player.next_line(*session) {
                Ok(Some(got)) if player.bindings.matches(template, &got) => text.push(line.clone()),
                Ok(Some(got)) => text.push(player.written(*session, &got)),
                Ok(None) | Err(_) => {}
            }
            continue;
        }
        if !matches!(step, Step::Data(..) | Step::Disk(_)) {
            player.write_unexpected(&mut text);
        }
        let done = match step {
            Step::Send(session, template) => {
                pending.extend(player.fill(*session, template)?);
                let next = steps.peek().map(|(_, next)| next);
                if matches!(next, Some(Step::Send(next, _)) if next == session) {
                    Ok(())
                } else {
                    player.send(*session, &std::mem::take(&mut pending))
                }
            }
            Step::Data(session, DataStep::Expect(template)) => {
                match player.expect_data(*session, template) {
                    Ok(()) => text.push(line.clone()),
                    Err(got) if got.is_empty() => {}
                    Err(got) => text.push(format!("{}> {}", mark('D', *session), generalise_data(&got))),
                }
                continue;
            }
            Step::Data(session, DataStep::ExpectEnd) => {
                while let Ok(got) = player.stage.data_receive(*session, Amount::Line)
                    && !got.is_empty()
                {
                    text.push(format!("{}> {}", mark('D', *session), generalise_data(&escape(&got))));
                }
                player.step(step)
            }
            _ => player.step(step),
        };
        done.map_err(|fault| format!("{}:{}: {fault}", script.path.display(), number + 1))?;
        text.push(line.clone());
    }
    player.write_unexpected(&mut text);
    Ok(text.join("\n") + "\n")
}

/// What a client sends in one go.
struct Flight {
    number: usize,
    session: SessionNumber,
    /// What goes before.
    handshake: Option<Handshake>,
    bytes: Vec<u8>,
}

struct Player<'a> {
    stage: Box<dyn Stage + 'a>,
    bindings: Bindings,
    connected: BTreeSet<SessionNumber>,
    passive_ports: BTreeMap<SessionNumber, u16>,
}

impl<'a> Player<'a> {
    fn new(stage: Box<dyn Stage + 'a>) -> Self {
        Self { stage, bindings: Bindings::default(), connected: BTreeSet::new(), passive_ports: BTreeMap::new() }
    }

    fn step(&mut self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Clock(utc_s) => self.stage.set_utc(*utc_s),
            Step::Pass(by) => self.stage.pass(*by),
            Step::Send(session, template) => {
                let bytes = self.fill(*session, template)?;
                self.send(*session, &bytes)
            }
            Step::Expect(session, template) => self.expect(*session, template),
            Step::ExpectClosed(session) => {
                if let Some(line) = self.next_line(*session)? {
                    return Err(format!("expected the end of the connection, got {}", escape(&line)));
                }
                self.connected.remove(session);
                Ok(())
            }
            Step::Close(session, closing) => {
                self.connected.remove(session);
                self.stage.close(*session, *closing)
            }
            Step::Login(session, channel) => self.login(*session, *channel),
            Step::Secure(session, handshake) => self.secure(*session, *handshake, b""),
            Step::Data(session, step) => self.data(*session, step),
            Step::Disk(step) => {
                let step = match step {
                    DiskStep::Put(path, bytes) => &DiskStep::Put(path.clone(), self.bindings.fill(bytes)?),
                    DiskStep::Holds(path, bytes) => &DiskStep::Holds(path.clone(), self.bindings.fill(bytes)?),
                    other => other,
                };
                self.stage.disk(step)
            }
            Step::ShutDown => self.stage.shut_down(),
            Step::Restart => {
                self.connected.clear();
                self.passive_ports.clear();
                self.stage.restart()
            }
        }
    }

    fn connect(&mut self, session: SessionNumber) -> Result<(), Fault> {
        if self.connected.insert(session) {
            self.stage.connect(session)?;
        }
        Ok(())
    }

    fn send(&mut self, session: SessionNumber, bytes: &[u8]) -> Result<(), Fault> {
        self.connect(session)?;
        self.stage.send(session, bytes)
    }

    fn fly(&mut self, flight: &Flight) -> Result<(), Fault> {
        match flight.handshake {
            Some(handshake) => self.secure(flight.session, handshake, &flight.bytes),
            None => self.send(flight.session, &flight.bytes),
        }
    }

    fn secure(&mut self, session: SessionNumber, handshake: Handshake, along: &[u8]) -> Result<(), Fault> {
        self.connect(session)?;
        self.stage.secure(session, handshake, along)
    }

    fn next_line(&mut self, session: SessionNumber) -> Result<Option<Vec<u8>>, Fault> {
        self.connect(session)?;
        let line = self.stage.line(session)?;
        if let Some(port) = line.as_ref().and_then(|line| passive_port(&String::from_utf8_lossy(line))) {
            self.passive_ports.insert(session, port);
        }
        Ok(line)
    }

    fn expect(&mut self, session: SessionNumber, template: &[u8]) -> Result<(), Fault> {
        let mut got = self.next_line(session)?;
        if got.as_ref().is_some_and(|got| self.bindings.matches(template, got)) {
            return Ok(());
        }
        let mut text = got.as_ref().map_or("the end of the connection".to_owned(), |got| escape(got));
        // The last line of a reply says why.
        while let Some(line) = &got
            && line.get(3) == Some(&b'-')
            && let Ok(Some(next)) = self.next_line(session)
        {
            text = format!("{text}\n         {}", escape(&next));
            got = Some(next);
        }
        Err(format!("expected {}\n     got {text}", escape(template)))
    }

    fn login(&mut self, session: SessionNumber, channel: Channel) -> Result<(), Fault> {
        self.expect(session, b"220 Welcome to the FTP Server")?;
        if channel == Channel::Tls {
            self.send(session, b"AUTH TLS\r\n")?;
            self.expect(session, b"234 Proceed with negotiation.")?;
            self.secure(session, Handshake::Proper, b"")?;
        }
        self.send(session, b"USER anonymous\r\n")?;
        self.expect(session, b"331 Please specify the password.")?;
        self.send(session, b"PASS rNrKYTX9g7z3RgJRmxWuGHbeu\r\n")?;
        self.expect(session, b"230 Login successful.")
    }

    /// The bytes of `template`; where it says where the client listens for data, the client listens from now on.
    fn fill(&mut self, session: SessionNumber, template: &[u8]) -> Result<Vec<u8>, Fault> {
        self.connect(session)?;
        let text = String::from_utf8_lossy(template);
        if text.contains("<here>") || text.contains("<eprt>") {
            let address = self.stage.data_listen(session)?;
            let port = address.port();
            let host = address.ip().to_string();
            self.bindings.set("here", &format!("{},{},{}", host.replace('.', ","), port >> 8, port & 255));
            let family = if address.is_ipv4() { 1 } else { 2 };
            self.bindings.set("eprt", &format!("|{family}|{host}|{port}|"));
        }
        self.bindings.fill(template)
    }

    fn data(&mut self, session: SessionNumber, step: &DataStep) -> Result<(), Fault> {
        let port = self.passive_ports.get(&session).copied().ok_or("no 227 or 229 came yet");
        match step {
            DataStep::Connect => self.stage.data_connect(session, port?),
            DataStep::Stranger => self.stage.data_stranger(session, port?),
            DataStep::Listen => self.stage.data_listen_default(session),
            DataStep::Unlisten => self.stage.data_unlisten(session),
            DataStep::Secure(handshake) => self.stage.data_secure(session, *handshake),
            DataStep::Send(template) => {
                let bytes = self.bindings.fill(template)?;
                self.stage.data_send(session, &bytes)
            }
            DataStep::Expect(template) => self
                .expect_data(session, template)
                .map_err(|got| format!("expected on the data connection {}\n     got {got}", cut(&escape(template)))),
            DataStep::ExpectEnd => {
                let got = self.stage.data_receive(session, Amount::Any)?;
                if !got.is_empty() {
                    return Err(format!("expected the end of the data, got {}", escape(&got)));
                }
                self.stage.data_close(session, Closing::Orderly)
            }
            DataStep::ExpectCut => self.stage.data_cut(session),
            DataStep::Close(closing) => self.stage.data_close(session, *closing),
        }
    }

    fn expect_data(&mut self, session: SessionNumber, template: &[u8]) -> Result<(), String> {
        let amount = match exact_length(template) {
            Some(length) if !template.ends_with(b"\r\n") => Amount::Bytes(length),
            _ => Amount::Line,
        };
        let got = self.stage.data_receive(session, amount)?;
        if self.bindings.matches(template, &got) { Ok(()) } else { Err(cut(&escape(&got))) }
    }

    /// What nobody expected, for `UPDATE=1`.
    fn write_unexpected(&mut self, text: &mut Vec<String>) {
        let sessions: Vec<SessionNumber> = self.connected.iter().copied().collect();
        for session in sessions {
            while let Ok(Some(line)) = self.next_line(session) {
                let written = self.written(session, &line);
                text.push(written);
            }
        }
    }

    fn written(&mut self, session: SessionNumber, line: &[u8]) -> String {
        let template = generalise(&escape(line));
        self.bindings.matches(template.as_bytes(), line);
        format!("{}: {template}", mark('S', session))
    }
}

fn mark(who: char, session: SessionNumber) -> String {
    if session == 1 { who.to_string() } else { format!("{who}{session}") }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// The port of a 227 or 229, in text or JSON.
fn passive_port(line: &str) -> Option<u16> {
    let (_, tail) = line.split_once("Passive Mode (")?;
    let (inner, _) = tail.split_once(')')?;
    if let Some(port) = inner.strip_prefix("|||") {
        return port.trim_end_matches('|').parse().ok();
    }
    let numbers: Vec<u8> = inner.split(',').map_while(|number| number.parse().ok()).collect();
    match numbers[..] {
        [_, _, _, _, high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}
