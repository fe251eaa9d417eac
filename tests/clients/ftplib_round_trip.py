"""Uploads, lists and downloads through Python's ftplib: HOST PORT passive|active SOURCE TARGET.

Prints the names that the server lists, one a line. Any refusal raises, and so fails the test that runs this.
"""

import ftplib
import os
import sys

PATH = "scans"


def main(host, port, mode, source, target):
    ftp = ftplib.FTP(encoding="utf-8", timeout=30)
    ftp.connect(host, int(port))
    ftp.login()
    ftp.set_pasv(mode == "passive")
    assert ftp.mkd(PATH) == "/" + PATH
    assert ftp.sendcmd(f"SITE EXPIRY {PATH} 1h").startswith("200 ")
    assert len(ftp.sendcmd(f"SITE EXPIRY {PATH}")) == len("213 20261225000000")
    ftp.cwd(PATH)
    for name in os.listdir(source):
        with open(os.path.join(source, name), "rb") as file:
            assert ftp.storbinary(f"STOR {name}", file).startswith("226 ")
        assert ftp.size(name) == os.path.getsize(os.path.join(source, name))
    names = ftp.nlst()
    facts = {name: fact for name, fact in ftp.mlsd() if fact["type"] not in ("cdir", "pdir")}
    assert sorted(facts) == sorted(names), (facts, names)
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert len(lines) == len(names)
    for name in names:
        assert int(facts[name]["size"]) == os.path.getsize(os.path.join(source, name))
        with open(os.path.join(target, name), "wb") as file:
            assert ftp.retrbinary(f"RETR {name}", file.write).startswith("226 ")
        print(name)
    try:
        ftp.cwd("/nowhere")
        raise AssertionError("CWD to what is not there succeeded")
    except ftplib.error_perm as error:
        assert str(error).endswith("550 Invalid storage path."), error
    assert ftp.quit() == "221 Goodbye."


main(*sys.argv[1:])
