"""MODE Z with Python's zlib over ftplib's data connections: each level, both ways, listings, TYPE A, REST, and streams
that are cut short or are none.

usage: ftplib_mode_z.py HOST PORT   (exit 0 and the number of checks on standard output: all is as it should be)
"""

import ftplib
import sys
import zlib

text = b"".join(b"line %d of a text that deflates well\n" % n for n in range(50_000))
checks = 0


def check(what, got, expected):
    global checks
    assert got == expected, f"{what}: {str(got)[:80]} is not {str(expected)[:80]}"
    checks += 1


def fetch(ftp, command, rest=None):
    with ftp.transfercmd(command, rest) as data:
        wire = b"".join(iter(lambda: data.recv(65536), b""))
    ftp.voidresp()
    stream = zlib.decompressobj()
    content = stream.decompress(wire)
    assert stream.eof and not stream.unused_data, "one whole zlib stream and nothing else"
    return content, len(wire)


def send(ftp, command, wire, rest=None):
    with ftp.transfercmd(command, rest) as data:
        data.sendall(wire)
    return ftp.voidresp()


def refused(ftp, command, wire):
    try:
        return send(ftp, command, wire)
    except ftplib.error_temp as error:
        return str(error)[:3]


ftp = ftplib.FTP(timeout=30)
ftp.connect(sys.argv[1], int(sys.argv[2]))
ftp.login()
assert " MODE Z" in ftp.sendcmd("FEAT").split("\n")
ftp.voidcmd("TYPE I")
ftp.voidcmd("MODE Z")
for level in range(10):
    name = f"level-{level}.txt"
    ftp.voidcmd(f"OPTS MODE Z LEVEL {level}")
    check("STOR", send(ftp, f"STOR {name}", zlib.compress(text, level))[:3], "226")
    content, wire_bytes = fetch(ftp, f"RETR {name}")
    check("RETR", content, text)
    check("deflated", (wire_bytes < len(text) // 4) == (level > 0), True)
check("REST", fetch(ftp, "RETR level-9.txt", 1_000_000)[0], text[1_000_000:])
check("empty", send(ftp, "STOR empty", zlib.compress(b""))[:3], "226")
check("empty", fetch(ftp, "RETR empty")[0], b"")
check("NLST", sorted(fetch(ftp, "NLST")[0].split()), sorted([b"empty"] + [b"level-%d.txt" % n for n in range(10)]))
check("LIST", fetch(ftp, "LIST")[0].count(b"\r\n"), 11)
check("MLSD", fetch(ftp, "MLSD")[0].count(b"type=file"), 11)
check("APPE", send(ftp, "APPE empty", zlib.compress(b"no longer"))[:3], "226")
check("APPE", fetch(ftp, "RETR empty")[0], b"no longer")
# A few bytes on the wire, 64 MiB in the file.
zeros = zlib.compress(bytes(64 << 20), 9)
check("zeros", send(ftp, "STOR zeros", zeros)[:3], "226")
check("zeros", ftp.size("zeros"), 64 << 20)
check("zeros", fetch(ftp, "RETR zeros")[0] == bytes(64 << 20), True)
# What is no whole stream is a broken upload, and only what is right so far can be resumed.
wire = zlib.compress(text, 6)
check("cut", refused(ftp, "STOR cut", wire[: len(wire) // 2]), "426")
kept = ftp.size("cut")
check("resumed", send(ftp, "STOR cut", zlib.compress(text[kept:]), kept)[:3], "226")
check("resumed", fetch(ftp, "RETR cut")[0], text)
for wire in (b"no stream at all", wire + b"more", wire[:-1] + bytes([wire[-1] ^ 1])):
    check("corrupt", refused(ftp, "STOR corrupt", wire), "426")
    check("nothing shows", b"corrupt" in fetch(ftp, "NLST")[0], False)
ftp.voidcmd("TYPE A")
check("TYPE A", send(ftp, "STOR ascii", zlib.compress(text.replace(b"\n", b"\r\n")))[:3], "226")
check("TYPE A", fetch(ftp, "RETR ascii")[0], text.replace(b"\n", b"\r\n"))
ftp.voidcmd("TYPE I")
check("TYPE A", fetch(ftp, "RETR ascii")[0], text)
ftp.voidcmd("MODE S")
stored = bytearray()
ftp.retrbinary("RETR ascii", stored.extend)
check("MODE S", bytes(stored), text)
ftp.quit()
print(checks)
