# Perl's Net::FTP, all of it: HOST PORT passive|active|ipv6 SOURCE TARGET.
# Prints `ok WHAT` for each check that held; the first that does not dies, and so fails the test that runs this.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Net::FTP;
use Time::Local qw(timegm);

my ($host, $port, $mode, $source, $target) = @ARGV;
my $path  = '/scans';
my $dated = 'small.bin';
my $date  = timegm(4, 5, 6, 7, 7, 2019);
my $large = 'large.bin';
my $lines = 'lines.txt';
my $scratch = tempdir(CLEANUP => 1);
my $ftp;
$| = 1;

enter();
bring();
carry_lines();
fetch();
add();
make_unique();
date();
look();
change();
interrupt();
be_refused();
$ftp->passive($mode eq 'active' ? 1 : 0);
same(fetched($dated), content("$source/$dated"));
ok('the other way of data connections');
is($ftp->quit);
same($ftp->message, "Goodbye.\n");
ok('quit');

sub enter {
    $ftp = Net::FTP->new($host, Port => $port, Passive => $mode ne 'active', Timeout => 30) or die "connect: $@";
    same($ftp->message, "Welcome to the FTP Server\n");
    ok('new');
    is($ftp->login('anonymous', 'guest@example.com'));
    ok('login');
    is($ftp->feature($_)) for 'SIZE', 'MDTM', 'REST', 'MLST', 'MFMT', 'UTF8', 'EPSV', 'EPRT';
    isnt($ftp->feature('NONSENSE'));
    ok('feature');
    is($ftp->supported('ALLO'));
    isnt($ftp->supported('NONSENSE'));
    ok('supported');
    same($ftp->mkdir($path), $path);
    isnt($ftp->mkdir($path));
    same($ftp->mkdir("$path/a/b/c", 1), "$path/a/b/c");
    ok('mkdir');
    is($ftp->cwd("$path/a"));
    same($ftp->pwd, "$path/a");
    is($ftp->cdup);
    same($ftp->pwd, $path);
    ok('cwd, cdup, pwd');
    is($ftp->rmdir('a', 1));
    isnt($ftp->cwd('a'));
    same($ftp->pwd, $path);
    ok('rmdir of a tree');
    same($ftp->site('EXPIRY', $path, '1h'), 2);
    same($ftp->site('EXPIRY', $path), 2);
    die $ftp->message if $ftp->code != 213 || $ftp->message !~ /^\d{14}$/;
    ok('site');
}

sub bring {
    is($ftp->binary);
    for my $name (names()) {
        same($ftp->put("$source/$name"), $name);
    }
    ok('put');
    same($ftp->size($_), -s "$source/$_") for names();
    isnt($ftp->size('nowhere'));
    ok('size');
    # It returns what was announced before.
    $ftp->alloc(9, 'R', 3);
    same($ftp->code, 200);
    open(my $nine, '<', \'123456789') or die $!;
    same($ftp->put($nine, 'nine'), 'nine');
    same(fetched('nine'), '123456789');
    is($ftp->delete('nine'));
    ok('alloc, put of a handle');
}

