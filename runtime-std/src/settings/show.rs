//! All settings in force, as a settings file that says of each where it comes from.

use super::file::File;
use super::table::{ROWS, Row};
use super::{Given, SettingsError};
use clap::ArgMatches;
use std::fmt::Write as _;
use std::path::Path;

/// The settings that these flags and this file come to, in TOML that serves as a settings file.
///
/// # Errors
/// [`SettingsError`]
pub(crate) fn show(flags: &ArgMatches, given: &Given, config: Option<&Path>) -> Result<String, SettingsError> {
    let file = config.map(File::open).transpose()?;
    let in_file = file.as_ref().map(File::entries).unwrap_or_default();
    let given = match &file {
        Some(file) => given.clone().or(file.given.clone()),
        None => given.clone(),
    };
    let mut text = String::new();
    for row in ROWS {
        let of_flag = flag(flags, row);
        let (value, source) = if let Some(value) = of_flag {
            (value, format!("--{}", row.name.replace('_', "-")))
        } else if let Some((_, value, line)) = in_file.iter().find(|(name, ..)| name == row.name) {
            let path = config.map(|path| path.display().to_string()).unwrap_or_default();
            (value.clone(), format!("{}, line {line}", escaped(&path)))
        } else if let Some(rights) = given.rights_of_preset().filter(|_| row.name == "anonymous_rights") {
            (quoted(&String::from(rights)), "preset".to_owned())
        } else {
            (default(row), "default".to_owned())
        };
        // Writing to a string does not fail.
        let _ = write!(text, "\n# {} ({})\n{} = {value} # {source}\n", row.help, row.value_name, row.name);
    }
    Ok(text)
}

/// As the command line has it.
fn flag(flags: &ArgMatches, row: &Row) -> Option<String> {
    let values = flags.get_raw(row.name)?;
    let mut values: Vec<String> = values.map(|value| literal(&value.to_string_lossy())).collect();
    match values.len() {
        1 if !row.is_repeated => values.pop(),
        _ => Some(format!("[{}]", values.join(", "))),
    }
}

fn default(row: &Row) -> String {
    if row.is_repeated { "[]".to_owned() } else { literal(row.default) }
}

/// A text as TOML has it: numbers and truths bare, where they mean the same so.
fn literal(text: &str) -> String {
    let is_number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    if is_number || matches!(text, "true" | "false") { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Without what would end a comment.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_unicode().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{LogOptions, ServeOptions, read};
    use super::*;
    use clap::{CommandFactory as _, FromArgMatches as _, Parser};
    use std::io::Write as _;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        given: Given,
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(text.as_bytes()).unwrap();
        config
    }

    /// What is shown, and what these flags and that file come to.
    fn shown(flags: &[&str], config: Option<&Path>) -> (String, (ServeOptions, LogOptions)) {
        let matches = Flags::command().get_matches_from([&["mayfly"], flags].concat());
        let given = Flags::from_arg_matches(&matches).unwrap().given;
        (show(&matches, &given, config).unwrap(), read(&given, config).unwrap())
    }

    #[test]
    fn every_setting_appears_once_and_what_is_shown_comes_to_the_same() {
        // Goal: the table, the file format and the output agree, whatever a setting's kind.
        let flags = ["--max-sessions", "9", "--listen", "127.0.0.1:2121", "--listen", "[::1]", "--require-expiry"];
        let ours =
            file("# ours\nidle_timeout = \"90s\"\nepsv_only = [\"10.0.0.0/8\", \"::/0\"]\npreset = \"drop-box\"\n");
        for (flags, config) in [(&[][..], None), (&flags[..], Some(ours.path()))] {
            let (text, read_first) = shown(flags, config);
            let settings: toml::Table = text.parse().unwrap();
            assert_eq!(settings.len(), ROWS.len());
            assert!(ROWS.iter().all(|row| settings.contains_key(row.name)));
            let again = file(&text);
            let (_, read_again) = shown(&[], Some(again.path()));
            let without_files = |(mut options, log): (ServeOptions, LogOptions)| {
                options.confinement = None;
                (options, log)
            };
            assert_eq!(without_files(read_again), without_files(read_first));
        }
    }

    #[test]
    fn each_says_where_it_comes_from() {
        let ours = file("# ours\nidle_timeout = \"90s\"\nmax_sessions = 7\npreset = \"public\"\n");
        let (text, _) = shown(&["--max-sessions", "9", "--landlock", "off"], Some(ours.path()));
        let of_file = format!("idle_timeout = \"90s\" # {}, line 2\n", ours.path().display());
        for line in [
            "max_sessions = 9 # --max-sessions\n",
            &of_file,
            "landlock = \"off\" # --landlock\n",
            "anonymous_rights = \"list,read\" # preset\n",
            "file_mode = \"0644\" # default\n",
            "listen = [] # default\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
