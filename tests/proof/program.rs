//! The program as a process of its own, which can be killed.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than any start takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Program {
    command: Vec<String>,
    log: PathBuf,
    pub url: String,
    issuer: String,
    running: Option<Child>,
}

impl Program {
    /// Serves a database with the keys of a data folder, on a port that stays the same over restarts.
    pub fn serving(data: &Path, database: &str) -> Self {
        Self::under(&[], data, database)
    }

    /// Within another command that ends by executing the program.
    pub fn under(wrapper: &[&str], data: &Path, database: &str) -> Self {
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let mut command: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        let data_folder = data.display().to_string();
        let program = [
            env!("CARGO_BIN_EXE_onestop"),
            "serve",
            "--data",
            &data_folder,
            "--database",
            database,
            "--listen",
        ];
        command.extend(program.map(str::to_owned));
        command.push(address.clone());
        let url = format!("http://{address}");
        Self { command, log: data.join("serve.log"), issuer: url.clone(), url, running: None }
    }

    /// Known outside by the address for which the partners' tokens were issued.
    pub fn known_as(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }

    /// Starts it and waits until it is ready; tells how long that took.
    pub async fn start(&mut self) -> Duration {
        let started = Instant::now();
        self.launch();
        while !self.is_ready().await {
            assert!(started.elapsed() < PATIENCE, "it is not ready: {}", self.said());
            if let Some(status) = self.running.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("it ended with {status}: {}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    }

    pub fn launch(&mut self) {
        let log = File::options().append(true).create(true).open(&self.log).unwrap();
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env_remove("ONESTOP_CONFIG").env_remove("DATABASE_URL");
        command.env("ONESTOP_PUBLIC_URL", &self.issuer);
        command.env("ONESTOP_LOG", "warn,sea_orm_migration=warn").stdout(Stdio::null()).stderr(log);
        self.running = Some(command.spawn().unwrap());
    }

    pub fn id(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    pub async fn is_ready(&self) -> bool {
        let asked =
            reqwest::Client::new().get(format!("{}/readyz", self.url)).timeout(Duration::from_secs(2));
        asked.send().await.is_ok_and(|response| response.status() == 200)
    }

    /// SIGKILL: nothing that it holds in memory survives.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The end of its log.
    pub fn said(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `onestop audit` finds in a database.
pub fn audit(data: &Path, database: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
    command.args(["audit", "--database", database, "--data"]).arg(data);
    command.env_remove("ONESTOP_CONFIG").env_remove("DATABASE_URL").output().unwrap()
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
