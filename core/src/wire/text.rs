//! The reply texts: the seed's, exact, and the rest in its voice (vsftpd's short sentences).

// The seed's own.

/// `220`, the greeting.
pub const WELCOME: &str = "Welcome to the FTP Server";
/// `200` to `OPTS UTF8 ON`.
pub const ALWAYS_UTF8: &str = "Always in UTF8 mode.";
/// `331` to `USER`.
pub const SPECIFY_PASSWORD: &str = "Please specify the password.";
/// `230` to `PASS`.
pub const LOGIN_SUCCESSFUL: &str = "Login successful.";
/// `550` to `MKD`.
pub const MKD_FAILED: &str = "Create directory operation failed.";
/// `000` to `SETEXPIRY`, `200` to `SITE EXPIRY`.
pub const EXPIRY_SET: &str = "expiry_date set";
/// `250` to `CWD`.
pub const CWD_OK: &str = "Directory successfully changed.";
/// `550` to `CWD`.
pub const CWD_FAILED: &str = "Failed to change directory.";
/// The detail where a path is not there.
pub const INVALID_STORAGE_PATH: &str = "Invalid storage path";
/// The detail where a path has expired.
pub const STORAGE_PATH_EXPIRED: &str = "Storage path expired";
/// `200` to `PORT`.
pub const PORT_OK: &str = "PORT command successful. Consider using PASV.";
/// `150` to `STOR` and `APPE`.
pub const OK_TO_SEND: &str = "Ok to send data.";
/// `226` after `STOR`, `APPE` and `RETR`.
pub const TRANSFER_COMPLETE: &str = "Transfer complete.";
/// `150` to `LIST`, `NLST` and `MLSD`.
pub const LISTING_COMES: &str = "Here comes the directory listing.";
/// `226`: some directories lie too deep, are too many, or cannot be read.
pub const LISTING_CUT: &str = "Some directories are left out.";
/// `200` after `OPTS MLST`, and then the facts (RFC 3659 7.9).
pub const FACTS_CHOSEN: &str = "MLST OPTS";
/// `226` after `LIST`, `NLST` and `MLSD`.
pub const LISTING_SENT: &str = "Directory send OK.";
/// `221` to `QUIT`.
pub const GOODBYE: &str = "Goodbye.";

// Logging in.

