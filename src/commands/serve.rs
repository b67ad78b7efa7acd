use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Failure, Outcome, Place, check, configure, gate, open, stop_signal};
use crate::access::Gate;
use crate::config::Config;
use crate::http::listen::STOP_TIME;
use crate::http::proxies::Proxies;
use crate::http::running::Share;
use crate::http::{App, Settings, url_of};
use crate::jobs;

/// How long the database may take to close: what was cut off may still hold a connection.
const CLOSE_TIME: Duration = Duration::from_millis(500);

/// Serve GraphQL at /graphql, with /healthz and /readyz.
///
/// TLS ends at a proxy in front of it. On SIGTERM it takes no new connection, finishes what runs, and exits within ten seconds.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self) -> Outcome {
        let config = configure(&self.place, self.listen.as_deref())?;
        let gate = gate(&config, open(&config).await?).await?;
        check(&config, &gate).await?;
        let (config, listener) = bind(config).await?;
        let gate = gate.issuing_as(&config.issuer());
        serve(gate, listener, settings(config)).await
    }
}

/// A listener on the configured address, and the settings with the port that it has.
pub async fn bind(config: Config) -> Result<(Config, TcpListener), Failure> {
    let address = config.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure(format!("cannot listen on {address} (ONESTOP_LISTEN or --listen): {error}"))
    })?;
    let listen = listener.local_addr()?;
    Ok((Config { listen, ..config }, listener))
}

/// What is set of the server.
pub fn settings(config: Config) -> Settings {
    let usual = Settings::default();
    let number =
        |set: Option<u64>, usual: usize| set.and_then(|set| usize::try_from(set).ok()).unwrap_or(usual);
    let time = |set: Option<u64>, usual: Duration| set.map_or(usual, Duration::from_secs);
    Settings {
        proxies: Proxies::new(config.trusted_proxies),
        share: Share {
            of_partner: number(config.partner_requests, usual.share.of_partner),
            in_all: number(config.all_requests, usual.share.in_all),
            patience: time(config.request_patience, usual.share.patience),
        },
        request_time: time(config.request_timeout, usual.request_time),
        origins: config.cors_origins,
    }
}

/// Serves, with the jobs beside it, until told to stop.
pub async fn serve(gate: Gate, listener: TcpListener, settings: Settings) -> Outcome {
    let stop = stop_signal()?;
    tracing::info!(url = url_of(listener.local_addr()?), "serving");
    let working = tokio::spawn(jobs::run(gate.clone(), stop.clone()));
    let (database, last) = (gate.database().clone(), gate.clone());
    let serving = crate::http::serve(listener, App::new(gate).set(settings), stop.clone());
    tokio::join!(serving, wind_up(working, stop, STOP_TIME));
    // Requests that ended after the jobs did have looked at something, too.
    if let Err(error) = last.write_looks().await {
        tracing::error!(cause = error.cause_for_log(), "the last looks at personal data were not recorded");
    }
    match tokio::time::timeout(CLOSE_TIME, database.close()).await {
        Ok(closed) => closed?,
        Err(_) => tracing::warn!("a request did not end in time; the database undoes what it began"),
    }
    Ok(())
}

/// Lets a task end in time once it is told to stop; after that it is cut off.
async fn wind_up(mut task: JoinHandle<()>, mut stop: watch::Receiver<bool>, time: Duration) {
    let _ = stop.wait_for(|stop| *stop).await;
    if tokio::time::timeout(time, &mut task).await.is_err() {
        tracing::warn!("a job did not end in time; the database undoes what it began");
        task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_does_not_end_is_cut_off() {
        let (told, stop) = watch::channel(false);
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        let endless = tokio::spawn(async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        });
        told.send(true).unwrap();
        wind_up(endless, stop, Duration::from_millis(10)).await;
        assert!(gone.await.is_err(), "it was dropped");
    }

    #[tokio::test]
    async fn a_job_may_end_what_it_does() {
        let (told, stop) = watch::channel(false);
        let (ended, end) = tokio::sync::oneshot::channel();
        let ending = {
            let mut stop = stop.clone();
            tokio::spawn(async move {
                let _ = stop.wait_for(|stop| *stop).await;
                tokio::task::yield_now().await;
                let _ = ended.send("whole");
            })
        };
        told.send(true).unwrap();
        wind_up(ending, stop, Duration::from_secs(60)).await;
        assert_eq!(end.await, Ok("whole"));
    }
}
