//! Files that are written whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that nobody has written to for so many seconds was left behind.
const LEFT_BEHIND: u64 = 3600;

/// What a file is written to.
pub type Output = File;

/// Opens a file to read, and says how many bytes it has.
///
/// # Errors
/// The system's; also for what is no file: opening a pipe would wait for somebody to write to it.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    check_is_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Its own size: another file may have taken the name since.
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// Makes a file of what `write` writes, or replaces the one there is, all at once: other programs, and whoever looks
/// after a power failure, see the old file or the new one. Until then it is `<path>.<process>-<number>.tmp`, a name of
/// its own for each write, so that of two writes at a time the last to end wins, whole. The new file has the mode and, as
/// far as the system allows it, the owner of the old one. A symbolic link stays one; other hard links keep the old file.
///
/// # Errors
/// The system's, or that of `write`; the file there was is as it was then.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let path = target(path)?;
    let (mut file, temporary) = create_beside(&path)?;
    let written = inherit(&file, &path)
        .and_then(|()| write(&mut file))
        .and_then(|()| file.sync_all());
    drop(file);
    let replaced = written.and_then(|()| fs::rename(&temporary, &path));
    match replaced {
        Ok(()) => sync_folder(&path),
        // Nothing can be done about a second failure, and the first one says more.
        Err(_) => drop(fs::remove_file(&temporary)),
    }
    replaced
}

/// Whether [`replace`] can be expected to succeed. Also removes what processes that were killed left behind an hour ago
/// or earlier.
///
/// # Errors
/// The system's.
pub fn probe(path: &Path) -> io::Result<()> {
    let path = target(path)?;
    let (_, temporary) = create_beside(&path)?;
    fs::remove_file(temporary)?;
    // They are in nobody's way, so a failure is none of the caller's.
    let _ = remove_leftovers(&path);
    Ok(())
}

/// The file that `path` names.
fn target(path: &Path) -> io::Result<PathBuf> {
    if let Ok(found) = fs::metadata(path) {
        check_is_file(&found)?;
    }
    // A link stays one: what it names is replaced.
    Ok(fs::canonicalize(path).unwrap_or_else(|_| path.into()))
}

/// A new file beside another, and its name.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static WRITES: AtomicUsize = AtomicUsize::new(0);
    loop {
        let mut name = OsString::from(path);
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{number}.tmp", process::id()));
        match File::create_new(&name) {
            // Left by a process of the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
            created => return created.map(|file| (file, name.into())),
        }
    }
}

/// Gives a new file the mode and the owner of the one that it will replace.
fn inherit(file: &File, path: &Path) -> io::Result<()> {
    let Ok(old) = fs::metadata(path) else {
        return Ok(());
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only the system's administrator may give files away.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    file.set_permissions(old.permissions())
}

fn remove_leftovers(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
        return Ok(());
    };
    for entry in fs::read_dir(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    })? {
        let entry = entry?;
        let found = entry.file_name();
        let middle = found
            .to_str()
            .and_then(|found| found.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp"));
        let is_ours = middle.is_some_and(|middle| {
            middle.split_once('-').is_some_and(|(process, number)| {
                process.parse::<u32>().is_ok() && number.parse::<u64>().is_ok()
            })
        });
        let age = entry
            .metadata()
            .and_then(|found| found.modified())
            .map(|time| time.elapsed());
        if is_ours && matches!(age, Ok(Ok(age)) if age.as_secs() >= LEFT_BEHIND) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn check_is_file(found: &fs::Metadata) -> io::Result<()> {
    if found.is_dir() {
        Err(io::Error::new(ErrorKind::IsADirectory, "a folder"))
    } else if !found.is_file() {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "a pipe, socket or device",
        ))
    } else {
        Ok(())
    }
}

/// Puts a rename on the disk, where the platform can.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;

    /// A folder that is gone when the test is over.
    pub struct Folder(PathBuf);

    impl Folder {
        pub fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("mikir-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        pub fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        pub fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("failure");
        let path = folder.path("a");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"new")?;
            let names = folder.names();
            assert!(names.len() == 2 && names[1].starts_with(&format!("a.{}-", process::id())));
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn writes_at_a_time_do_not_meet_and_the_last_to_end_wins() {
        let folder = Folder::new("two");
        let path = folder.path("a");
        replace(&path, |outer| {
            outer.write_all(b"outer")?;
            replace(&path, |inner| inner.write_all(b"inner"))?;
            probe(&path)?;
            assert_eq!(fs::read(&path)?, b"inner");
            outer.write_all(b" whole")
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"outer whole");
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn what_a_killed_process_left_behind_goes_after_an_hour() {
        let folder = Folder::new("leftovers");
        let path = folder.path("a");
        let names = ["a.1-2.tmp", "a.1-3.tmp", "a.b-2.tmp", "a.tmp", "b.1-2.tmp"];
        for name in names {
            let file = File::create(folder.path(name)).unwrap();
            if name != "a.1-3.tmp" {
                let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * LEFT_BEHIND);
                file.set_modified(long_ago).unwrap();
            }
        }
        probe(&path).unwrap();
        assert_eq!(folder.names(), names[1..]);
        replace(&path, |_| Ok(())).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_of_the_old_file_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("mode");
        let path = folder.path("a");
        fs::write(&path, "old").unwrap();
        for mode in [0o600, 0o640, 0o444] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            replace(&path, |file| file.write_all(b"new")).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_replaced() {
        let folder = Folder::new("no-file");
        let inside = folder.path("inside");
        fs::create_dir(&inside).unwrap();
        assert_eq!(open(&inside).unwrap_err().to_string(), "a folder");
        assert_eq!(replace(&inside, |_| Ok(())).unwrap_err().to_string(), "a folder");
        assert_eq!(
            open(&folder.path("none")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        let nowhere = folder.path("none").join("a");
        assert_eq!(
            replace(&nowhere, |_| Ok(())).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(folder.names(), ["inside"]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_waits_at_a_pipe_and_no_device_is_replaced() {
        let folder = Folder::new("pipe");
        let pipe = folder.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [&pipe, Path::new("/dev/null"), Path::new("/dev/zero")] {
            assert_eq!(open(path).unwrap_err().to_string(), "a pipe, socket or device");
            assert!(replace(path, |_| panic!("no writing")).is_err());
        }
        assert_eq!(folder.names(), ["pipe"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let folder = Folder::new("link");
        let (real, link) = (folder.path("real"), folder.path("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