/// `530` to whatever needs a login.
pub const LOGIN_REQUIRED: &str = "Please login with USER and PASS.";
/// `530` to `PASS`, whatever was wrong.
pub const LOGIN_INCORRECT: &str = "Login incorrect.";
/// `503` to `PASS` without `USER`.
pub const USER_FIRST: &str = "Login with USER first.";
/// `331` to `USER` of who is logged in already.
pub const ANY_PASSWORD: &str = "Any password will do.";
/// `421` to `PASS`: it cannot be checked now.
pub const LOGIN_UNAVAILABLE: &str = "Logins cannot be checked now, please try later.";
/// `530` to `USER` in clear, where TLS is required.
pub const TLS_REQUIRED: &str = "Please secure the connection with AUTH TLS first.";
/// `234` to `AUTH`.
pub const TLS_PROCEED: &str = "Proceed with negotiation.";
/// `502` to `AUTH` without a certificate.
pub const TLS_UNAVAILABLE: &str = "TLS is not available here.";
/// `503` to `AUTH` of who has done so already.
pub const TLS_ALREADY: &str = "The connection is secured already.";
/// `504` to `AUTH` with another mechanism.
pub const AUTH_UNKNOWN: &str = "Unknown AUTH type. Use TLS.";
/// `503` to `PBSZ`, `PROT` and `CCC` in clear.
pub const AUTH_FIRST: &str = "Secure the connection with AUTH TLS first.";
/// `503` to `PROT` without `PBSZ`.
pub const PBSZ_FIRST: &str = "PBSZ needed before PROT.";
/// `200` to `PBSZ`.
pub const PBSZ_OK: &str = "PBSZ set to 0.";
/// `200` to `PBSZ` with another size than 0.
pub const PBSZ_SMALLER: &str = "PBSZ=0";
/// `200` to `PROT P`.
pub const PROT_PRIVATE: &str = "PROT now Private.";
/// `200` to `PROT C`.
pub const PROT_CLEAR: &str = "PROT now Clear.";
/// `536` to `PROT S` and `PROT E`.
pub const PROT_UNSUPPORTED: &str = "Only PROT C and PROT P are supported.";
/// `534` to `PROT C` where data must be private.
pub const PROT_TOO_LOW: &str = "Data connections must be private here. Use PROT P.";
/// `533` to `CCC`.
pub const CCC_REFUSED: &str = "The control connection stays secured.";
/// `521` to a transfer in clear where data must be private (RFC 4217 9).
pub const DATA_IN_CLEAR: &str = "Data connections must be private here. Use PROT P.";
/// `522`: the data connection's handshake failed; `425`: it was lost meanwhile.
pub const DATA_NOT_SECURED: &str = "Failed to secure the data connection.";
/// `522`: the data connection's TLS session is not the control connection's.
pub const DATA_NOT_RESUMED: &str = "The data connection must resume the TLS session of the control connection.";
/// `522`: the client's certificate on the data connection is not the control connection's.
pub const DATA_OF_ANOTHER: &str = "The data connection must show the certificate of the control connection.";
/// `503` to `REIN` under TLS.
pub const NO_REIN_UNDER_TLS: &str = "Not under TLS. Please connect again.";
/// `202` to `ACCT`.
pub const ACCOUNT_SUPERFLUOUS: &str = "ACCT superfluous, no account is needed.";
/// `220` to `REIN`.
pub const READY_AGAIN: &str = "Service ready for new user.";
/// `230` to `PASS` of who is logged in already.
pub const ALREADY_LOGGED_IN: &str = "Already logged in.";
/// `530` to `USER` of another, from an anonymous session.
pub const NO_CHANGE_FROM_GUEST: &str = "Can't change from guest user.";
/// `530` to `USER` of another, from a named session.
pub const NO_CHANGE_TO_OTHER: &str = "Can't change to another user.";

// The session as a whole.

/// `500` to a line beyond its bound.
pub const LINE_TOO_LONG: &str = "Line too long.";
/// `421`: idle, or not logged in, for too long.
pub const TIMEOUT: &str = "Timeout.";
/// `421`: the server goes down.
pub const SHUTTING_DOWN: &str = "Server shutting down.";
/// `421`: no room.
pub const TOO_MANY_USERS: &str = "There are too many connected users, please try later.";
/// `421`: no room for that address.
pub const TOO_MANY_FROM_ADDRESS: &str = "There are too many connections from your internet address.";
/// `421`: that address connects too often.
pub const TOO_OFTEN_FROM_ADDRESS: &str = "There are too many new connections from your internet address.";
/// `421`: that address has guessed too often.
pub const BANNED: &str = "Too many logins have failed from your internet address, please try later.";
/// `200` to `NOOP`.
pub const NOOP_OK: &str = "NOOP ok.";
/// `215` to `SYST`.
pub const SYSTEM: &str = "UNIX Type: L8";
/// `504` to `OPTS UTF8 OFF`.
pub const UTF8_STAYS_ON: &str = "UTF8 mode cannot be turned off.";
/// `200` to `TYPE I`.
pub const TYPE_BINARY: &str = "Switching to Binary mode.";
/// `200` to `TYPE A`.
pub const TYPE_ASCII: &str = "Switching to ASCII mode.";
/// `200` to `MODE S`.
pub const MODE_SET: &str = "Mode set to S.";
/// `200` to `MODE Z`.
pub const MODE_SET_DEFLATE: &str = "Mode set to Z.";
/// `200` to `STRU F`.
pub const STRUCTURE_SET: &str = "Structure set to F.";
/// `226` to `ABOR`, after the transfer's own reply where one ran.
pub const ABOR_OK: &str = "ABOR successful.";
/// `225` to `ABOR` where only a data connection could be open.
pub const NO_TRANSFER_TO_ABOR: &str = "No transfer to ABOR.";
/// `450` to a line that an `ABOR` after it dropped.
pub const DROPPED_BY_ABOR: &str = "Command dropped by ABOR.";
/// `200` to `CLNT`.
pub const CLIENT_NOTED: &str = "Noted.";
/// `200` to `LANG`.
pub const LANG_OK: &str = "Using English.";
/// `504` to `LANG`.
pub const LANG_UNKNOWN: &str = "Only English is spoken here.";
/// `220` to `HOST`.
pub const HOST_OK: &str = "Host accepted.";
/// `504` to `HOST`.
pub const HOST_UNKNOWN: &str = "Unknown host.";
/// `503` to `HOST` after `USER`.
pub const HOST_TOO_LATE: &str = "HOST must come before USER.";
/// The first line of `211` to `FEAT`.
pub const FEATURES: &str = "Features:";
/// The last line of `211` to `FEAT` and `250` to `MLST`.
pub const END: &str = "End";
/// The first line of `214` to `HELP`.
pub const HELP: &str = "The following commands are recognized.";
/// The last line of `214` to `HELP`.
pub const HELP_END: &str = "Help OK.";
/// `502` to `HELP` about what is not known.
pub const HELP_UNKNOWN: &str = "No help for that command.";
/// The first line of `211` to `STAT`.
pub const STATUS: &str = "FTP server status:";
/// The first line of `213` to `STAT` of a path.
pub const STATUS_FOLLOWS: &str = "Status follows:";
/// The last line of `211` and `213` to `STAT`.
pub const STATUS_END: &str = "End of status";
/// The first line of `213` to `STAT -R` where some directories lie too deep or cannot be read.
pub const STATUS_LEFT_OUT: &str = "Status follows, some directories are left out:";
/// The first line of `213` to `STAT` of a directory with more names than it shows.
pub const STATUS_CUT: &str = "Status of the first names follows, LIST shows all:";

