//! Each command that takes a path, from the command table itself: one that is added is attacked from then on.

use mayfly_core::wire::command::row::Row;
use mayfly_core::wire::command::table::COMMANDS;

/// A command with a hole for the path.
pub(crate) struct PathCommand {
    pub(crate) row: &'static Row,
    before: String,
    after: String,
}

impl PathCommand {
    pub(crate) fn line(&self, path: &[u8]) -> Vec<u8> {
        [self.row.name.as_bytes(), b" ", self.before.as_bytes(), path, self.after.as_bytes()].concat()
    }

    /// The same as a JSON request; none where it cannot be one.
    pub(crate) fn json(&self, path: &[u8]) -> Option<Vec<u8>> {
        let line = String::from_utf8(self.line(path)).ok()?;
        let (verb, argument) = line.split_once(' ')?;
        let request = serde_json::json!({ "Request Command": verb, "Request Argument": argument });
        Some(request.to_string().into_bytes())
    }

    pub(crate) fn uploads(&self) -> bool {
        ["STOR", "APPE", "STOU"].contains(&self.row.name)
    }

    pub(crate) fn has_data(&self) -> bool {
        self.row.replies.contains(&150)
    }
}

/// All of them.
pub(crate) fn path_commands() -> Vec<PathCommand> {
    let with_path = COMMANDS.iter().filter(|row| HOLES.iter().any(|hole| row.arguments.contains(hole)));
    let commands: Vec<PathCommand> = with_path.flat_map(forms).collect();
    // Commands that take one and are written otherwise would go unseen.
    assert!(commands.len() >= 40, "{} commands with a path", commands.len());
    commands
}

const HOLES: [&str; 4] = ["<path>", "<prefix>", "<target>", "<part>"];

/// One form for each hole, all else filled in.
fn forms(row: &'static Row) -> Vec<PathCommand> {
    let mut forms = Vec::new();
    for optional in [true, false] {
        let mut text = row.arguments.to_owned();
        for (what, with) in FILLED {
            text = text.replace(what, if optional || !what.starts_with('[') { with } else { "" });
        }
        let text = text.replace(['[', ']'], "").replace("...", "").replace("  ", " ");
        for hole in HOLES {
            let Some((before, after)) = text.split_once(hole) else { continue };
            let fill = |text: &str| HOLES.iter().fold(text.to_owned(), |text, hole| text.replace(hole, "plain"));
            let (before, after) = (fill(before).trim_start().to_owned(), fill(after).trim_end().to_owned());
            assert!(!(before.contains('<') || after.contains('<')), "{}: {text} is not known here", row.name);
            if forms.iter().all(|form: &PathCommand| (&form.before, &form.after) != (&before, &after)) {
                forms.push(PathCommand { row, before, after });
            }
        }
    }
    forms
}

/// What stands in the other places.
const FILLED: [(&str, &str); 10] = [
    ("[-aAlRtrSd1F]", "-la"),
    ("[<YYYYMMDDHHMMSS>]", "20200101000000"),
    ("<YYYYMMDDHHMMSS>", "20200101000000"),
    ("<YYYYMMDDhhmm[ss]>", "202001010000"),
    ("<fact>=<value>;...", "modify=20200101000000;UNIX.mode=0777;"),
    ("[<start> <end>]", "0 100"),
    ("[<date>]", "1h"),
    ("<date>", "1h"),
    ("<token>", "00000000000000000000000000000000"),
    ("<mode>", "0777"),
];