# TYPE A: lines end with CRLF on the wire and with LF on the disk.
sub carry_lines {
    my $text = content("$source/$lines");
    is($ftp->ascii);
    same($ftp->put("$source/$lines", 'as-lines.txt'), 'as-lines.txt');
    # RFC 3659 4: the bytes that RETR would send, in TYPE A one more for each line.
    same($ftp->size('as-lines.txt'), length($text) + ($text =~ tr/\n//));
    same($ftp->get('as-lines.txt', "$scratch/as-lines.txt"), "$scratch/as-lines.txt");
    same(content("$scratch/as-lines.txt"), $text);
    is($ftp->binary);
    same(fetched('as-lines.txt'), $text);
    same($ftp->size('as-lines.txt'), length $text);
    is($ftp->delete('as-lines.txt'));
    ok('ascii');
}

sub fetch {
    for my $name (names()) {
        same($ftp->get($name, "$target/$name"), "$target/$name");
        same(content("$target/$name"), content("$source/$name"));
    }
    ok('get');
    my $whole = content("$source/$large");
    for my $offset (1, 1 << 20, length($whole) - 1, length $whole) {
        same(fetched($large, $offset), substr($whole, $offset));
    }
    # A REST holds for one transfer alone.
    same(fetched($dated), content("$source/$dated"));
    ok('get from an offset');
    my $begun = "$scratch/begun";
    spill($begun, substr($whole, 0, 777_777));
    $ftp->restart(777_777);
    same($ftp->get($large, $begun), $begun);
    same(content($begun), $whole);
    ok('restart, get');
}

sub add {
    my ($whole, $cut) = (content("$source/$large"), 1_000_001);
    spill("$scratch/head", substr($whole, 0, $cut));
    spill("$scratch/tail", substr($whole, $cut));
    same($ftp->put("$scratch/head", 'parts'), 'parts');
    same($ftp->append("$scratch/tail", 'parts'), 'parts');
    same(fetched('parts'), $whole);
    ok('append');
    spill("$scratch/head", substr($whole, 0, $cut) . 'too much');
    same($ftp->put("$scratch/head", 'parts'), 'parts');
    $ftp->restart($cut);
    same($ftp->put("$scratch/tail", 'parts'), 'parts');
    same(fetched('parts'), $whole);
    is($ftp->delete('parts'));
    ok('restart, put');
}

# RFC 1123 4.1.2.9: the name stands in the 150 as "FILE: name", and in the 226 for whom it is easier.
sub make_unique {
    my %before = map { $_ => 1 } $ftp->ls;
    my @named = map { $ftp->put_unique("$source/$_") } $dated, $dated, $lines;
    my @made = sort grep { !$before{$_} } $ftp->ls;
    same(join(' ', @made), join(' ', sort @named));
    same(scalar @made, 3);
    same(fetched($named[0]), content("$source/$dated"));
    same(fetched($named[1]), content("$source/$dated"));
    same(fetched($named[2]), content("$source/$lines"));
    is($ftp->delete($_)) for @named;
    my $named = $ftp->put_unique("$source/$dated", 'wished');
    same(fetched($named), content("$source/$dated"));
    is($ftp->delete($named));
    ok('put_unique');
}

sub date {
    same($ftp->quot('MFMT', '20190807060504', $dated), 2);
    same($ftp->mdtm($dated), $date);
    isnt($ftp->mdtm('nowhere'));
    ok('mdtm');
}

sub look {
    my @names = names();
    same(join('|', $ftp->ls), join('|', @names));
    ok('ls');
    same(join('|', $ftp->ls('*.bin')), "$large|$dated");
    same(join('|', $ftp->ls('l[a-i]???.???')), "$large|$lines");
    ok('ls with a pattern');
    same(scalar(() = $ftp->ls('nowhere')), 0);
    same($ftp->code, 550);
    ok('ls of what is not there');
    for my $arguments ([], ['-la'], ['-l', $path]) {
        my %rows = map { ((split ' ', $_, 9)[8] => $_) } $ftp->dir(@$arguments);
        delete @rows{'.', '..'};
        same(join('|', sort keys %rows), join('|', @names));
        for my $name (@names) {
            my @row = split ' ', $rows{$name}, 9;
            same($row[4], -s "$source/$name");
            same(substr($row[0], 0, 1), '-');
        }
        same(join(' ', (split ' ', $rows{$dated}, 9)[5 .. 7]), 'Aug 7 2019');
        ok(join ' ', 'dir', map { $_ eq $path ? 'PATH' : $_ } @$arguments);
    }
    same(scalar(() = $ftp->dir('*.bin')), 2);
    ok('dir with a pattern');
}

sub change {
    same($ftp->put("$source/$dated", 'old name'), 'old name');
    is($ftp->rename('old name', 'new name'));
    isnt($ftp->rename('old name', 'other'));
    same(fetched('new name'), content("$source/$dated"));
    ok('rename');
    same($ftp->quot('SITE', 'CHMOD 640', 'new name'), 2);
    my @row = split ' ', ($ftp->dir('new name'))[0], 9;
    same($row[0], '-rw-r-----');
    ok('site CHMOD');
    is($ftp->delete('new name'));
    isnt($ftp->delete('new name'));
    ok('delete');
}

# ABOR behind Telnet's IP and DM, urgent, as Net::FTP sends it, while the server's data waits to be read.
sub interrupt {
    my $data = $ftp->retr($large) or die $ftp->message;
    is($data->read(my $buffer, 1));
    # It takes both replies: 426 and 226; or the 226 of a file that was under way as a whole, and that of ABOR.
    is($data->abort);
    same($ftp->code, 226);
    same(fetched($dated), content("$source/$dated"));
    ok('abort of a download');
    $data = $ftp->stor('endless') or die $ftp->message;
    same($data->write('x' x 100_000, 100_000), 100_000);
    is($data->abort);
    same($ftp->code, 226);
    # The end of the data may have been there before the ABOR: then it is whole, else there is nothing of it.
    same(length fetched('endless'), 100_000) if grep { $_ eq 'endless' } $ftp->ls;
    $ftp->delete('endless');
    same(join('|', $ftp->ls), join('|', names()));
    ok('abort of an upload');
}

sub be_refused {
    isnt($ftp->get('nowhere', "$scratch/nowhere"));
    same($ftp->code, 550);
    isnt($ftp->cwd('/nowhere'));
    same($ftp->code, 550);
    isnt($ftp->put("$source/$dated", 'nowhere/file'));
    same($ftp->code, 553);
    same($ftp->quot('WHAT'), 5);
    same($ftp->code, 500);
    same($ftp->quot('NOOP'), 2);
    ok('refused');
}

sub fetched {
    my ($name, $offset) = @_;
    my $into = '';
    open(my $handle, '>', \$into) or die $!;
    is($ftp->get($name, $handle, $offset));
    close $handle;
    return $into;
}

sub names {
    opendir(my $folder, $source) or die "$source: $!";
    return sort grep { !/^\./ } readdir $folder;
}

sub content {
    my ($file) = @_;
    open(my $handle, '<:raw', $file) or die "$file: $!";
    local $/;
    return scalar(<$handle>) // '';
}

sub spill {
    my ($file, $text) = @_;
    open(my $handle, '>:raw', $file) or die "$file: $!";
    print $handle $text;
    close $handle or die $!;
}

sub ok { print "ok $_[0]\n" }

sub is { $_[0] or die_there('no: ' . $ftp->message) }

sub isnt { $_[0] and die_there("yes: $_[0]") }

sub same {
    my ($got, $expected) = map { $_ // 'nothing' } @_;
    $got eq $expected or die_there(substr("got $got", 0, 200) . substr(", expected $expected", 0, 200) . '; ' . $ftp->message);
}

sub die_there {
    my @lines = map { (caller $_)[2] // () } 1 .. 3;
    die "lines @lines: @_";
}
