//! suppaftp of Rust's package index, in this process.

use crate::{CUT, DATED, Errand, LARGE, LINES, Library, Mode};
use std::fs;
use std::io::{Cursor, Read, Write, repeat};
use std::time::{Duration, SystemTime};
use suppaftp::list::{File, ListParser};
use suppaftp::types::{FileType, FormatControl};
use suppaftp::{FtpError, FtpResult, FtpStream, Mode as Connecting, Status};

pub(crate) const LIBRARY: Library = Library {
    name: "Rust suppaftp",
    checks: &[
        "connect",
        "login",
        "feat",
        "opts",
        "mkdir",
        "cwd, pwd, cdup",
        "site",
        "put_file",
        "size",
        "ASCII",
        "retr_as_buffer",
        "retr_as_stream",
        "resume_transfer, retr",
        "append_file",
        "resume_transfer, put_file",
        "put_with_stream, append_with_stream",
        "custom_command",
        "mdtm",
        "nlst",
        "list",
        "mlsd",
        "mlst",
        "rename",
        "rm",
        "rmdir",
        "custom_data_command",
        "abort",
        "refused",
        "the other ways of data connections",
        "quit",
    ],
    play: |errand: &Errand<'_>| Play::begin(errand).run().unwrap_or_else(|error| panic!("{error}")),
};

struct Play<'a> {
    errand: &'a Errand<'a>,
    ftp: FtpStream,
    said: Vec<String>,
}

type Outcome = FtpResult<()>;

impl<'a> Play<'a> {
    fn begin(errand: &'a Errand<'a>) -> Self {
        let mut ftp = FtpStream::connect_timeout(errand.server, WAIT).unwrap();
        assert_eq!(ftp.get_welcome_msg(), Some("220 Welcome to the FTP Server"));
        ftp.get_ref().set_read_timeout(Some(WAIT)).unwrap();
        match errand.mode {
            Mode::Passive => ftp.set_mode(Connecting::Passive),
            Mode::Ipv6 => ftp.set_mode(Connecting::ExtendedPassive),
            Mode::Active => ftp = ftp.active_mode(WAIT),
        }
        Self { errand, ftp, said: vec!["ok connect".into()] }
    }

    fn run(mut self) -> FtpResult<String> {
        self.enter()?;
        self.bring()?;
        self.carry_lines()?;
        self.fetch()?;
        self.add()?;
        self.date()?;
        self.look()?;
        self.look_closely()?;
        self.change()?;
        self.interrupt()?;
        self.be_refused()?;
        self.connect_otherwise()?;
        self.ftp.quit()?;
        self.ok("quit");
        Ok(self.said.join("\n"))
    }

    fn enter(&mut self) -> Outcome {
        self.ftp.login("anonymous", "guest@example.com")?;
        self.ok("login");
        let features = self.ftp.feat()?;
        for name in ["SIZE", "MDTM", "MFMT", "MLST", "EPSV", "EPRT", "UTF8"] {
            assert!(features.contains_key(name), "{name} is not in {features:?}");
        }
        assert_eq!(features["REST"].as_deref(), Some("STREAM"));
        self.ok("feat");
        self.ftp.opts("UTF8", Some("ON"))?;
        self.ok("opts");
        self.ftp.mkdir(PATH)?;
        refused(Status::FileUnavailable, self.ftp.mkdir(PATH));
        self.ok("mkdir");
        self.ftp.cwd(PATH)?;
        assert_eq!(self.ftp.pwd()?, PATH);
        self.ftp.cdup()?;
        assert_eq!(self.ftp.pwd()?, "/");
        self.ftp.cwd(PATH)?;
        self.ok("cwd, pwd, cdup");
        self.ftp.site(format!("EXPIRY {PATH} 1h"))?;
        self.ok("site");
        Ok(())
    }

    fn bring(&mut self) -> Outcome {
        self.ftp.transfer_type(FileType::Binary)?;
        for name in self.errand.names() {
            let sent = self.ftp.put_file(&name, &mut Cursor::new(self.content(&name)))?;
            assert_eq!(sent, self.content(&name).len() as u64, "{name}");
        }
        self.ok("put_file");
        for name in self.errand.names() {
            assert_eq!(self.ftp.size(&name)?, self.content(&name).len(), "{name}");
        }
        refused(Status::FileUnavailable, self.ftp.size("nowhere"));
        self.ok("size");
        Ok(())
    }

