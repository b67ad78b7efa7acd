//! A small file system for an SQLite file: in memory, seen by the program alone, with a ballast that can be thrown off.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::database::Fresh;
use crate::program::Program;

/// What is left for the database once it is copied there, in MiB.
const ROOM: u64 = 6;
const BALLAST: u64 = 64;

pub struct SmallDisk {
    place: tempfile::TempDir,
}

impl SmallDisk {
    /// The program, not yet started, with a copy of a database on such a disk.
    pub fn with(data: &Path, database: &Fresh) -> (Self, Program) {
        let place = tempfile::tempdir().unwrap();
        let source = database.url.strip_prefix("sqlite:").unwrap();
        let mebibytes = std::fs::metadata(source).unwrap().len().div_ceil(1 << 20) + ROOM + BALLAST;
        let script = format!(
            "mount -t tmpfs -o size={mebibytes}m tmpfs \"$0\" && cp \"$1\" \"$0/district.db\" && \
             dd if=/dev/zero of=\"$0/ballast\" bs=1M count={BALLAST} status=none && shift && exec \"$@\""
        );
        let target = place.path().display().to_string();
        // A mount of its own needs no rights where user namespaces are open.
        let wrapper =
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script, &target, source];
        let program = Program::under(&wrapper, data, &format!("sqlite:{target}/district.db"));
        (Self { place }, program)
    }

    /// The disk as the running program sees it.
    fn seen_by(&self, program: &Program) -> PathBuf {
        let inside = self.place.path().strip_prefix("/").unwrap();
        Path::new("/proc").join(program.id().to_string()).join("root").join(inside)
    }

    /// Makes room.
    pub fn free(&self, program: &Program) {
        std::fs::remove_file(self.seen_by(program).join("ballast")).unwrap();
    }

    /// A copy of the database of a program that does nothing at the moment.
    pub fn copy(&self, program: &Program, to: &Path) -> Fresh {
        for name in ["district.db", "district.db-wal"] {
            let status = Command::new("cp").arg(self.seen_by(program).join(name)).arg(to.join(name)).status();
            assert!(status.unwrap().success(), "{name} cannot be copied");
        }
        Fresh::at(format!("sqlite:{}", to.join("district.db").display()))
    }
}
