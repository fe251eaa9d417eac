use super::*;
use mayfly_core::path::VirtualPath;
use mayfly_core::user::{ExpiryPolicy, Lifetime, Quota, Right, Rights};
use mayfly_core::wire::command::Secret;
use std::num::NonZeroU64;
use std::sync::Mutex;

/// Of `sesame`, and cheap.
const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$ll/Ry5nunV83JRnQUT4xekENwrsdv0AMyBeMscQMSwY";
/// The same, less cheap.
const DEARER: &str = "$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$YK61jp7tR8cXFEO8Gx0ECHxO+f0C475Sqsd/CflF4Zw";

fn parse(text: &str) -> Result<Users, String> {
    Users::parse(Path::new("users.toml"), text).map_err(|error| error.to_string())
}

/// Users with this in each one's table.
fn users(tables: &[(&str, &str)]) -> Users {
    let text: Vec<String> = tables.iter().map(|(name, lines)| format!("[user.{name}]\n{lines}\n")).collect();
    parse(&text.concat()).unwrap()
}

fn with_password(lines: &str) -> String {
    format!("password = \"{CHEAP}\"\n{lines}")
}

/// Memory, passes, lanes, length.
type Cost = (u32, u32, u32, usize);

/// What came of it, and at which costs passwords were compared for it.
fn attempt(users: &Users, user: &str, proof: &Proof, peer: &str) -> (Result<String, LoginError>, Vec<Cost>) {
    let compared = std::sync::Arc::new(Mutex::new(Vec::new()));
    let count = std::sync::Arc::clone(&compared);
    let is_of = move |hash: &Hash, password: &[u8]| {
        count.lock().unwrap().push(hash.cost());
        hash.is_of(password)
    };
    let outcome = users.log_in_by(Attempt { user, proof, peer: peer.parse().unwrap() }, &is_of);
    let compared = compared.lock().unwrap().clone();
    (outcome.map(|account| account.name), compared)
}

fn password(password: &str) -> Proof {
    Proof::Password { password: Secret(password.to_owned()) }
}

const HERE: &str = "192.0.2.7";

#[test]
fn whoever_is_refused_costs_the_same_whatever_the_reason() {
    // DESIGN 7: unknown user and wrong password look and take the same. Each of these is one hash of the same cost.
    let users = users(&[
        ("anna", &with_password("")),
        ("dora", &with_password("disabled = true")),
        ("vera", &with_password("addresses = \"10.0.0.0/8\"")),
        ("carl", "certificate = \"CN=carl\""),
    ]);
    let cost = Hash::parse(CHEAP).cost();
    let refused = (Err(LoginError::Refused), vec![cost]);
    for (user, shown) in [
        ("anna", "wrong"),
        ("nobody", "sesame"),
        ("nobody", ""),
        ("dora", "sesame"),
        ("dora", "wrong"),
        ("vera", "sesame"),
        ("carl", "sesame"),
        ("carl", ""),
    ] {
        assert_eq!(attempt(&users, user, &password(shown), HERE), refused, "{user} {shown}");
    }
    assert_eq!(attempt(&users, "anna", &password("sesame"), HERE), (Ok("anna".to_owned()), vec![cost]));
    assert_eq!(attempt(&users, "vera", &password("sesame"), "10.1.2.3"), (Ok("vera".to_owned()), vec![cost]));
}

#[test]
fn an_unknown_name_costs_what_some_user_does_and_always_the_same() {
    let dearer = format!("password = \"{DEARER}\"");
    let users = users(&[("anna", &with_password("")), ("otto", &dearer), ("carl", "certificate = \"CN=carl\"")]);
    let costs = [Hash::parse(CHEAP).cost(), Hash::parse(DEARER).cost()];
    let cost_of = |name: &str| attempt(&users, name, &password("x"), HERE).1;
    let mut met = [false; 2];
    for number in 0..64 {
        let name = format!("nobody{number}");
        let cost = cost_of(&name);
        assert_eq!(cost_of(&name), cost);
        met[costs.iter().position(|known| [*known] == cost[..]).unwrap()] = true;
    }
    assert_eq!(met, [true; 2], "both costs are also nobody's");
}

#[test]
fn where_there_is_no_user_at_all_nobody_gets_in_at_the_usual_cost() {
    let (outcome, compared) = attempt(&parse("").unwrap(), "anna", &password("sesame"), HERE);
    assert_eq!((outcome, compared), (Err(LoginError::Refused), vec![Hash::default().cost()]));
}

#[test]
fn a_certificate_is_its_user_s_alone() {
    let users = users(&[
        ("carl", "certificate = \"CN=carl\""),
        ("dora", "certificate = \"CN=dora\"\ndisabled = true"),
        ("anna", &with_password("")),
    ]);
    let shows =
        |user: &str, subject: &str| attempt(&users, user, &Proof::Certificate { subject: subject.to_owned() }, HERE);
    assert_eq!(shows("carl", "CN=carl"), (Ok("carl".to_owned()), vec![]));
    for (user, subject) in [
        ("carl", "CN=Carl"),
        ("carl", "CN=anna"),
        ("anna", "CN=carl"),
        ("anna", ""),
        ("dora", "CN=dora"),
        ("x", "CN=carl"),
    ] {
        assert_eq!(shows(user, subject), (Err(LoginError::Refused), vec![]), "{user} {subject}");
    }
}

