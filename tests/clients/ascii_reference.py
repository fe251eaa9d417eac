"""What TYPE A makes of bytes, said by Python alone (RFC 959 3.1.1.1).

Reads lines `out <hex>` and `in <hex>`; answers each with the hex of what goes over the wire for that file, or of the
file that comes of that wire. Out: every LF gets a CR before it, unless it has one. In: every CRLF becomes LF.
"""

import sys


def out(disk: bytes) -> bytes:
    return disk.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def come(wire: bytes) -> bytes:
    return wire.replace(b"\r\n", b"\n")


for line in sys.stdin:
    way, _, digits = line.rstrip("\n").partition(" ")
    print({"out": out, "in": come}[way](bytes.fromhex(digits)).hex())