    /// TYPE A: lines end with CRLF on the wire and with LF on the disk.
    fn carry_lines(&mut self) -> Outcome {
        let lines = self.content(LINES);
        self.ftp.transfer_type(FileType::Ascii(FormatControl::NonPrint))?;
        self.ftp.put_file("as-lines.txt", &mut Cursor::new(&lines))?;
        // It turns lines into CRLF on their way out, and leaves them so on their way in.
        let crlf = String::from_utf8(lines.clone()).unwrap().replace('\n', "\r\n");
        assert_eq!(self.fetched("as-lines.txt")?, crlf.as_bytes());
        self.ftp.transfer_type(FileType::Binary)?;
        assert_eq!(self.fetched("as-lines.txt")?, lines);
        self.ftp.rm("as-lines.txt")?;
        self.ok("ASCII");
        Ok(())
    }

    fn fetch(&mut self) -> Outcome {
        for name in self.errand.names() {
            let got = self.fetched(&name)?;
            assert!(got == self.content(&name), "{name} came otherwise");
            fs::write(self.errand.target.join(&name), got).unwrap();
        }
        self.ok("retr_as_buffer");
        let (mut stream, mut got) = (self.ftp.retr_as_stream(DATED)?, Vec::new());
        stream.read_to_end(&mut got).map_err(FtpError::ConnectionError)?;
        stream.finish()?;
        assert!(got == self.content(DATED));
        self.ok("retr_as_stream");
        let large = self.content(LARGE);
        for offset in [1, 1 << 20, large.len() - 1, large.len()] {
            self.ftp.resume_transfer(offset)?;
            assert!(self.fetched(LARGE)? == large[offset..], "from {offset} on");
        }
        self.ftp.resume_transfer(large.len() + 1)?;
        refused(Status::Unknown, self.fetched(LARGE));
        self.ok("resume_transfer, retr");
        Ok(())
    }

    fn add(&mut self) -> Outcome {
        let large = self.content(LARGE);
        let (head, tail) = large.split_at(CUT);
        self.ftp.put_file("parts", &mut Cursor::new(head))?;
        self.ftp.append_file("parts", &mut Cursor::new(tail))?;
        assert!(self.fetched("parts")? == large);
        self.ok("append_file");
        self.ftp.put_file("parts", &mut Cursor::new(&large[..CUT + 99]))?;
        self.ftp.resume_transfer(CUT)?;
        self.ftp.put_file("parts", &mut Cursor::new(tail))?;
        assert!(self.fetched("parts")? == large);
        self.ok("resume_transfer, put_file");
        let mut stream = self.ftp.put_with_stream("parts")?;
        stream.write_all(head).map_err(FtpError::ConnectionError)?;
        stream.finish()?;
        let mut stream = self.ftp.append_with_stream("parts")?;
        stream.write_all(tail).map_err(FtpError::ConnectionError)?;
        stream.finish()?;
        assert!(self.fetched("parts")? == large);
        self.ftp.rm("parts")?;
        self.ok("put_with_stream, append_with_stream");
        Ok(())
    }

    fn date(&mut self) -> Outcome {
        self.ftp.custom_command(format!("MFMT 20190807060504 {DATED}"), &[Status::File])?;
        self.ok("custom_command");
        assert_eq!(self.ftp.mdtm(DATED)?.to_string(), "2019-08-07 06:05:04");
        refused(Status::FileUnavailable, self.ftp.mdtm("nowhere"));
        self.ok("mdtm");
        Ok(())
    }

    fn look(&mut self) -> Outcome {
        assert_eq!(self.ftp.nlst(None)?, self.errand.names());
        refused(Status::FileUnavailable, self.ftp.nlst(Some("nowhere")));
        self.ok("nlst");
        for path in [None, Some(PATH), Some("-la")] {
            let lines = self.ftp.list(path)?;
            let entries = lines.iter().map(|line| ListParser::parse_posix(line).unwrap());
            let dated = self.looks_right(entries.filter(|entry| ![".", ".."].contains(&entry.name())).collect());
            let day = Duration::from_secs(crate::DATE_S / 86_400 * 86_400);
            assert_eq!(dated.modified(), SystemTime::UNIX_EPOCH + day, "a line without the time of day");
        }
        self.ok("list");
        Ok(())
    }

    fn look_closely(&mut self) -> Outcome {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(crate::DATE_S);
        for path in [None, Some(PATH)] {
            let lines = self.ftp.mlsd(path)?;
            let lines = lines.iter().filter(|line| !line.contains("type=cdir;") && !line.contains("type=pdir;"));
            let dated = self.looks_right(lines.map(|line| ListParser::parse_mlsd(line).unwrap()).collect());
            assert_eq!(dated.modified(), date);
        }
        refused(Status::FileUnavailable, self.ftp.mlsd(Some("nowhere")));
        self.ok("mlsd");
        let file = ListParser::parse_mlst(&self.ftp.mlst(Some(DATED))?).unwrap();
        assert_eq!((file.size(), file.modified()), (self.content(DATED).len(), date));
        refused(Status::FileUnavailable, self.ftp.mlst(Some("nowhere")));
        self.ok("mlst");
        Ok(())
    }

