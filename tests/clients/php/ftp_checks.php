<?php
// PHP's ftp extension and its ftp:// streams: HOST PORT passive|active|ipv6 SOURCE TARGET.
// Prints `ok WHAT` for each check that held; the first that does not throws, and so fails the test that runs this.
declare(strict_types=1);

// A warning is how PHP tells of a refusal: each must be one that was expected.
set_error_handler(function (int $level, string $text): never {
    throw new ErrorException($text, $level);
});

[, $host, $port, $mode, $source, $target] = $argv;
const PATH = '/scans';
const DATED = 'small.bin';
const DATE = '20190807060504';
const LARGE = 'large.bin';
const LINES = 'lines.txt';
$names = array_values(array_diff(scandir($source), ['.', '..']));
$scratch = "$target.scratch";
mkdir($scratch);

function ok(string $what): void
{
    echo "ok $what\n";
}

function same(mixed $got, mixed $expected): void
{
    if ($got !== $expected) {
        $show = fn ($value) => substr(var_export($value, true), 0, 300);
        throw new Exception('got ' . $show($got) . ', expected ' . $show($expected));
    }
}

/** The call warns with this, and the session lives. */
function refused(string $part, callable $call): void
{
    global $ftp;
    try {
        $got = $call();
    } catch (ErrorException $warning) {
        same([$warning->getMessage(), str_contains($warning->getMessage(), $part)], [$warning->getMessage(), true]);
        $got = false;
    }
    same($got, false);
    same(ftp_raw($ftp, 'NOOP'), ['200 NOOP ok.']);
}

function content(string $name): string
{
    global $source;
    return file_get_contents("$source/$name");
}

function fetched(string $name, int $offset = 0, int $type = FTP_BINARY): string
{
    global $ftp;
    $into = fopen('php://temp', 'w+');
    // From an offset on, it would seek there in what it writes into.
    ftp_set_option($ftp, FTP_AUTOSEEK, false);
    same(ftp_fget($ftp, $into, $name, $type, $offset), true);
    ftp_set_option($ftp, FTP_AUTOSEEK, true);
    return stream_get_contents($into, null, 0);
}

function enter(): void
{
    global $ftp, $host, $port, $mode;
    $ftp = ftp_connect($host, (int) $port, 30);
    same(ftp_login($ftp, 'anonymous', 'guest@example.com'), true);
    ok('ftp_login');
    same(ftp_systype($ftp), 'UNIX');
    ok('ftp_systype');
    same(ftp_set_option($ftp, FTP_TIMEOUT_SEC, 20), true);
    same(ftp_get_option($ftp, FTP_TIMEOUT_SEC), 20);
    ok('ftp_set_option');
    same(ftp_pasv($ftp, $mode !== 'active'), true);
    ok('ftp_pasv');
    same(ftp_mkdir($ftp, PATH), PATH);
    refused('Create directory operation failed', fn () => ftp_mkdir($ftp, PATH));
    ok('ftp_mkdir');
    same(ftp_chdir($ftp, PATH), true);
    same(ftp_pwd($ftp), PATH);
    same(ftp_cdup($ftp), true);
    same(ftp_pwd($ftp), '/');
    same(ftp_chdir($ftp, PATH), true);
    ok('ftp_chdir, ftp_cdup, ftp_pwd');
    same(ftp_site($ftp, 'EXPIRY ' . PATH . ' 1h'), true);
    same(preg_match('/^213 \d{14}$/', ftp_raw($ftp, 'SITE EXPIRY ' . PATH)[0]), 1);
    ok('ftp_site, ftp_raw');
}

function bring(): void
{
    global $ftp, $source, $names;
    foreach ($names as $name) {
        same(ftp_put($ftp, $name, "$source/$name", FTP_BINARY), true);
    }
    ok('ftp_put');
    foreach ($names as $name) {
        same(ftp_size($ftp, $name), strlen(content($name)));
    }
    same(ftp_size($ftp, 'nowhere'), -1);
    ok('ftp_size');
    same(ftp_alloc($ftp, 5, $reply), true);
    $from = fopen('php://temp', 'w+');
    fwrite($from, 'lines');
    rewind($from);
    same(ftp_fput($ftp, 'five', $from, FTP_BINARY), true);
    same(fetched('five'), 'lines');
    same(ftp_delete($ftp, 'five'), true);
    ok('ftp_alloc, ftp_fput');
}

/** TYPE A: lines end with CRLF on the wire and with LF on the disk. */
function carry_lines(): void
{
    global $ftp, $source;
    same(ftp_put($ftp, 'as-lines.txt', "$source/" . LINES, FTP_ASCII), true);
    same(fetched('as-lines.txt'), content(LINES));
    same(fetched('as-lines.txt', 0, FTP_ASCII), content(LINES));
    same(ftp_delete($ftp, 'as-lines.txt'), true);
    ok('FTP_ASCII');
}