// Paths.

/// `550`: no right to that.
pub const PERMISSION_DENIED: &str = "Permission denied.";
/// `250` to `RMD`.
pub const RMD_OK: &str = "Remove directory operation successful.";
/// `550` to `RMD`.
pub const RMD_FAILED: &str = "Remove directory operation failed.";
/// `250` to `DELE`.
pub const DELE_OK: &str = "Delete operation successful.";
/// `550` to `DELE`.
pub const DELE_FAILED: &str = "Delete operation failed.";
/// `350` to `RNFR`.
pub const RNFR_OK: &str = "Ready for RNTO.";
/// `550` to `RNFR`.
pub const RNFR_FAILED: &str = "RNFR command failed.";
/// `503` to `RNTO` without `RNFR`.
pub const RNFR_FIRST: &str = "RNFR required first.";
/// `250` to `RNTO`.
pub const RNTO_OK: &str = "Rename successful.";
/// `550` and `553` to `RNTO`.
pub const RNTO_FAILED: &str = "Rename failed.";
/// `550` to `SIZE`.
pub const SIZE_FAILED: &str = "Could not get file size.";
/// `550` to `MDTM`.
pub const MDTM_FAILED: &str = "Could not get file modification time.";
/// `550` to `MFMT`.
pub const MFMT_FAILED: &str = "Could not set file modification time.";
/// `213` to `MDTM` with a time.
pub const MDTM_SET: &str = "File modification time set.";
/// `550` to `MFCT`, `MFF`, `SITE UTIME` and `SITE CHMOD`.
pub const FACTS_NOT_SET: &str = "Could not set file facts.";
/// `200` to `SITE UTIME`.
pub const UTIME_OK: &str = "SITE UTIME command ok.";
/// `200` to `SITE CHMOD`.
pub const CHMOD_OK: &str = "SITE CHMOD command ok.";
/// `550` and `553` to `HASH`, `XCRC` and their like.
pub const HASH_FAILED: &str = "Could not compute the hash.";
/// The detail where a range does not lie in the file.
pub const RANGE_BEYOND: &str = "Range is beyond the end of the file";
/// The detail to `SIZE` in ASCII of a file that is not read through for it.
pub const TOO_LARGE_FOR_ASCII: &str = "File too large for SIZE in ASCII mode";
/// `250` to `COMB`.
pub const COMB_OK: &str = "Files combined.";
/// `550` and `553` to `COMB`.
pub const COMB_FAILED: &str = "Could not combine files.";
/// `501` to `COMB` that names a file twice.
pub const PART_TWICE: &str = "Each file may be named once.";
/// The detail where a part stands still, or something new under its name.
pub const PARTS_LEFT: &str = "Not all parts could be removed";
/// `550` to `AVBL`.
pub const AVBL_FAILED: &str = "Could not get available space.";
/// `550` to `DSIZ`.
pub const DSIZ_FAILED: &str = "Could not get directory size.";
/// The detail where more lies beneath a directory than is looked at.
pub const TREE_TOO_LARGE: &str = "Too many files";
/// `426`: `ABOR` ended what had no data connection.
pub const ABORTED: &str = "Command aborted.";
/// `550` to `MLST` and `STAT` of a path.
pub const FACTS_FAILED: &str = "Could not get file information.";
/// `550` to `LIST`, `NLST` and `MLSD`.
pub const LISTING_FAILED: &str = "Failed to open directory.";
/// `200` to `ALLO`.
pub const ALLO_OK: &str = "ALLO command successful.";
/// `550` to `ALLO`.
pub const ALLO_FAILED: &str = "ALLO command failed.";
/// The detail where a file stands in the way.
pub const FILE_EXISTS: &str = "File exists";
/// The detail where a directory is not a file.
pub const IS_DIRECTORY: &str = "Is a directory";
/// The detail where a file is not a directory.
pub const NOT_DIRECTORY: &str = "Not a directory";
/// The detail where a directory still holds names.
pub const NOT_EMPTY: &str = "Directory not empty";
/// The detail where a rename would go into itself.
pub const INTO_ITSELF: &str = "Target lies inside the source";
/// The detail where a name may not be made.
pub const NAME_REFUSED: &str = "File name not allowed";

