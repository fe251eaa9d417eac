//! The devices and their dialogues.

use crate::Device;

/// A scanner of 1995: it prepares everything, sends active, and tries the path of a file share first.
pub(crate) fn scanner() -> Device {
    Device {
        line_end: "\r\n",
        dialogue: r"
            < 220
            > USER anonymous
            < 331
            > PASS scanner@
            < 230
            > TYPE A
            < 200
            > STRU F
            < 200
            > MODE S
            < 200
            > CWD \incoming\
            < 550
            > CWD /incoming
            < 250
            > TYPE I
            < 200
            > PORT <here>
            < 200
            > STOR SCAN0001.TIF
            < 150
            gives II*\0\x08page 1\r\n
            < 226
            > PORT <here>
            < 200
            > STOR SCAN0002.TIF
            < 150
            gives II*\0\x08page 2\r\n
            < 226
            > QUIT
            < 221 Goodbye.",
        stored: &[("incoming/SCAN0001.TIF", "II*\0\x08page 1\r\n"), ("incoming/SCAN0002.TIF", "II*\0\x08page 2\r\n")],
    }
}

/// A camera: no PORT, no PASV, it waits on its own port; each picture under another name until it is whole; NOOP while
/// there is nothing to see, and in the midst of a picture.
pub(crate) fn camera() -> Device {
    Device {
        line_end: "\r\n",
        dialogue: r"
            < 220
            > USER ftp
            < 331
            > PASS
            < 230
            > TYPE I
            < 200
            > CWD incoming
            < 250
            > MKD cam1
            < 257
            > MKD cam1
            < 550
            > CWD cam1
            < 250
            > DELE image.tmp
            < 550
            listens
            > STOR image.tmp
            < 150
            gives on \xff\xd8first
            > NOOP
            < 200
            gives half\xff\xd9
            < 226
            > RNFR image.tmp
            < 350
            > RNTO image.jpg
            < 250
            > NOOP
            < 200
            listens
            > STOR image.tmp
            < 150
            gives \xff\xd8second\xff\xd9
            < 226
            > RNFR image.tmp
            < 350
            > RNTO image.jpg
            < 250
            > QUIT
            < 221",
        stored: &[("incoming/cam1/image.jpg", "\u{ff}\u{d8}second\u{ff}\u{d9}")],
    }
}

/// A controller of machines: small letters, lines that end with LF alone, and a log that grows.
pub(crate) fn controller() -> Device {
    Device {
        line_end: "\n",
        dialogue: r"
            < 220
            > user anonymous
            < 331
            > pass plc
            < 230
            > type i
            < 200
            > cwd incoming
            < 250
            > port <here>
            < 200
            > stor log.csv
            < 150
            gives 08:00;21.5\n
            < 226
            > size log.csv
            < 213 11
            > port <here>
            < 200
            > appe log.csv
            < 150
            gives 09:00;21.7\n
            < 226
            > port <here>
            < 200
            > retr log.csv
            < 150
            takes 08:00;21.5\n09:00;21.7\n
            < 226
            > quit
            < 221",
        stored: &[("incoming/log.csv", "08:00;21.5\n09:00;21.7\n")],
    }
}

/// A mainframe: it reads SYST, announces records, sets what it does not get, and sends text.
pub(crate) fn mainframe() -> Device {
    Device {
        line_end: "\r\n",
        dialogue: r"
            < 220
            > USER anonymous
            < 331
            > PASS batch@job
            < 230
            > ACCT 4711
            < 202
            > SYST
            < 215 UNIX Type: L8
            > SITE FILETYPE=SEQ
            < 500
            > SITE RECFM=FB LRECL=80 BLKSIZE=3200
            < 500
            > SITE FIXRECFM 80
            < 500
            > TYPE A N
            < 200
            > STRU F
            < 200
            > MODE S
            < 200
            > CWD 'PROD.DATA'
            < 550
            > CWD /incoming
            < 250
            > PWD
            < 257
            > ALLO 160 R 80
            < 200
            > PORT <here>
            < 200
            > STOR PROD.DATA.G0001V00
            < 150
            gives RECORD 1   \r\nRECORD 2   \r\n
            < 226
            > PORT <here>
            < 200
            > RETR PROD.DATA.G0001V00
            < 150
            takes RECORD 1   \r\nRECORD 2   \r\n
            < 226
            > PORT <here>
            < 200
            > NLST
            < 150
            takes PROD.DATA.G0001V00\r\n
            < 226
            > QUIT
            < 221",
        stored: &[("incoming/PROD.DATA.G0001V00", "RECORD 1   \nRECORD 2   \n")],
    }
}

/// The verbs that RFC 775 had before RFC 959, and bytes of eight bits as it called them.
pub(crate) fn before_1985() -> Device {
    Device {
        line_end: "\r\n",
        dialogue: r"
            < 220
            > USER anonymous
            < 331
            > PASS guest
            < 230
            > TYPE L 8
            < 200
            > XCWD /incoming
            < 250
            > XMKD old
            < 257
            > XCWD old
            < 250
            > XPWD
            < 257
            > PORT <here>
            < 200
            > STOR 36bits
            < 150
            gives \x00\x01\x02
            < 226
            > XCUP
            < 250
            > XMKD gone
            < 257
            > XRMD gone
            < 250
            > XCWD gone
            < 550
            > NOOP
            < 200
            > QUIT
            < 221",
        stored: &[("incoming/old/36bits", "\0\x01\x02")],
    }
}

/// A copier whose lines end, and at times begin, with blanks, or are empty; it goes on after an error.
pub(crate) fn copier() -> Device {
    let dialogue = concat!(
        "< 220\n> USER anonymous\n< 331\n> PASS \n< 230\n> NOOP \n< 200\n>  NOOP\n< 500\n> \n< 500\n> SYST \n< 215\n",
        "> TYPE I \n< 200\n> MODE S \n< 200\n> CWD /incoming\n< 250\n> PASV \n< 227\nconnects\n> ALLO 5 \n< 200\n",
        "> STOR copy.pdf\n< 150\ngives %PDF-\n< 226\n> PASV \n< 227\nconnects\n> LIST \n< 150\ntakes ..copy.pdf\\r\\n..\n",
        "< 226\n> QUIT \n< 221",
    );
    Device { line_end: "\r\n", dialogue, stored: &[("incoming/copy.pdf", "%PDF-")] }
}

/// The ftp of a desktop's command line, and a browser's way of asking what is there.
pub(crate) fn desktop() -> Device {
    Device {
        line_end: "\r\n",
        dialogue: r"
            < 220
            > OPTS UTF8 ON
            < 200
            > USER anonymous
            < 331
            > PASS User@
            < 230
            > SYST
            < 215 UNIX
            > PWD
            < 257
            > TYPE A
            < 200
            > CWD /incoming
            < 250
            > PORT <here>
            < 200
            > STOR letter.txt
            < 150
            gives Dear all,\r\nbye\r\n
            < 226
            > PORT <here>
            < 200
            > NLST
            < 150
            takes letter.txt\r\n
            < 226
            > PORT <here>
            < 200
            > LIST
            < 150
            takes .. letter.txt\r\n..
            < 226
            > TYPE I
            < 200
            > MDTM letter.txt
            < 213
            > SIZE letter.txt
            < 213 14
            > PASV
            < 227
            connects
            > RETR letter.txt
            < 150
            takes Dear all,\nbye\n
            < 226
            > XPWD
            < 257
            > QUIT
            < 221",
        stored: &[("incoming/letter.txt", "Dear all,\nbye\n")],
    }
}
