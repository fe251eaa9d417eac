"""Python's ftplib, all of it: HOST PORT passive|active|ipv6 SOURCE TARGET.

Prints `ok WHAT` for each check that held; the first that does not raises, and so fails the test that runs this.
"""

import ftplib
import io
import os
import sys

PATH = "/scans"
DATED = "small.bin"
DATE = "20190807060504"
LARGE = "large.bin"
LINES = "lines.txt"


def ok(what):
    print("ok", what, flush=True)


def same(got, expected):
    assert got == expected, f"got {got!r:.200}, expected {expected!r:.200}"


def refused(code, call, *arguments):
    """The call is answered with this code, and the session lives."""
    try:
        got = call(*arguments)
    except ftplib.Error as error:
        same(str(error)[:3], code)
    else:
        raise AssertionError(f"{arguments} succeeded: {got}")
    same(session.voidcmd("NOOP")[:3], "200")


class Folder:
    """The files to bring."""

    def __init__(self, path):
        self.path = path
        self.names = sorted(os.listdir(path))

    def open(self, name):
        return open(os.path.join(self.path, name), "rb")

    def read(self, name):
        with self.open(name) as file:
            return file.read()

    def size(self, name):
        return os.path.getsize(os.path.join(self.path, name))


def fetched(name, rest=None):
    chunks = []
    same(session.retrbinary(f"RETR {name}", chunks.append, rest=rest)[:3], "226")
    return b"".join(chunks)


def enter(session):
    same(session.welcome, "220 Welcome to the FTP Server")
    ok("welcome")
    same(session.login(), "230 Login successful.")
    ok("login")
    same(session.mkd(PATH), PATH)
    refused("550", session.mkd, PATH)
    ok("mkd")
    session.cwd(PATH)
    same(session.pwd(), PATH)
    ok("pwd")
    same(session.sendcmd(f"SITE EXPIRY {PATH} 1h")[:3], "200")
    same(len(session.sendcmd(f"SITE EXPIRY {PATH}")), len("213 20261225000000"))
    ok("SITE EXPIRY")


def bring(session, source):
    for name in source.names:
        seen = []
        with source.open(name) as file:
            same(session.storbinary(f"STOR {name}", file, callback=lambda chunk: seen.append(len(chunk)))[:3], "226")
        same(sum(seen), source.size(name))
    ok("storbinary")
    for name in source.names:
        same(session.size(name), source.size(name))
    refused("550", session.size, "nowhere")
    ok("size")


def carry_lines(session, source):
    """TYPE A: lines end with CRLF on the wire and with LF on the disk."""
    name, lines = "as-lines.txt", source.read(LINES)
    with source.open(LINES) as file:
        same(session.storlines(f"STOR {name}", file)[:3], "226")
    ok("storlines")
    # RFC 3659 4: the bytes that RETR would send, in TYPE A one more for each line.
    session.voidcmd("TYPE A")
    same(session.size(name), len(lines) + lines.count(b"\n"))
    session.voidcmd("TYPE I")
    same(session.size(name), len(lines))
    ok("size in ASCII")
    got = []
    same(session.retrlines(f"RETR {name}", got.append)[:3], "226")
    same(got, lines.decode().split("\n")[:-1])
    ok("retrlines")
    session.delete(name)


def fetch(session, source, target):
    for name in source.names:
        with open(os.path.join(target, name), "wb") as file:
            same(session.retrbinary(f"RETR {name}", file.write)[:3], "226")
        same(fetched(name), source.read(name))
    ok("retrbinary")
    large = source.read(LARGE)
    for offset in [1, 1 << 20, len(large) - 1, len(large)]:
        same(fetched(LARGE, rest=offset), large[offset:])
    # A REST holds for one transfer alone.
    same(fetched(DATED), source.read(DATED))
    refused("554", fetched, LARGE, len(large) + 1)
    ok("retrbinary from an offset")


def add(session, source):
    large, cut = source.read(LARGE), 1_000_001
    session.storbinary("STOR parts", io.BytesIO(large[: cut + 99]))
    same(session.storbinary("STOR parts", io.BytesIO(large[cut:]), rest=cut)[:3], "226")
    same(fetched("parts"), large)
    ok("storbinary from an offset")
    session.storbinary("STOR parts", io.BytesIO(large[:cut]))
    same(session.storbinary("APPE parts", io.BytesIO(large[cut:]))[:3], "226")
    same(fetched("parts"), large)
    session.delete("parts")
    ok("APPE")
    before = set(session.nlst())
    names = [session.storbinary("STOU", io.BytesIO(content)) for content in (b"one", b"two")]
    made = sorted(set(session.nlst()) - before)
    same(len(made), 2)
    same(sorted(fetched(name) for name in made), [b"one", b"two"])
    for name in made:
        assert any(name in reply for reply in names), (made, names)
        session.delete(name)
    ok("STOU")


def date(session):
    same(session.sendcmd(f"MFMT {DATE} {DATED}"), f"213 Modify={DATE}; {PATH}/{DATED}")
    ok("MFMT")
    same(session.sendcmd(f"MDTM {DATED}"), f"213 {DATE}")
    refused("550", session.sendcmd, "MDTM nowhere")
    ok("MDTM")