// Expiry.

/// `501` to a date that has none of the forms.
pub const DATE_MALFORMED: &str = "Invalid expiry_date.";
/// `501` to a date that has gone by.
pub const DATE_PAST: &str = "expiry_date is in the past.";
/// `550` to `SETEXPIRY` and `SITE EXPIRY`.
pub const EXPIRY_FAILED: &str = "Failed to set expiry_date.";
/// `550` to `SITE EXPIRY` without a date.
pub const EXPIRY_UNKNOWN: &str = "Could not get expiry_date.";
/// `213` to `SITE EXPIRY` without a date, of what does not expire.
pub const NEVER: &str = "never";
/// The detail where the directory or file is none that a client made as a storage path.
pub const NOT_STORAGE_PATH: &str = "Not a storage path";
/// The detail where somebody else made it.
pub const NOT_OWNED: &str = "Not your storage path";
/// The detail where it must expire some day.
pub const MUST_EXPIRE: &str = "Storage path must expire";
/// The detail where an upload needs a path that expires.
pub const EXPIRY_REQUIRED: &str = "Storage path has no expiry_date";
/// The detail where a move would make something live longer.
pub const OUTLIVES: &str = "It would outlive its expiry_date";
/// `550` to `SITE TOKEN`.
pub const TOKEN_FAILED: &str = "SITE TOKEN command failed.";
/// `200` to `SITE CLAIM`.
pub const CLAIM_OK: &str = "Storage path claimed.";
/// `550` to `SITE CLAIM`.
pub const CLAIM_FAILED: &str = "SITE CLAIM command failed.";
/// The detail where a token is wrong.
pub const WRONG_TOKEN: &str = "Wrong token";

// Data connections and transfers.

