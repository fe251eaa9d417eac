"""Python's ftplib over TLS: HOST PORT passive|active AUTHORITY TLSv1_2|TLSv1_3 new|resumed.

`resumed` has each data connection go on with the control connection's TLS session, which ftplib itself does not.
Prints `ok WHAT` for each check that held, and fails at the first that did not.
"""

import ftplib
import io
import ssl
import sys


class Resuming(ftplib.FTP_TLS):
    """Data connections show the one session that the control connection has."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
            assert conn.session_reused
        return conn, size


def ok(what):
    print("ok", what, flush=True)


def main(host, port, mode, authority, version, sessions):
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    ftp = (Resuming if sessions == "resumed" else ftplib.FTP_TLS)(context=context, encoding="utf-8", timeout=30)
    ftp.connect(host, int(port))
    ftp.set_pasv(mode == "passive")
    try:
        ftp.sendcmd("USER anonymous")
        raise AssertionError("a name was taken in clear")
    except ftplib.error_perm as error:
        assert str(error).startswith("530 "), error
    ok("refused in clear")
    assert ftp.auth().startswith("234 ")
    assert ftp.sock.version() == version.replace("_", "."), ftp.sock.version()
    ok("auth")
    assert ftp.login(secure=False).startswith("230 ")
    ok("login")
    assert ftp.prot_p() == "200 PROT now Private."
    ok("prot_p")
    for number in range(10):
        # From nothing to more than any buffer on the way.
        data = bytes(range(256)) * (number**4)
        assert ftp.storbinary("STOR file", io.BytesIO(data)).startswith("226 ")
        pieces = []
        assert ftp.retrbinary("RETR file", pieces.append).startswith("226 ")
        assert b"".join(pieces) == data
    ok("storbinary and retrbinary, ten of each")
    for number in range(10):
        assert ftp.storbinary(f"STOR row-{number}", io.BytesIO(b"x" * number)).startswith("226 ")
    ok("ten uploads in a row")
    assert ftp.storlines("STOR lines", io.BytesIO(b"one\ntwo\n")).startswith("226 ")
    lines = []
    assert ftp.retrlines("RETR lines", lines.append).startswith("226 ")
    assert lines == ["one", "two"], lines
    ok("storlines and retrlines")
    expected = sorted(["file", "lines"] + [f"row-{number}" for number in range(10)])
    assert sorted(name for name, facts in ftp.mlsd() if facts["type"] == "file") == expected
    assert sorted(ftp.nlst()) == expected
    ftp.dir(lines.append)
    assert len(lines) == 2 + len(expected), lines
    ok("mlsd, nlst, dir")
    try:
        ftp.ccc()
        raise AssertionError("the connection fell back to clear")
    except ftplib.error_perm as error:
        assert str(error).startswith("533 "), error
    ok("ccc is refused")
    assert ftp.quit().startswith("221 ")
    ok("quit")


main(*sys.argv[1:])