def look(session, source):
    same(session.nlst(), source.names)
    same(sorted(os.path.basename(name) for name in session.nlst(PATH)), source.names)
    ok("nlst")
    same(session.nlst("*.bin"), [LARGE, DATED])
    same(session.nlst("l[a-i]???.???"), [LARGE, LINES])
    ok("nlst with a pattern")
    refused("550", session.nlst, "nowhere")
    ok("nlst of what is not there")
    for arguments in [], ["-la"]:
        lines = []
        session.dir(*arguments, lines.append)
        rows = {row[8]: row for row in (line.split(None, 8) for line in lines)}
        same(sorted(set(rows) - {".", ".."}), source.names)
        for name in source.names:
            same(int(rows[name][4]), source.size(name))
            same(rows[name][0][0], "-")
        same(rows[DATED][5:8], ["Aug", "7", "2019"])
        ok(" ".join(["dir", *arguments]))


def look_closely(session, source):
    facts = dict(session.mlsd())
    same(facts.pop(".")["type"], "cdir") if "." in facts else None
    facts = {name: entry for name, entry in facts.items() if entry["type"] not in ("cdir", "pdir")}
    same(sorted(facts), source.names)
    for name in source.names:
        same((facts[name]["type"], int(facts[name]["size"])), ("file", source.size(name)))
    same(facts[DATED]["modify"], DATE)
    ok("mlsd")
    chosen = {name: entry for name, entry in session.mlsd(PATH, facts=["size", "type"]) if entry["type"] == "file"}
    same(chosen, {name: {"type": "file", "size": str(source.size(name))} for name in source.names})
    chosen = dict(session.mlsd(facts=["type", "modify", "X.expiry"]))
    same(chosen[DATED]["modify"], DATE)
    assert all("size" not in entry for entry in chosen.values()), chosen
    ok("mlsd with chosen facts")
    refused("550", lambda: list(session.mlsd("nowhere")))
    ok("mlsd of what is not there")
    session.sendcmd("OPTS MLST type;size;modify;")
    line = session.sendcmd(f"MLST {DATED}").split("\n")[1]
    facts, name = line.strip().split(" ", 1)
    same(name, f"{PATH}/{DATED}")
    facts = {fact.lower() for fact in facts.rstrip(";").split(";")}
    same(facts, {"type=file", f"size={source.size(DATED)}", f"modify={DATE}"})
    ok("MLST")


def change(session, source):
    session.storbinary("STOR old name", io.BytesIO(b"moved"))
    same(session.rename("old name", "new name")[:3], "250")
    refused("550", session.rename, "old name", "other")
    same(fetched("new name"), b"moved")
    ok("rename")
    same(session.delete("new name")[:3], "250")
    refused("550", session.delete, "new name")
    ok("delete")
    session.mkd("inner")
    session.storbinary("STOR inner/file", io.BytesIO(b"1"))
    refused("550", session.rmd, "inner")
    session.delete("inner/file")
    same(session.rmd("inner")[:3], "250")
    refused("550", session.cwd, "inner")
    ok("rmd")
    same(session.cwd("..")[:3], "250")
    same(session.pwd(), "/")
    session.cwd(PATH)
    same(session.nlst(), source.names)
    ok("cwd ..")


def interrupt(session, source):
    """ABOR as urgent data, as ftplib sends it, while the server's data waits to be read."""
    session.voidcmd("TYPE I")
    data, size = session.ntransfercmd(f"RETR {LARGE}")
    same(size, source.size(LARGE))
    data.recv(1)
    reply = session.abort()
    data.close()
    # The file may have been under way as a whole: then its 226 goes first.
    if reply.startswith("426"):
        same(session.getmultiline()[:3], "226")
    else:
        same((reply[:3], session.getmultiline()[:3]), ("226", "226"))
    same(session.voidcmd("NOOP")[:3], "200")
    same(fetched(DATED), source.read(DATED))
    ok("abort")
    data = session.transfercmd("STOR endless")
    data.sendall(b"x" * 100_000)
    session.putcmd("STAT")
    status = session.getmultiline()
    same(status[:3], "211")
    data.close()
    same(session.voidresp()[:3], "226")
    same(session.size("endless"), 100_000)
    session.delete("endless")
    ok("STAT during a transfer")


def be_refused(session):
    refused("550", fetched, "nowhere")
    refused("550", session.cwd, "/nowhere")
    refused("553", session.storbinary, "STOR nowhere/file", io.BytesIO(b"1"))
    refused("500", session.sendcmd, "WHAT IS IT")
    refused("501", session.sendcmd, "TYPE")
    ok("refused")


def main(host, port, mode, source, target):
    global session
    source = Folder(source)
    session = ftplib.FTP(encoding="utf-8", timeout=30)
    session.connect(host, int(port))
    session.set_pasv(mode != "active")
    enter(session)
    bring(session, source)
    carry_lines(session, source)
    fetch(session, source, target)
    add(session, source)
    date(session)
    look(session, source)
    look_closely(session, source)
    change(session, source)
    interrupt(session, source)
    be_refused(session)
    session.set_pasv(mode == "active")
    same(fetched(DATED), source.read(DATED))
    ok("the other way of data connections")
    same(session.quit(), "221 Goodbye.")
    ok("quit")


main(*sys.argv[1:])
