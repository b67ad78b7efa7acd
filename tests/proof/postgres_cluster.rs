//! A PostgreSQL server of the proof's own, which can be stopped without asking its neighbours.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use onestop::access::Database;

use crate::harness::database::Fresh;
use crate::program::free_port;

/// The user that runs it when the proof runs as root, as whom PostgreSQL refuses to.
const USER: &str = "postgres";

pub struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    as_user: bool,
}

impl Cluster {
    /// Made and started, with one migrated database.
    pub async fn start() -> (Self, Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let as_user = said(Command::new("id").arg("-u")) == "0";
        let cluster = Self { programs: programs(), folder, port: free_port(), as_user };
        if as_user {
            expect(Command::new("chown").arg(USER).arg(cluster.folder.path()));
        }
        let data = cluster.data();
        expect(
            cluster.command("initdb").args(["--auth=trust", "--username=postgres", "--pgdata"]).arg(&data),
        );
        cluster.begin();
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port);
        let database = Database::open(&url).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await.unwrap();
        (cluster, Fresh::at(url))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if self.as_user {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups", "--"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    fn control(&self, what: &str) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("--pgdata").arg(self.data()).args(["--wait", what]);
        command
    }

    /// Starts it and waits until it takes connections.
    pub fn begin(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port);
        let mut command = self.control("start");
        expect(command.arg("--log").arg(self.folder.path().join("log")).args(["--options", &options]));
    }

    /// Stops it as a power failure would: without a checkpoint, in the middle of whatever runs.
    pub fn stop_immediately(&self) {
        expect(self.control("stop").arg("--mode=immediate"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.control("stop").arg("--mode=immediate").output();
    }
}

/// Where `initdb` and `pg_ctl` are: on the path, or where Debian keeps those of each version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    places.sort();
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let has = |place: &PathBuf| Path::new(place).join("initdb").is_file();
    places
        .into_iter()
        .find(has)
        .expect("PostgreSQL's initdb is neither on the path nor in /usr/lib/postgresql")
}

fn expect(command: &mut Command) {
    // A server that it starts keeps the pipes open, so its output goes nowhere.
    let status = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
    assert!(status.unwrap().success(), "{command:?}");
}

fn said(command: &mut Command) -> String {
    let Output { stdout, .. } = command.output().unwrap();
    String::from_utf8(stdout).unwrap().trim().to_owned()
}
