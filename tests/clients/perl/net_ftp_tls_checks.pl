# Net::FTP over TLS: HOST PORT passive|active AUTHORITY TLSv1_2|TLSv1_3 explicit|implicit.
#
# Prints `ok WHAT` for each check that held, and dies at the first that did not.

use strict;
use warnings;
use Net::FTP;
use IO::Socket::SSL;

$| = 1;
my ($host, $port, $mode, $authority, $version, $how) = @ARGV;

my $ftp = Net::FTP->new(
    $host, Port => $port, Passive => $mode eq 'passive', Timeout => 30, SSL => $how eq 'implicit',
    SSL_ca_file => $authority, SSL_version => $version,
) or die "new: $@ $IO::Socket::SSL::SSL_ERROR";
if ($how eq 'explicit') {
    $ftp->starttls or die 'starttls: ', $ftp->message;
}
$ftp->login('anonymous', 'me@example.org') or die 'login: ', $ftp->message;
$ftp->binary;
print "ok login\n";

for my $number (0 .. 9) {
    # From nothing to more than any buffer on the way.
    my $data = join('', map { chr } 0 .. 255) x $number**4;
    open(my $from, '<', \$data) or die $!;
    $ftp->put($from, "file-$number") or die "put $number: ", $ftp->message;
    open(my $to, '>', \my $back) or die $!;
    $ftp->get("file-$number", $to) or die "get $number: ", $ftp->message;
    ($back // '') eq $data or die "file-$number is not what it was";
}
print "ok ten of each\n";

my @names = sort $ftp->ls;
"@names" eq join(' ', map { "file-$_" } 0 .. 9) or die "ls: @names";
my @lines = $ftp->dir;
@lines == 10 or die "dir: @lines";
print "ok ls and dir\n";

$ftp->quit or die 'quit: ', $ftp->message;
print "ok quit\n";
