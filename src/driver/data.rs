use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// A file and a folder of the system that nobody may write to: permissions would not stop root.
const FORBIDDEN: (&str, &str) = ("/sys/kernel/uevent_seqnum", "/sys/kernel");

/// The server's data folder, as far as a scenario plays tricks on it.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    pub(crate) fn new(path: PathBuf) -> DataFolder {
        DataFolder { path }
    }

    /// Moves an entry aside and puts something in its place that can't be written to, whoever writes (permissions
    /// would not stop root): a file for a folder, a folder that is not empty for anything else.
    pub(crate) fn obstruct(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let is_folder = path.is_dir();
        self.move_aside(name)?;
        if is_folder {
            fs::write(&path, b"in the way\n")
        } else {
            fs::create_dir_all(&path)?;
            fs::write(path.join("in-the-way"), b"in the way\n")
        }
    }

    /// Moves an entry aside and puts something in its place that takes no byte: the disk is full there.
    pub(crate) fn fill(&self, name: &str) -> io::Result<()> {
        self.move_aside(name)?;
        std::os::unix::fs::symlink("/dev/full", self.path.join(name))
    }

    /// Moves an entry aside and puts something in its place that nobody has the permission to write to, root included: it
    /// can be opened for reading only, and nothing can be created below it where it is a folder.
    pub(crate) fn forbid(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let (file, folder) = FORBIDDEN;
        let forbidden = if path.is_dir() { folder } else { file };
        let refused = OpenOptions::new().write(true).open(file).err().map(|error| error.kind());
        if !matches!(refused, Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)) {
            return Err(io::Error::other(format!("{file} does not refuse to be written to on this system")));
        }
        self.move_aside(name)?;
        std::os::unix::fs::symlink(forbidden, path)
    }

    fn move_aside(&self, name: &str) -> io::Result<()> {
        match fs::rename(self.path.join(name), self.aside(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Puts back what was moved aside, in place of whatever is there now.
    pub(crate) fn restore(&self, name: &str) -> io::Result<()> {
        let (path, aside) = (self.path.join(name), self.aside(name));
        // What is there may be a link to a folder of the system: the link goes.
        match path.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&path)?,
            Ok(_) => fs::remove_file(&path)?,
            Err(_) => {}
        }
        match fs::rename(&aside, &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Beside the data folder rather than in it: the server must not come across what was moved away.
    fn aside(&self, name: &str) -> PathBuf {
        let mut folder = self.path.clone().into_os_string();
        folder.push(".aside-");
        folder.push(name.replace('/', "_"));
        PathBuf::from(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::new(root.path().join("data"));
        fs::create_dir(&data.path).unwrap();
        (root, data)
    }

    #[test]
    fn an_obstructed_file_can_t_be_written_or_replaced_until_it_is_restored() {
        let (_root, data) = folder();
        let file = data.path.join("queue.json");
        fs::write(&file, "kept").unwrap();
        data.obstruct("queue.json").unwrap();
        assert!(fs::write(&file, "new").is_err());
        let other = data.path.join("queue.json.new");
        fs::write(&other, "new").unwrap();
        assert!(fs::rename(&other, &file).is_err());
        data.restore("queue.json").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }

    #[test]
    fn nothing_can_be_written_below_an_obstructed_folder() {
        let (_root, data) = folder();
        let sessions = data.path.join("sessions");
        fs::create_dir(&sessions).unwrap();
        fs::write(sessions.join("a"), "kept").unwrap();
        data.obstruct("sessions").unwrap();
        assert!(fs::write(sessions.join("b"), "new").is_err());
        data.restore("sessions").unwrap();
        assert_eq!(fs::read_to_string(sessions.join("a")).unwrap(), "kept");
    }

    #[test]
    fn what_is_written_to_a_filled_file_finds_no_space() {
        let (_root, data) = folder();
        data.fill("queue.new").unwrap();
        let error = fs::write(data.path.join("queue.new"), "more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        data.restore("queue.new").unwrap();
        fs::write(data.path.join("queue.new"), "more").unwrap();
        assert_eq!(fs::read_to_string(data.path.join("queue.new")).unwrap(), "more");
    }

    #[test]
    fn what_is_forbidden_can_t_be_written_even_by_root_until_it_is_restored() {
        let (_root, data) = folder();
        let refused = |result: io::Result<()>| {
            let error = result.unwrap_err();
            let kinds = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
            assert!(kinds.contains(&error.kind()), "{error}");
        };
        fs::write(data.path.join("queue.new"), "kept").unwrap();
        fs::create_dir(data.path.join("sessions")).unwrap();
        fs::write(data.path.join("sessions/a"), "kept").unwrap();
        data.forbid("queue.new").unwrap();
        data.forbid("sessions").unwrap();
        refused(fs::write(data.path.join("queue.new"), "more"));
        refused(fs::write(data.path.join("sessions/b"), "more"));
        data.restore("queue.new").unwrap();
        data.restore("sessions").unwrap();
        assert_eq!(fs::read_to_string(data.path.join("queue.new")).unwrap(), "kept");
        assert_eq!(fs::read_to_string(data.path.join("sessions/a")).unwrap(), "kept");
    }

    #[test]
    fn a_file_that_was_not_there_is_not_there_after_a_restore() {
        let (_root, data) = folder();
        data.obstruct("queue.json").unwrap();
        data.restore("queue.json").unwrap();
        assert!(!data.path.join("queue.json").exists());
    }
}
