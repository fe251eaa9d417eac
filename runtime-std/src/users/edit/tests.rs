use super::*;

const ANNA: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$ll/Ry5nunV83JRnQUT4xekENwrsdv0AMyBeMscQMSwY";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("users.toml")
    }

    fn edit(&self, change: impl FnOnce(&mut Edit)) -> Result<(), String> {
        let mut edit = Edit::begin(&self.path()).map_err(|error| error.to_string())?;
        change(&mut edit);
        edit.save().map_err(|error| error.to_string())
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn put(&self, text: &str, mode: u32) {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), Permissions::from_mode(mode)).unwrap();
    }

    fn mode(&self) -> u32 {
        fs::metadata(self.path()).unwrap().mode() & 0o777
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

fn password() -> (&'static str, String) {
    ("password", ANNA.to_owned())
}

#[test]
fn a_new_file_is_nobody_else_s_and_leaves_nothing_beside_it() {
    let place = Place::new();
    place.edit(|edit| edit.set("anna", &[password(), ("home", "/home/%u".to_owned())])).unwrap();
    assert_eq!(place.text(), format!("[user.anna]\npassword = \"{ANNA}\"\nhome = \"/home/%u\"\n"));
    assert_eq!(place.mode(), 0o600);
    assert_eq!(place.names(), ["users.toml"]);
}

#[test]
fn comments_and_order_stay_and_so_do_the_bits_for_the_group() {
    let place = Place::new();
    let text = format!(
        "# ours\n[user.otto] # the printer\npassword = \"{ANNA}\" # of 2026\n\n# and\n[user.anna]\ncertificate = \"CN=anna\"\n"
    );
    place.put(&text, 0o640);
    let new = ANNA.replace("m=8", "m=16");
    place.edit(|edit| edit.set("otto", &[("password", new.clone())])).unwrap();
    assert_eq!(place.text(), text.replace(ANNA, &new));
    assert_eq!(place.mode(), 0o640);
    place.edit(|edit| edit.set("rita", &[password(), ("disabled", "true".to_owned())])).unwrap();
    place.edit(|edit| edit.remove("otto")).unwrap();
    assert!(
        place.text().ends_with(&format!("[user.rita]\npassword = \"{ANNA}\"\ndisabled = true\n")),
        "{}",
        place.text()
    );
    let users = Users::open(&place.path()).unwrap();
    assert_eq!(users.iter().map(|user| user.account.name.as_str()).collect::<Vec<_>>(), ["anna", "rita"]);
}

#[test]
fn what_would_be_wrong_is_not_written() {
    let place = Place::new();
    place.put("# ours\n", 0o600);
    assert!(place.edit(|edit| edit.set("anna", &[("home", "/".to_owned())])).is_err());
    assert!(place.edit(|edit| edit.set("an na", &[password()])).is_err());
    assert_eq!((place.text().as_str(), place.names().len()), ("# ours\n", 1));
    place.put("[user.anna]\nhome = 1\n", 0o600);
    let error = place.edit(|edit| edit.remove("anna")).unwrap_err();
    assert!(error.contains("users.toml, line 2: expected a path"), "{error}");
}

#[test]
fn a_file_that_others_may_read_is_not_changed() {
    let place = Place::new();
    place.put("", 0o644);
    let error = place.edit(|edit| edit.set("anna", &[password()])).unwrap_err();
    assert!(error.contains("chmod g-w,o= "), "{error}");
}

#[test]
fn through_a_link_the_file_itself_is_changed() {
    let place = Place::new();
    let real = place.directory.path().join("real.toml");
    fs::write(&real, "").unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("real.toml", place.path()).unwrap();
    place.edit(|edit| edit.set("anna", &[password()])).unwrap();
    assert!(fs::symlink_metadata(place.path()).unwrap().is_symlink());
    assert!(fs::read_to_string(real).unwrap().starts_with("[user.anna]"));
}

#[test]
fn a_file_is_changed_by_one_at_a_time() {
    // Goal: of many who add at the same time, none undoes another's.
    let place = Place::new();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let place = &place;
            scope.spawn(move || place.edit(|edit| edit.set(&format!("user{number}"), &[password()])).unwrap());
        }
    });
    assert_eq!(Users::open(&place.path()).unwrap().iter().count(), 8);
}