    fn change(&mut self) -> Outcome {
        self.ftp.put_file("old name", &mut Cursor::new(b"moved"))?;
        self.ftp.rename("old name", "new name")?;
        refused(Status::FileUnavailable, self.ftp.rename("old name", "other"));
        assert_eq!(self.fetched("new name")?, b"moved");
        self.ok("rename");
        self.ftp.rm("new name")?;
        refused(Status::FileUnavailable, self.ftp.rm("new name"));
        self.ok("rm");
        self.ftp.mkdir("inner")?;
        self.ftp.put_file("inner/file", &mut Cursor::new(b"1"))?;
        refused(Status::FileUnavailable, self.ftp.rmdir("inner"));
        self.ftp.rm("inner/file")?;
        self.ftp.rmdir("inner")?;
        refused(Status::FileUnavailable, self.ftp.cwd("inner"));
        self.ok("rmdir");
        let opening = [Status::AboutToSend, Status::AlreadyOpen];
        let (_, mut stream) = self.ftp.custom_data_command(format!("MLSD {PATH}"), &opening)?;
        let mut listed = String::new();
        stream.read_to_string(&mut listed).map_err(FtpError::ConnectionError)?;
        stream.finish()?;
        assert!(listed.contains(DATED), "{listed}");
        self.ok("custom_data_command");
        Ok(())
    }

    /// More than the network holds, so that it is under way for certain: suppaftp takes one reply, or 426 and 226.
    fn interrupt(&mut self) -> Outcome {
        self.ftp.put_file("huge", &mut repeat(b'x').take(24 << 20))?;
        let mut stream = self.ftp.retr_as_stream("huge")?;
        stream.read_exact(&mut [0]).map_err(FtpError::ConnectionError)?;
        self.ftp.abort(stream)?;
        self.ftp.noop()?;
        assert!(self.fetched(DATED)? == self.content(DATED));
        self.ftp.rm("huge")?;
        self.ok("abort");
        Ok(())
    }

    fn be_refused(&mut self) -> Outcome {
        refused(Status::FileUnavailable, self.fetched("nowhere"));
        refused(Status::BadFilename, self.ftp.put_file("nowhere/file", &mut Cursor::new(b"1")));
        refused(Status::BadCommand, self.ftp.custom_command("WHAT IS IT", &[Status::CommandOk]));
        self.ftp.noop()?;
        self.ok("refused");
        Ok(())
    }

    fn connect_otherwise(&mut self) -> Outcome {
        let passive: &[_] = if self.errand.mode == Mode::Ipv6 { &[] } else { &[Connecting::Passive] };
        for mode in [Connecting::ExtendedPassive, Connecting::Active].iter().chain(passive) {
            self.ftp.set_mode(*mode);
            assert!(self.fetched(DATED)? == self.content(DATED), "{mode:?}");
        }
        self.ok("the other ways of data connections");
        Ok(())
    }

    /// All of the source's files and no others, with their sizes; returns the dated one.
    fn looks_right(&self, entries: Vec<File>) -> File {
        let mut listed: Vec<_> = entries.iter().map(|entry| (entry.name().to_owned(), entry.size())).collect();
        listed.sort_unstable();
        let expected: Vec<_> =
            self.errand.names().into_iter().map(|name| (name.clone(), self.content(&name).len())).collect();
        assert_eq!(listed, expected);
        entries.into_iter().find(|entry| entry.name() == DATED && entry.is_file()).unwrap()
    }

    fn fetched(&mut self, name: &str) -> FtpResult<Vec<u8>> {
        self.ftp.retr_as_buffer(name).map(Cursor::into_inner)
    }

    fn content(&self, name: &str) -> Vec<u8> {
        fs::read(self.errand.source.join(name)).unwrap()
    }

    fn ok(&mut self, what: &str) {
        self.said.push(format!("ok {what}"));
    }
}

/// It was answered so; what suppaftp has no name for is [`Status::Unknown`].
fn refused<T>(status: Status, outcome: FtpResult<T>) {
    match outcome.map(|_| "it succeeded") {
        Err(FtpError::UnexpectedResponse(response)) => assert_eq!(response.status, status, "{response}"),
        other => panic!("{other:?} where {status:?} was due"),
    }
}

const PATH: &str = "/scans";
const WAIT: Duration = Duration::from_secs(30);