/// `200` to `EPRT`.
pub const EPRT_OK: &str = "EPRT command successful. Consider using EPSV.";
/// `500` to a `PORT` that points elsewhere.
pub const ILLEGAL_PORT: &str = "Illegal PORT command.";
/// `500` to an `EPRT` that points elsewhere.
pub const ILLEGAL_EPRT: &str = "Illegal EPRT command.";
/// `425` to `PASV` in a network where `EPSV` alone serves.
pub const NO_PASV_HERE: &str = "You cannot use PASV from this network. Use EPSV instead.";
/// `522` to `PORT` in such a network.
pub const NO_PORT_HERE: &str = "You cannot use PORT from this network, use EPRT (1).";
/// `425` to a transfer without a set-up, where nothing but `EPSV` or `EPRT` can be one.
pub const USE_EPSV: &str = "Use EPSV first.";
/// `522` to `EPSV 2` and an `EPRT` with an IPv6 address, over IPv4.
pub const USE_IPV4: &str = "Network protocol not supported, use (1)";
/// `522` to `EPSV 1` and an `EPRT` with an IPv4 address, over IPv6.
pub const USE_IPV6: &str = "Network protocol not supported, use (2)";
/// `200` to `EPSV ALL`.
pub const EPSV_ALL_OK: &str = "EPSV ALL ok.";
/// `501` to any other set-up after `EPSV ALL`.
pub const EPSV_ONLY: &str = "Only EPSV is allowed after EPSV ALL.";
/// `425` to `PASV` over IPv6.
pub const NO_PASV_ON_IPV6: &str = "You cannot use PASV on IPv6 connections. Use EPSV instead.";
/// `425` to a transfer without a set-up.
pub const USE_PORT_OR_PASV: &str = "Use PORT or PASV first.";
/// `425`: the data connection could not be had.
pub const NO_CONNECTION: &str = "Failed to establish connection.";
/// `426`: an upload broke.
pub const READ_BROKE: &str = "Failure reading network stream.";
/// `426`: a download or listing broke.
pub const WRITE_BROKE: &str = "Failure writing network stream.";
/// `451`: the disk failed during a download.
pub const FILE_READ_FAILED: &str = "Failure reading local file.";
/// `451`: the disk failed during an upload.
pub const FILE_WRITE_FAILED: &str = "Failure writing to local file.";
/// `550` to `RETR`.
pub const RETR_FAILED: &str = "Failed to open file.";
/// `550` and `553` to `STOR` and `APPE`.
pub const STOR_FAILED: &str = "Could not create file.";
/// `550` to `REST` and a transfer in ASCII.
pub const NO_ASCII_RESUME: &str = "No support for resume of ASCII transfer.";
/// `554`: `REST` beyond the end.
pub const RESTART_BEYOND: &str = "Restart position is beyond the end of the file.";
/// `350` to `RANG 1 0`.
pub const RANGE_RESET: &str = "Range reset.";
/// `501` to a `RANG` that ends before it begins.
pub const RANGE_INVALID: &str = "Invalid range.";
/// `504` to `RANG` and an upload.
pub const NO_RANGE_UPLOAD: &str = "RANG not implemented for uploads.";
/// The detail where the peer was silent for too long.
pub const STALLED: &str = "Data connection timed out";
/// The detail where what came in MODE Z is no zlib stream.
pub const CORRUPT_DEFLATE: &str = "Corrupt MODE Z stream";
/// The detail where fewer bytes came than `ALLO` said.
pub const FEWER_THAN_ANNOUNCED: &str = "Fewer bytes than ALLO announced";

// The storage.

/// `451`: an expiry record cannot be read.
pub const RECORD_UNREADABLE: &str = "Expiry record cannot be read";
/// `450`: it changes faster than it can be judged, or somebody holds it.
pub const BUSY: &str = "Storage path is busy";
/// The detail where the storage has no place for it.
pub const UNSUPPORTED: &str = "Not supported by this storage";
/// `451`: the storage failed.
pub const LOCAL_ERROR: &str = "Local error in processing";
/// `452`: the disk is full.
pub const NO_SPACE: &str = "Insufficient storage space.";
/// `552`: the quota is used up.
pub const QUOTA_EXCEEDED: &str = "Quota exceeded.";
/// `552`: a file-size limit.
pub const FILE_TOO_LARGE: &str = "File too large.";
