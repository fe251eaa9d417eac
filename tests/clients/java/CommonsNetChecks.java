// Java's commons-net, all of it: HOST PORT passive|active|ipv6 SOURCE TARGET.
// Prints `ok WHAT` for each check that held; the first that does not throws, and so fails the test that runs this.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPClient;
import org.apache.commons.net.ftp.FTPClientConfig;
import org.apache.commons.net.ftp.FTPCmd;
import org.apache.commons.net.ftp.FTPFile;
import org.apache.commons.net.ftp.FTPListParseEngine;
import org.apache.commons.net.ftp.FTPReply;

public final class CommonsNetChecks {
    private static final String PATH = "/scans";
    private static final String DATED = "small.bin";
    private static final String DATE = "20190807060504";
    private static final String LARGE = "large.bin";
    private static final String LINES = "lines.txt";
    private static final int CUT = 1_000_001;

    private final FTPClient ftp = new FTPClient();
    private final Path source;
    private final Path target;
    private final boolean active;
    private final List<String> names;

    private CommonsNetChecks(Path source, Path target, boolean active) throws IOException {
        this.source = source;
        this.target = target;
        this.active = active;
        try (Stream<Path> files = Files.list(source)) {
            names = files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.toList());
        }
    }

    public static void main(String[] arguments) throws IOException {
        var checks = new CommonsNetChecks(Path.of(arguments[3]), Path.of(arguments[4]), arguments[2].equals("active"));
        checks.enter(arguments[0], Integer.parseInt(arguments[1]));
        checks.bring();
        checks.carryLines();
        checks.fetch();
        checks.add();
        checks.storeUnique();
        checks.date();
        checks.lookByList();
        checks.lookByMlsd();
        checks.ask();
        checks.change();
        checks.interrupt();
        checks.others();
        checks.leave();
    }

    private void enter(String host, int port) throws IOException {
        ftp.setControlEncoding(StandardCharsets.UTF_8.name());
        ftp.setDefaultTimeout(30_000);
        ftp.setDataTimeout(Duration.ofSeconds(30));
        var config = new FTPClientConfig(FTPClientConfig.SYST_UNIX);
        config.setServerTimeZoneId("UTC");
        ftp.configure(config);
        ftp.connect(host, port);
        same(ftp.getReplyString(), "220 Welcome to the FTP Server\r\n");
        ok("connect");
        is(ftp.login("anonymous", "guest@example.com"));
        ok("login");
        if (active) {
            ftp.enterLocalActiveMode();
        } else {
            ftp.enterLocalPassiveMode();
        }
        is(ftp.setFileType(FTP.BINARY_FILE_TYPE));
        is(ftp.setFileStructure(FTP.FILE_STRUCTURE));
        is(ftp.setFileTransferMode(FTP.STREAM_TRANSFER_MODE));
        refused(504, ftp.setFileTransferMode(FTP.BLOCK_TRANSFER_MODE));
        ok("setFileType, setFileStructure, setFileTransferMode");
        is(ftp.features());
        for (String feature : new String[] {"SIZE", "MDTM", "MFMT", "MLST", "EPSV", "EPRT", "UTF8"}) {
            is(ftp.hasFeature(feature));
        }
        is(ftp.hasFeature(FTPCmd.MLST));
        same(ftp.featureValue("REST"), "STREAM");
        ok("features");
        is(ftp.makeDirectory(PATH));
        refused(550, ftp.makeDirectory(PATH));
        is(ftp.changeWorkingDirectory(PATH));
        same(ftp.printWorkingDirectory(), PATH);
        is(ftp.makeDirectory("inner"));
        is(ftp.changeWorkingDirectory("inner"));
        is(ftp.changeToParentDirectory());
        same(ftp.printWorkingDirectory(), PATH);
        is(ftp.removeDirectory("inner"));
        refused(550, ftp.changeWorkingDirectory("inner"));
        ok("makeDirectory, changeWorkingDirectory, changeToParentDirectory, removeDirectory");
        is(ftp.sendSiteCommand("EXPIRY " + PATH + " 1h"));
        ok("sendSiteCommand");
    }

    private void bring() throws IOException {
        for (String name : names) {
            try (InputStream from = Files.newInputStream(source.resolve(name))) {
                is(ftp.storeFile(name, from));
            }
        }
        ok("storeFile");
        for (String name : names) {
            same(ftp.getSize(name), String.valueOf(content(name).length));
        }
        same(ftp.getSize("nowhere"), null);
        ok("getSize");
        is(ftp.allocate(content(DATED).length, 128));
        try (OutputStream into = ftp.storeFileStream("by stream")) {
            into.write(content(DATED));
        }
        is(ftp.completePendingCommand());
        same(fetched("by stream", 0), content(DATED));
        is(ftp.deleteFile("by stream"));
        ok("allocate, storeFileStream");
    }

    /** TYPE A: lines end with CRLF on the wire and with LF on the disk. */
    private void carryLines() throws IOException {
        is(ftp.setFileType(FTP.ASCII_FILE_TYPE, FTP.NON_PRINT_TEXT_FORMAT));
        is(ftp.storeFile("as-lines.txt", new ByteArrayInputStream(content(LINES))));
        same(fetched("as-lines.txt", 0), content(LINES));
        is(ftp.setFileType(FTP.BINARY_FILE_TYPE));
        same(fetched("as-lines.txt", 0), content(LINES));
        is(ftp.deleteFile("as-lines.txt"));
        ok("ASCII_FILE_TYPE");
    }

    private void fetch() throws IOException {
        for (String name : names) {
            try (OutputStream into = Files.newOutputStream(target.resolve(name))) {
                is(ftp.retrieveFile(name, into));
            }
            same(Files.readAllBytes(target.resolve(name)), content(name));
        }
        ok("retrieveFile");
        byte[] large = content(LARGE);
        for (int offset : new int[] {1, 1 << 20, large.length - 1, large.length}) {
            same(fetched(LARGE, offset), Arrays.copyOfRange(large, offset, large.length));
        }
        same(fetched(DATED, 0), content(DATED));
        ok("retrieveFile with setRestartOffset");
        var into = new ByteArrayOutputStream();
        try (InputStream from = ftp.retrieveFileStream(DATED)) {
            from.transferTo(into);
        }
        is(ftp.completePendingCommand());
        same(into.toByteArray(), content(DATED));
        ok("retrieveFileStream");
    }

    private void add() throws IOException {
        byte[] large = content(LARGE);
        is(ftp.storeFile("parts", new ByteArrayInputStream(large, 0, CUT)));
        is(ftp.appendFile("parts", new ByteArrayInputStream(large, CUT, large.length - CUT)));
        same(fetched("parts", 0), large);
        ok("appendFile");
        is(ftp.storeFile("parts", new ByteArrayInputStream(large, 0, CUT + 99)));
        ftp.setRestartOffset(CUT);
        is(ftp.storeFile("parts", new ByteArrayInputStream(large, CUT, large.length - CUT)));
        same(fetched("parts", 0), large);
        is(ftp.deleteFile("parts"));
        ok("storeFile with setRestartOffset");
    }

    private void storeUnique() throws IOException {
        Set<String> before = new HashSet<>(Arrays.asList(ftp.listNames()));
        for (String name : new String[] {DATED, LINES}) {
            is(ftp.storeUniqueFile(new ByteArrayInputStream(content(name))));
        }
        is(ftp.storeUniqueFile(DATED, new ByteArrayInputStream(content(LINES))));
        Set<String> made = new TreeSet<>(Arrays.asList(ftp.listNames()));
        made.removeAll(before);
        same(made.size(), 3);
        for (String name : made) {
            is(ftp.deleteFile(name));
        }
        same(fetched(DATED, 0), content(DATED));
        ok("storeUniqueFile");
    }

    private void date() throws IOException {
        is(ftp.setModificationTime(DATED, DATE));
        ok("setModificationTime");
        same(ftp.getModificationTime(DATED), DATE);
        same(ftp.mdtmInstant(DATED), Instant.parse("2019-08-07T06:05:04Z"));
        same(ftp.mdtmFile("nowhere"), null);
        ok("getModificationTime");
    }

    private void lookByList() throws IOException {
        same(List.of(ftp.listNames()), names);
        same(Stream.of(ftp.listNames("*.bin")).sorted().collect(Collectors.toList()), List.of(LARGE, DATED));
        same(ftp.listNames("nowhere"), null);
        ok("listNames");
        for (String where : new String[] {null, PATH, "-la"}) {
            FTPFile dated = looksRight(ftp.listFiles(where));
            same(dated.getTimestamp().toInstant(), Instant.parse("2019-08-07T00:00:00Z"));
            is(dated.hasPermission(FTPFile.USER_ACCESS, FTPFile.READ_PERMISSION));
        }
        same(ftp.listFiles("*.bin").length, 2);
        same(ftp.listFiles(PATH, file -> file.getSize() > 1 << 20).length, 1);
        same(ftp.listFiles("nowhere").length, 0);
        ok("listFiles");
        ftp.setListHiddenFiles(true);
        looksRight(ftp.listFiles());
        ftp.setListHiddenFiles(false);
        ok("setListHiddenFiles");
        is(ftp.makeDirectory("inner"));
        same(Stream.of(ftp.listDirectories()).map(FTPFile::getName).collect(Collectors.toList()), List.of("inner"));
        is(ftp.removeDirectory("inner"));
        ok("listDirectories");
        FTPListParseEngine engine = ftp.initiateListParsing();
        int seen = 0;
        while (engine.hasNext()) {
            seen += engine.getNext(2).length;
        }
        same(seen, names.size());
        ok("initiateListParsing");
    }

    private void lookByMlsd() throws IOException {
        for (String where : new String[] {null, PATH}) {
            FTPFile[] listed = ftp.mlistDir(where);
            FTPFile dated = looksRight(listed);
            same(dated.getTimestamp().toInstant(), Instant.parse("2019-08-07T06:05:04Z"));
        }
        same(ftp.mlistDir("nowhere").length, 0);
        same(ftp.getReplyCode(), 550);
        ok("mlistDir");
        FTPFile file = ftp.mlistFile(DATED);
        same(List.of(file.isFile(), file.getSize()), List.of(true, (long) content(DATED).length));
        same(file.getTimestamp().toInstant(), Instant.parse("2019-08-07T06:05:04Z"));
        is(ftp.mlistFile(PATH).isDirectory());
        same(ftp.mlistFile("nowhere"), null);
        ok("mlistFile");
    }

    private void ask() throws IOException {
        same(ftp.getSystemType(), "UNIX Type: L8");
        ok("getSystemType");
        is(ftp.getStatus().startsWith("211"));
        is(names.stream().allMatch(ftp.getStatus(PATH)::contains));
        ok("getStatus");
        is(ftp.listHelp().contains("RETR"));
        is(ftp.listHelp("RETR").contains("RETR"));
        ok("listHelp");
        is(ftp.sendNoOp());
        ok("sendNoOp");
    }

    private void change() throws IOException {
        is(ftp.storeFile("old name", new ByteArrayInputStream(content(DATED))));
        is(ftp.rename("old name", "new name"));
        refused(550, ftp.rename("old name", "other"));
        same(fetched("new name", 0), content(DATED));
        ok("rename");
        is(ftp.deleteFile("new name"));
        refused(550, ftp.deleteFile("new name"));
        ok("deleteFile");
        refused(550, ftp.retrieveFile("nowhere", OutputStream.nullOutputStream()));
        refused(553, ftp.storeFile("nowhere/file", new ByteArrayInputStream(new byte[1])));
        refused(500, FTPReply.isPositiveCompletion(ftp.sendCommand("WHAT")));
        is(ftp.sendNoOp());
        ok("refused");
    }

    private void interrupt() throws IOException {
        // The end of the file may be under way: then its 226 goes first.
        InputStream from = ftp.retrieveFileStream(LARGE);
        is(from.read() >= 0);
        is(ftp.abort() || ftp.getReplyCode() == FTPReply.TRANSFER_ABORTED);
        from.close();
        is(ftp.completePendingCommand());
        same(fetched(DATED, 0), content(DATED));
        ok("abort");
    }

    private void others() throws IOException {
        ftp.setUseEPSVwithIPv4(true);
        ftp.enterLocalPassiveMode();
        same(fetched(DATED, 0), content(DATED));
        ok("EPSV");
        ftp.setUseEPSVwithIPv4(false);
        ftp.enterLocalActiveMode();
        same(fetched(DATED, 0), content(DATED));
        ftp.enterLocalPassiveMode();
        same(fetched(DATED, 0), content(DATED));
        ok("active and passive in one session");
    }

    private void leave() throws IOException {
        is(FTPReply.isPositiveCompletion(ftp.rein()));
        refused(530, ftp.changeWorkingDirectory(PATH));
        is(ftp.login("anonymous", "guest@example.com"));
        same(ftp.printWorkingDirectory(), "/");
        ok("rein");
        is(ftp.logout());
        same(ftp.getReplyString(), "221 Goodbye.\r\n");
        ftp.disconnect();
        ok("logout");
    }

    /** All of the source's files and no others, with their sizes; returns the dated one. */
    private FTPFile looksRight(FTPFile[] listed) throws IOException {
        Map<String, FTPFile> files =
            Stream.of(listed).filter(FTPFile::isFile).collect(Collectors.toMap(FTPFile::getName, Function.identity()));
        same(new TreeSet<>(files.keySet()), new TreeSet<>(names));
        for (String name : names) {
            same(files.get(name).getSize(), (long) content(name).length);
        }
        return files.get(DATED);
    }

    private byte[] fetched(String name, long offset) throws IOException {
        var into = new ByteArrayOutputStream();
        ftp.setRestartOffset(offset);
        is(ftp.retrieveFile(name, into));
        return into.toByteArray();
    }

    private byte[] content(String name) throws IOException {
        return Files.readAllBytes(source.resolve(name));
    }

    private void is(boolean so) {
        if (!so) {
            throw new AssertionError(ftp.getReplyString());
        }
    }

    private void refused(int code, boolean succeeded) {
        same(succeeded, false);
        same(ftp.getReplyCode(), code);
    }

    private void same(Object got, Object expected) {
        if (!Objects.deepEquals(got, expected)) {
            throw new AssertionError("got " + got + ", expected " + expected + "; " + ftp.getReplyString());
        }
    }

    private static void ok(String what) {
        System.out.println("ok " + what);
    }
}
