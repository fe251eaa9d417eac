"""Fetches all that a URL with a pattern names through libcurl: URL. Each file goes into the working directory.

Prints what libcurl read in the server's listing of each: `file SIZE TIME NAME`. The command line's curl has no such
option, so this calls the library itself.
"""

import ctypes
import sys

WILDCARDMATCH, FOLLOW_MODE = 197, 1
URL, WRITEFUNCTION, CHUNK_BGN, CHUNK_END, TIMEOUT = 10002, 20011, 20198, 20199, 13
OK, FAIL = 0, 1


class Strings(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("time", "perm", "user", "group", "target")]


class FileInfo(ctypes.Structure):
    """`struct curl_fileinfo` of curl.h, up to its strings."""

    _fields_ = [
        ("filename", ctypes.c_char_p),
        ("filetype", ctypes.c_int),
        ("time", ctypes.c_long),
        ("perm", ctypes.c_uint),
        ("uid", ctypes.c_int),
        ("gid", ctypes.c_int),
        ("size", ctypes.c_int64),
        ("hardlinks", ctypes.c_long),
        ("strings", Strings),
    ]


kinds = ["file", "directory"]
out = None


@ctypes.CFUNCTYPE(ctypes.c_long, ctypes.POINTER(FileInfo), ctypes.c_void_p, ctypes.c_int)
def begin(info, _pointer, _remaining):
    global out
    info = info.contents
    name = info.filename.decode()
    print(kinds[info.filetype], info.size, info.strings.time.decode(), name)
    out = open(name, "wb")
    return OK


@ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)
def end(_pointer):
    out.close()
    return OK


@ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
def write(data, size, count, _pointer):
    return out.write(ctypes.string_at(data, size * count))


def main(url):
    curl = ctypes.CDLL("libcurl.so.4")
    curl.curl_easy_init.restype = ctypes.c_void_p
    curl.curl_easy_strerror.restype = ctypes.c_char_p
    handle = ctypes.c_void_p(curl.curl_easy_init())
    curl.curl_easy_setopt(handle, URL, url.encode())
    curl.curl_easy_setopt(handle, WILDCARDMATCH, ctypes.c_long(FOLLOW_MODE))
    curl.curl_easy_setopt(handle, TIMEOUT, ctypes.c_long(60))
    for option, function in ((CHUNK_BGN, begin), (CHUNK_END, end), (WRITEFUNCTION, write)):
        assert curl.curl_easy_setopt(handle, option, function) == OK
    code = curl.curl_easy_perform(handle)
    if code != OK:
        sys.exit(curl.curl_easy_strerror(code).decode())


main(*sys.argv[1:])
