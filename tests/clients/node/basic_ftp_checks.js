// Node's basic-ftp, all of it: HOST PORT passive|ipv6 SOURCE TARGET. It knows no active data connections.
// Prints `ok WHAT` for each check that held; the first that does not throws, and so fails the test that runs this.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable, Writable } = require('node:stream');
const ftp = require('basic-ftp');

const [host, port, mode, source, target] = process.argv.slice(2);
const PATH = '/scans';
const DATED = 'small.bin';
const DATE = new Date('2019-08-07T06:05:04Z');
const LARGE = 'large.bin';
const names = fs.readdirSync(source).sort();
const client = new ftp.Client(30_000);

const ok = (what) => console.log(`ok ${what}`);
const content = (name) => fs.readFileSync(path.join(source, name));
const same = (got, expected) => assert.ok(got.equals(expected), `${got.length} and ${expected.length} bytes differ`);
const refused = (code, promise) => assert.rejects(promise, (error) => error.code === code);

async function fetched(name, startAt = 0, by = client) {
  const chunks = [];
  const into = new Writable({ write: (chunk, _, done) => { chunks.push(chunk); done(); } });
  await by.downloadTo(into, name, startAt);
  return Buffer.concat(chunks);
}

async function enter() {
  const welcome = await client.access({ host, port: Number(port) });
  assert.equal(welcome.message, '220 Welcome to the FTP Server');
  ok('access');
  const features = await client.features();
  for (const feature of ['SIZE', 'MDTM', 'MLST', 'MFMT', 'EPSV', 'UTF8', 'REST']) {
    assert.ok(features.has(feature), feature);
  }
  assert.equal(features.get('REST'), 'STREAM');
  ok('features');
  await client.ensureDir(`${PATH}/a/b`);
  assert.equal(await client.pwd(), `${PATH}/a/b`);
  await client.cdup();
  assert.equal(await client.pwd(), `${PATH}/a`);
  await client.cd('/');
  await client.removeEmptyDir(`${PATH}/a/b`);
  await client.removeEmptyDir(`${PATH}/a`);
  await refused(550, client.cd(`${PATH}/a`));
  ok('ensureDir, cdup, removeEmptyDir');
  assert.equal((await client.send(`SITE EXPIRY ${PATH} 1h`)).code, 200);
  ok('send');
}

async function bring() {
  const seen = {};
  client.trackProgress((info) => { if (info.type === 'upload') seen[info.name] = info.bytes; });
  await client.uploadFromDir(source, PATH.slice(1));
  client.trackProgress();
  assert.deepEqual(seen[LARGE], content(LARGE).length);
  ok('uploadFromDir');
  await client.send(`MFMT 20190807060504 ${PATH}/${DATED}`);
  await client.cd(PATH);
  for (const name of names) assert.equal(await client.size(name), content(name).length);
  await refused(550, client.size('nowhere'));
  ok('size');
  assert.deepEqual(await client.lastMod(DATED), DATE);
  await refused(550, client.lastMod('nowhere'));
  ok('lastMod');
}

function looksRight(list) {
  assert.deepEqual(list.map((entry) => entry.name).sort(), names);
  for (const entry of list) {
    assert.ok(entry.isFile);
    assert.equal(entry.size, content(entry.name).length);
  }
  return list.find((entry) => entry.name === DATED);
}

async function look() {
  for (const where of ['', PATH, '.']) assert.deepEqual(looksRight(await client.list(where)).modifiedAt, DATE);
  assert.deepEqual(client.availableListCommands, ['MLSD']);
  ok('list by MLSD');
  client.availableListCommands = ['LIST -a'];
  const unix = (await client.list()).filter((entry) => !['.', '..'].includes(entry.name));
  const dated = looksRight(unix);
  assert.equal(dated.rawModifiedAt, 'Aug  7 2019');
  assert.equal(dated.permissions.user & ftp.FileInfo.UnixPermission.Read, ftp.FileInfo.UnixPermission.Read);
  ok('list by LIST -a');
  client.availableListCommands = ['MLSD', 'LIST -a', 'LIST'];
  await refused(550, client.list('/nowhere'));
  ok('list of what is not there');
}