#[test]
fn all_that_a_table_says_is_in_the_account() {
    let users = users(&[
        ("anna", &with_password("")),
        (
            "otto",
            &with_password(
                "home = \"/home/%u\"\nrights = [\"list\", \"read\"]\nquota_bytes = \"10GiB\"\nquota_files = 7\n\
                 upload_rate = \"1MiB\"\ndownload_rate = \"none\"\naddresses = [\"10.0.0.0/8\", \"::1\"]\n\
                 default_expiry = \"1d\"\nmax_expiry = \"none\"\nrequire_expiry = true",
            ),
        ),
        ("rita", &with_password("home = \"/pub\"\nconfined = false\nrights = \"none\"")),
    ]);
    let anna = users.find("anna").unwrap();
    assert_eq!(anna.account, Account::new("anna".to_owned(), Rights::ALL));
    let mut otto = Account::new("otto".to_owned(), Rights::NONE.with(Right::List).with(Right::Read));
    otto.home = VirtualPath::parse("/home/otto").unwrap();
    otto.confined = true;
    otto.quota = Some(Quota { bytes: Some(10 << 30), files: Some(7) });
    otto.upload_bytes_per_s = NonZeroU64::new(1 << 20);
    otto.expiry =
        ExpiryPolicy { default: Some(Lifetime::Seconds(86_400)), max: Some(Lifetime::Unbounded), required: Some(true) };
    assert_eq!(users.find("otto").unwrap().account, otto);
    assert_eq!(users.find("otto").unwrap().addresses.as_ref().map(Vec::len), Some(2));
    let rita = &users.find("rita").unwrap().account;
    assert!(!rita.confined && rita.rights == Rights::NONE && rita.home.as_str() == "/pub");
}

#[test]
fn a_wrong_line_is_named_with_what_is_expected() {
    for (text, expected) in [
        ("[user.anna]\npassword = \"sesame\"", "line 2: expected an argon2id hash such as"),
        ("[user.anna]\npassword = \"$1$x\"", "line 2: expected an argon2id hash such as"),
        (
            "\n[user.anna]\nhome = \"/\"",
            "line 2: \"anna\" cannot log in: expected password or certificate\n  [user.anna]",
        ),
        ("[user.anna]\nhome = \"x\"", "line 2: expected a path such as \"/\""),
        ("[user.anna]\nhome = \"/.mayfly/x\"", "line 2: expected a path such as \"/\""),
        ("[user.anna]\nhome = \"/../x\"", "line 2: expected a path such as \"/\""),
        ("[user.anna]\nrights = \"fly\"", "line 2: expected a list of rights"),
        ("[user.anna]\nquota_bytes = -1", "line 2: expected a number of bytes such as \"100MiB\""),
        ("[user.anna]\nupload_rate = \"0\"", "line 2: expected bytes a second such as \"1MiB\""),
        ("[user.anna]\naddresses = []", "line 2: expected \"any\", or a list of networks"),
        ("[user.anna]\naddresses = \"10.0.0.1/8\"", "line 2: expected \"any\", or a list of networks"),
        ("[user.anna]\nconfined = 1", "line 2: expected true or false"),
        ("[user.anna]\ncertificate = \"\"", "line 2: expected the subject of a client certificate"),
        ("[user.anna]\npasword = \"x\"", "line 2: unknown field \"pasword\"; did you mean \"password\"?"),
        ("[user]\nanna = 1", "line 2: invalid type"),
        ("[users.anna]", "line 1: unknown field \"users\"; did you mean \"user\"?"),
        ("[user.anna", "line 1: "),
        ("[user.\"an na\"]\ncertificate = \"x\"", "line 1: a user's name has 1 to 64 bytes"),
        ("[user.FTP]\ncertificate = \"x\"", "line 1: a user's name has 1 to 64 bytes"),
        (
            "[user.anna]\ncertificate = \"x\"\nmax_expiry = \"1d\"\ndefault_expiry = \"2d\"",
            "line 4: default_expiry must not lie beyond max_expiry\n  default_expiry = \"2d\"",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(&format!("users.toml, {expected}")), "{text}\n{error}");
    }
    let error = parse(&format!("[user.anna]\npassword = \"{CHEAP}!\"")).unwrap_err();
    assert!(!error.contains("c2FsdHNhbHQ"), "{error}");
}

#[test]
fn a_file_that_others_may_read_or_write_is_refused() {
    use crate::settings::SettingsError;
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    let open_as = |mode| {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        Users::open(file.path())
    };
    for mode in [0o600, 0o640, 0o400] {
        assert!(open_as(mode).is_ok(), "{mode:o}");
    }
    for mode in [0o644, 0o660, 0o602, 0o601] {
        assert!(matches!(open_as(mode), Err(SettingsError::UsersExposed { .. })), "{mode:o}");
    }
    let missing = Users::open(Path::new("/no/such/file"));
    assert!(matches!(missing, Err(SettingsError::UsersUnreadable { .. })));
}

impl Hash {
    fn parse(text: &str) -> Self {
        use crate::settings::Form as _;
        Self::read(text).unwrap()
    }
}