function fetch(): void
{
    global $ftp, $target, $names, $scratch;
    foreach ($names as $name) {
        same(ftp_get($ftp, "$target/$name", $name, FTP_BINARY), true);
        same(file_get_contents("$target/$name"), content($name));
    }
    ok('ftp_get');
    $large = content(LARGE);
    foreach ([1, 1 << 20, strlen($large) - 1, strlen($large)] as $offset) {
        same(fetched(LARGE, $offset), substr($large, $offset));
    }
    same(fetched(DATED), content(DATED));
    ok('ftp_fget from an offset');
    file_put_contents("$scratch/begun", substr($large, 0, 777_777));
    same(ftp_get($ftp, "$scratch/begun", LARGE, FTP_BINARY, FTP_AUTORESUME), true);
    same(file_get_contents("$scratch/begun"), $large);
    ok('ftp_get, resumed by itself');
}

function add(): void
{
    global $ftp, $source, $scratch;
    $large = content(LARGE);
    $cut = 1_000_001;
    file_put_contents("$scratch/head", substr($large, 0, $cut));
    file_put_contents("$scratch/tail", substr($large, $cut));
    same(ftp_put($ftp, 'parts', "$scratch/head", FTP_BINARY), true);
    same(ftp_append($ftp, 'parts', "$scratch/tail", FTP_BINARY), true);
    same(fetched('parts'), $large);
    ok('ftp_append');
    same(ftp_put($ftp, 'parts', "$scratch/head", FTP_BINARY), true);
    same(ftp_put($ftp, 'parts', "$source/" . LARGE, FTP_BINARY, FTP_AUTORESUME), true);
    same(fetched('parts'), $large);
    ok('ftp_put, resumed by itself');
    file_put_contents("$scratch/head", substr($large, 0, $cut) . 'too much');
    same(ftp_put($ftp, 'parts', "$scratch/head", FTP_BINARY), true);
    same(ftp_put($ftp, 'parts', "$source/" . LARGE, FTP_BINARY, $cut), true);
    same(fetched('parts'), $large);
    same(ftp_delete($ftp, 'parts'), true);
    ok('ftp_put from an offset');
}

function piece_by_piece(): void
{
    global $ftp, $source, $scratch;
    $through = function (int $state) use ($ftp): int {
        $pieces = 1;
        for (; $state === FTP_MOREDATA; $pieces++) {
            $state = ftp_nb_continue($ftp);
        }
        same($state, FTP_FINISHED);
        return $pieces;
    };
    same($through(ftp_nb_put($ftp, 'slow', "$source/" . LARGE, FTP_BINARY)) > 10, true);
    ok('ftp_nb_put');
    same($through(ftp_nb_get($ftp, "$scratch/slow", 'slow', FTP_BINARY)) > 10, true);
    same(file_get_contents("$scratch/slow"), content(LARGE));
    ok('ftp_nb_get');
    // PHP itself does not hold on to the handle.
    $from = fopen("$source/" . LINES, 'r');
    same($through(ftp_nb_fput($ftp, 'slow', $from, FTP_BINARY)) > 0, true);
    $into = fopen('php://temp', 'w+');
    same($through(ftp_nb_fget($ftp, $into, 'slow', FTP_BINARY)) > 0, true);
    same(stream_get_contents($into, null, 0), content(LINES));
    same(ftp_delete($ftp, 'slow'), true);
    ok('ftp_nb_fput, ftp_nb_fget');
}

function date_it(): void
{
    global $ftp;
    same(ftp_raw($ftp, 'MFMT ' . DATE . ' ' . DATED)[0], '213 Modify=' . DATE . '; ' . PATH . '/' . DATED);
    same(ftp_mdtm($ftp, DATED), gmmktime(6, 5, 4, 8, 7, 2019));
    same(ftp_mdtm($ftp, 'nowhere'), -1);
    ok('ftp_mdtm');
}

function look(): void
{
    global $ftp, $names;
    foreach (['', '.', PATH] as $where) {
        same(array_map(basename(...), ftp_nlist($ftp, $where)), $names);
    }
    ok('ftp_nlist');
    same(ftp_nlist($ftp, '*.bin'), [LARGE, DATED]);
    same(ftp_nlist($ftp, 'l[a-i]???.???'), [LARGE, LINES]);
    ok('ftp_nlist with a pattern');
    same(ftp_nlist($ftp, 'nowhere'), false);
    ok('ftp_nlist of what is not there');
    foreach (['.', '-la', PATH, '-a ' . PATH] as $arguments) {
        $rows = [];
        foreach (ftp_rawlist($ftp, $arguments) as $line) {
            $row = preg_split('/ +/', $line, 9);
            $rows[$row[8]] = $row;
        }
        unset($rows['.'], $rows['..']);
        same(array_keys($rows), $names);
        foreach ($names as $name) {
            same([$rows[$name][0][0], (int) $rows[$name][4]], ['-', strlen(content($name))]);
        }
        same(array_slice($rows[DATED], 5, 3), ['Aug', '7', '2019']);
    }
    ok('ftp_rawlist');
    ftp_mkdir($ftp, 'a');
    ftp_mkdir($ftp, 'a/b');
    $lines = ftp_rawlist($ftp, '.', true);
    same(count(preg_grep('/^(\.\/)?a(\/b)?:$/', $lines)), 2);
    ftp_rmdir($ftp, 'a/b');
    ftp_rmdir($ftp, 'a');
    ok('ftp_rawlist of a tree');
    $facts = array_column(ftp_mlsd($ftp, '.'), null, 'name');
    $facts = array_filter($facts, fn ($entry) => !in_array($entry['type'], ['cdir', 'pdir']));
    same(array_keys($facts), $names);
    foreach ($names as $name) {
        same([$facts[$name]['type'], (int) $facts[$name]['size']], ['file', strlen(content($name))]);
    }
    same($facts[DATED]['modify'], DATE);
    same(ftp_mlsd($ftp, 'nowhere'), false);
    ok('ftp_mlsd');
}

