"""aioftp, all of it: HOST PORT passive|ipv6 SOURCE TARGET. It knows no active data connections.

Prints `ok WHAT` for each check that held; the first that does not raises, and so fails the test that runs this.
"""

import asyncio
import pathlib
import sys

import aioftp

PATH = pathlib.PurePosixPath("/scans")
DATED = "small.bin"
DATE = "20190807060504"
LARGE = "large.bin"


def ok(what):
    print("ok", what, flush=True)


def same(got, expected):
    assert got == expected, f"got {got!r:.200}, expected {expected!r:.200}"


async def refused(code, awaitable):
    try:
        await awaitable
    except aioftp.StatusCodeError as error:
        same(str(error.received_codes[-1]), code)
    else:
        raise AssertionError("it succeeded")


async def fetched(client, path, offset=0):
    async with client.download_stream(path, offset=offset) as stream:
        return await stream.read()


async def bring(client, source):
    # It asks with MLST what is there, and makes what is not.
    await client.upload(source, PATH.name, write_into=True)
    ok("upload of a folder")
    await client.command(f"SITE EXPIRY {PATH} 1h", "200")
    await client.command(f"MFMT {DATE} {PATH}/{DATED}", "213")
    await client.make_directory(PATH / "a/b/c")
    await client.make_directory(PATH / "a/b/c")
    same(await client.is_dir(PATH / "a/b"), True)
    ok("make_directory with its parents")
    await client.upload(source / DATED, PATH / "a/b")
    same(await fetched(client, PATH / "a/b" / DATED), (source / DATED).read_bytes())
    ok("upload of a file into a folder")
    await client.change_directory(PATH / "a/b/c")
    same(await client.get_current_directory(), PATH / "a/b/c")
    await client.change_directory()
    same(await client.get_current_directory(), PATH / "a/b")
    await client.change_directory("/")
    ok("change_directory")


async def look(client, source):
    names = sorted(path.name for path in source.iterdir())
    facts = {path: info async for path, info in client.list(PATH)}
    files = {path.name: int(info["size"]) for path, info in facts.items() if info["type"] == "file"}
    same(files, {path.name: path.stat().st_size for path in source.iterdir()})
    same(facts[PATH / DATED]["modify"], DATE)
    same(facts[PATH / "a"]["type"], "dir")
    ok("list by MLSD")
    lines = {path.name: info for path, info in await client.list(PATH, raw_command="LIST")}
    same(sorted(lines), sorted([*names, "a"]))
    for name, size in files.items():
        same((lines[name]["type"], int(lines[name]["size"])), ("file", size))
    same(lines[DATED]["modify"], "20190807000000")
    same(lines["a"]["type"], "dir")
    ok("list by LIST")
    tree = {path for path, _ in await client.list("/", recursive=True)}
    same({PATH, PATH / "a/b/c", PATH / "a/b" / DATED, *(PATH / name for name in names)} - tree, set())
    ok("list of a tree")
    await refused("550", client.list("/nowhere"))
    ok("list of what is not there")
    info = await client.stat(PATH / DATED)
    same((info["type"], int(info["size"]), info["modify"]), ("file", files[DATED], DATE))
    same([await client.exists(path) for path in (PATH, PATH / LARGE, "/nowhere")], [True, True, False])
    same([await client.is_file(PATH / LARGE), await client.is_file(PATH)], [True, False])
    ok("stat")


async def fetch(client, source, target):
    await client.download(PATH / "a", target / "tree", write_into=True)
    same((target / "tree/b" / DATED).read_bytes(), (source / DATED).read_bytes())
    (target / "tree/b" / DATED).unlink()
    for folder in "b/c", "b", "":
        (target / "tree" / folder).rmdir()
    ok("download of a tree")
    for path in source.iterdir():
        await client.download(PATH / path.name, target)
        same((target / path.name).read_bytes(), path.read_bytes())
    ok("download of files")
    large = (source / LARGE).read_bytes()
    for offset in 1, 1 << 20, len(large) - 1, len(large):
        same(await fetched(client, PATH / LARGE, offset), large[offset:])
    await refused("554", fetched(client, PATH / LARGE, len(large) + 1))
    ok("download_stream from an offset")


async def add(client, source):
    large, cut, parts = (source / LARGE).read_bytes(), 1_000_001, PATH / "parts"
    async with client.upload_stream(parts) as stream:
        await stream.write(large[: cut + 99])
    async with client.upload_stream(parts, offset=cut) as stream:
        await stream.write(large[cut:])
    same(await fetched(client, parts), large)
    ok("upload_stream from an offset")
    async with client.upload_stream(parts) as stream:
        await stream.write(large[:cut])
    async with client.append_stream(parts) as stream:
        await stream.write(large[cut:])
    same(await fetched(client, parts), large)
    ok("append_stream")


async def change(client):
    await client.rename(PATH / "parts", PATH / "a/whole file")
    same([await client.exists(PATH / "parts"), await client.is_file(PATH / "a/whole file")], [False, True])
    ok("rename")
    await refused("550", client.remove_directory(PATH / "a"))
    await client.remove_file(PATH / "a/whole file")
    await refused("550", client.remove_file(PATH / "a/whole file"))
    ok("remove_file")
    await client.remove(PATH / "a")
    same(await client.exists(PATH / "a"), False)
    ok("remove of a tree")


async def interrupt(client, source):
    stream = await client.download_stream(PATH / LARGE)
    await stream.read(1)
    await client.abort()
    # Where the file was under way as a whole, its 226 went before that of ABOR.
    await client.command("NOOP", "200", "226")
    stream.close()
    same(await fetched(client, PATH / DATED), (source / DATED).read_bytes())
    ok("abort of a download")
    stream = await client.upload_stream(PATH / "broken")
    await stream.write(b"x" * 100_000)
    await client.abort()
    stream.close()
    same(await client.exists(PATH / "broken"), False)
    async with client.upload_stream(PATH / "broken") as stream:
        await stream.write(b"whole")
    same(await fetched(client, PATH / "broken"), b"whole")
    await client.remove_file(PATH / "broken")
    ok("abort of an upload")


async def at_once(host, port, source):
    """Four sessions beside each other."""

    async def one(path):
        async with aioftp.Client.context(host, port) as client:
            same(await fetched(client, PATH / path.name), path.read_bytes())

    await asyncio.gather(*(one(source / name) for name in (LARGE, LARGE, DATED, "empty")))
    ok("sessions beside each other")


async def main(host, port, mode, source, target):
    source, target, port = pathlib.Path(source), pathlib.Path(target), int(port)
    client = aioftp.Client(socket_timeout=30, path_timeout=30)
    same(await client.connect(host, port), [" Welcome to the FTP Server"])
    await client.login()
    ok("login")
    await bring(client, source)
    await look(client, source)
    await fetch(client, source, target)
    await add(client, source)
    await change(client)
    await interrupt(client, source)
    await at_once(host, port, source)
    only = "epsv" if mode == "ipv6" else "pasv"
    async with aioftp.Client.context(host, port, passive_commands=(only,), socket_timeout=30) as other:
        same(await fetched(other, PATH / DATED), (source / DATED).read_bytes())
    ok("one passive command alone")
    async with aioftp.Client.context(host, port, read_speed_limit=1 << 20, socket_timeout=30) as slow:
        same(await fetched(slow, PATH / DATED), (source / DATED).read_bytes())
    ok("read_speed_limit")
    await client.quit()
    ok("quit")


host, port, mode, source, target = sys.argv[1:]
asyncio.run(main(host, port, mode, source, target))
