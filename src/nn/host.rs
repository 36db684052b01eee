//! What a platform provides: files, threads, a clock. All that the core asks of an operating system is asked here.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

/// How many threads can run at a time; 1 where nobody knows.
pub fn threads() -> usize {
    // Asked once: Linux answers from files, which takes as long as the training of a small network.
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Measures the time since it was started, whatever happens to the time of day.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    /// The milliseconds since then.
    pub fn milliseconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }
}

/// Opens a file to read, and says how many bytes it has.
///
/// # Errors
/// The system's; also for what is no file: opening a pipe would wait for somebody to write to it.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    let found = fs::metadata(path)?;
    check_is_file(&found)?;
    Ok((File::open(path)?, found.len()))
}

/// Makes a file of what `write` writes, or replaces the one there is, all at once: other programs, and whoever looks
/// after a power failure, see the old file or the new one. Until then it is `<path>.tmp`.
///
/// # Errors
/// The system's, or that of `write`; the file there was is as it was then.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (path, temporary) = places(path)?;
    let mut file = create(&temporary)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    drop(file);
    let replaced = written.and_then(|()| fs::rename(&temporary, &path));
    match replaced {
        Ok(()) => sync_folder(&path),
        // Nothing can be done about a second failure, and the first one says more.
        Err(_) => drop(fs::remove_file(&temporary)),
    }
    replaced
}

/// Whether [`replace`] can be expected to succeed.
///
/// # Errors
/// The system's.
pub fn probe(path: &Path) -> io::Result<()> {
    let (_, temporary) = places(path)?;
    create(&temporary)?;
    fs::remove_file(temporary)
}

/// The file that `path` names, and the one beside it that is written first.
fn places(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    if let Ok(found) = fs::metadata(path) {
        check_is_file(&found)?;
    }
    // A link stays one: what it names is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let mut name = OsString::from(&path);
    name.push(".tmp");
    Ok((path, name.into()))
}

/// A new file; one that is there was left by somebody who was interrupted.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
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
    fn a_clock_runs_and_a_thread_is_there() {
        let clock = Clock::start();
        thread::sleep(std::time::Duration::from_millis(2));
        let first = clock.milliseconds();
        assert!(first >= 2.0 && clock.milliseconds() >= first);
        assert!(threads() >= 1);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("failure");
        let path = folder.path("a");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"new")?;
            assert_eq!(folder.names(), ["a", "a.tmp"]);
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["a"]);

        // What an interrupted program left behind is in nobody's way.
        fs::write(folder.path("a.tmp"), "half").unwrap();
        replace(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(folder.names(), ["a"]);

        // Not what is no file.
        fs::create_dir(folder.path("a.tmp")).unwrap();
        replace(&path, |_| Ok(())).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(folder.names(), ["a", "a.tmp"]);
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