function change(): void
{
    global $ftp, $source, $scratch;
    ftp_put($ftp, 'old name', "$source/" . DATED);
    same(ftp_rename($ftp, 'old name', 'new name'), true);
    refused('RNFR command failed', fn () => ftp_rename($ftp, 'old name', 'other'));
    same(fetched('new name'), content(DATED));
    ok('ftp_rename');
    same(ftp_chmod($ftp, 0640, 'new name'), 0640);
    same(substr(ftp_rawlist($ftp, 'new name')[0], 0, 10), '-rw-r-----');
    ok('ftp_chmod');
    same(ftp_delete($ftp, 'new name'), true);
    refused('Delete operation failed', fn () => ftp_delete($ftp, 'new name'));
    ok('ftp_delete');
    ftp_mkdir($ftp, 'inner');
    ftp_put($ftp, 'inner/file', "$source/" . DATED);
    refused('Directory not empty', fn () => ftp_rmdir($ftp, 'inner'));
    ftp_delete($ftp, 'inner/file');
    same(ftp_rmdir($ftp, 'inner'), true);
    refused('Invalid storage path', fn () => ftp_chdir($ftp, 'inner'));
    ok('ftp_rmdir');
    // PHP removes the local file of a download that fails.
    refused('Failed to open file', fn () => ftp_get($ftp, "$scratch/nowhere", 'nowhere'));
    refused('Invalid storage path', fn () => ftp_put($ftp, 'nowhere/file', "$source/" . DATED));
    refused('SITE', fn () => ftp_exec($ftp, 'ls'));
    same(ftp_raw($ftp, 'WHAT')[0][0], '5');
    ok('refused');
}

/** PHP's ftp:// streams, which look at EPSV first and read FEAT not at all. */
function as_streams(): void
{
    global $host, $port, $names;
    $server = 'ftp://' . (str_contains($host, ':') ? "[$host]" : $host) . ":$port";
    $base = $server . PATH;
    same(file_get_contents("$base/" . LARGE), content(LARGE));
    same(file_get_contents("$base/" . $names[0]), content($names[0]));
    $tail = stream_context_create(['ftp' => ['resume_pos' => 1_000_001]]);
    same(file_get_contents("$base/" . LARGE, false, $tail), substr(content(LARGE), 1_000_001));
    ok('reading of ftp://');
    same(file_put_contents("$base/stream", 'one'), 3);
    same(file_put_contents("$base/stream", ' and two', FILE_APPEND), 8);
    same(file_get_contents("$base/stream"), 'one and two');
    refused('already exists', fn () => file_put_contents("$base/stream", 'three'));
    $over = stream_context_create(['ftp' => ['overwrite' => true]]);
    same(file_put_contents("$base/stream", 'three', 0, $over), 5);
    ok('writing of ftp://');
    same([is_file("$base/stream"), is_dir($base), file_exists("$base/nowhere")], [true, true, false]);
    same([filesize("$base/" . LARGE), filemtime("$base/" . DATED)], [strlen(content(LARGE)), gmmktime(6, 5, 4, 8, 7, 2019)]);
    same(rename("$base/stream", "$base/moved"), true);
    same(array_map(basename(...), scandir($base)), ['Grüße aus Köln – 日本.txt', 'empty', LARGE, LINES, 'moved', DATED]);
    same(unlink("$base/moved"), true);
    same(mkdir("$base/deep/er", 0777, true), true);
    same([rmdir("$base/deep/er"), rmdir("$base/deep")], [true, true]);
    ok('ftp:// as a file system');
}

enter();
bring();
carry_lines();
fetch();
add();
piece_by_piece();
date_it();
look();
change();
ftp_pasv($ftp, $mode === 'active');
same(fetched(DATED), content(DATED));
ok('the other way of data connections');
as_streams();
same(ftp_close($ftp), true);
ok('ftp_close');
array_map(unlink(...), glob("$scratch/*"));
rmdir($scratch);