async function fetch() {
  await client.downloadToDir(target, PATH);
  for (const name of names) same(fs.readFileSync(path.join(target, name)), content(name));
  ok('downloadToDir');
  const large = content(LARGE);
  for (const offset of [1, 1 << 20, large.length - 1, large.length]) {
    same(await fetched(LARGE, offset), large.subarray(offset));
  }
  await refused(554, fetched(LARGE, large.length + 1));
  // A file that is there in part is gone on with in its place.
  fs.truncateSync(path.join(target, LARGE), 777_777);
  await client.downloadTo(path.join(target, LARGE), LARGE, 777_777);
  same(fs.readFileSync(path.join(target, LARGE)), large);
  ok('downloadTo with startAt');
}

async function add() {
  const large = content(LARGE);
  const cut = 1_000_001;
  await client.uploadFrom(path.join(source, LARGE), 'parts', { localEndInclusive: cut - 1 });
  assert.equal(await client.size('parts'), cut);
  await client.appendFrom(path.join(source, LARGE), 'parts', { localStart: cut });
  same(await fetched('parts'), large);
  ok('uploadFrom a range, appendFrom');
  await client.uploadFrom(Readable.from([large.subarray(0, cut), large.subarray(cut)]), ' name with blanks ');
  same(await fetched(' name with blanks '), large);
  await client.remove(' name with blanks ');
  ok('uploadFrom a stream');
}

async function change() {
  await client.rename('parts', 'whole file');
  await refused(550, client.rename('parts', 'other'));
  assert.equal(await client.size('whole file'), content(LARGE).length);
  ok('rename');
  await client.remove('whole file');
  await refused(550, client.remove('whole file'));
  assert.equal((await client.remove('whole file', true)).code, 550);
  ok('remove');
  const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'tree-'));
  fs.mkdirSync(path.join(tree, 'up/a/b'), { recursive: true });
  fs.mkdirSync(path.join(tree, 'up/leer'));
  fs.writeFileSync(path.join(tree, 'up/a/b/file'), 'deep');
  fs.writeFileSync(path.join(tree, 'up/a/ü'), 'less deep');
  await client.uploadFromDir(path.join(tree, 'up'), 'tree');
  assert.equal(await client.pwd(), PATH);
  await client.downloadToDir(path.join(tree, 'down'), 'tree');
  assert.equal(fs.readFileSync(path.join(tree, 'down/a/b/file'), 'utf8'), 'deep');
  assert.equal(fs.readFileSync(path.join(tree, 'down/a/ü'), 'utf8'), 'less deep');
  assert.deepEqual(fs.readdirSync(path.join(tree, 'down')).sort(), ['a', 'leer']);
  fs.rmSync(tree, { recursive: true });
  ok('trees both ways');
  await client.cd('tree/a');
  await client.clearWorkingDir();
  assert.deepEqual(await client.list(), []);
  await client.cd(PATH);
  await client.removeDir('tree');
  looksRight(await client.list());
  ok('clearWorkingDir, removeDir');
}

async function others() {
  // EPSV is what it asks for first, also over IPv4.
  if (mode !== 'ipv6') client.prepareTransfer = ftp.enterPassiveModeIPv4;
  same(await fetched(DATED), content(DATED));
  ok('the passive mode of its network alone');
  const clients = [LARGE, LARGE, DATED].map(async (name) => {
    const other = new ftp.Client(30_000);
    await other.access({ host, port: Number(port) });
    same(await fetched(`${PATH}/${name}`, 0, other), content(name));
    other.close();
  });
  await Promise.all(clients);
  ok('sessions beside each other');
  await refused(550, fetched('nowhere'));
  await refused(550, client.cd('/nowhere'));
  await refused(553, client.uploadFrom(Readable.from(['x']), 'nowhere/file'));
  await refused(500, client.send('WHAT IS IT'));
  assert.equal((await client.sendIgnoringError('WHAT')).code, 500);
  assert.equal((await client.send('NOOP')).code, 200);
  ok('refused');
}

async function main() {
  await enter();
  await bring();
  await look();
  await fetch();
  await add();
  await change();
  await others();
  client.close();
  assert.ok(client.closed);
  ok('close');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
