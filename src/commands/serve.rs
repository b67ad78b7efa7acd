use clap::Args;
use tokio::net::TcpListener;

use super::{Failure, Outcome, Place, check, configure, gate, open, stop_signal};
use crate::access::Gate;
use crate::http::{App, url_of};
use crate::jobs;

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
        serve(gate, bind(config.listen).await?).await
    }
}

/// A listener on the configured address.
pub async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure(format!("cannot listen on {address} (ONESTOP_LISTEN or --listen): {error}")))
}

/// Serves, with the jobs beside it, until told to stop.
pub async fn serve(gate: Gate, listener: TcpListener) -> Outcome {
    let stop = stop_signal()?;
    tracing::info!(url = url_of(listener.local_addr()?), "serving");
    let working = tokio::spawn(jobs::run(gate.clone(), stop.clone()));
    let database = gate.database().clone();
    crate::http::serve(listener, App::new(gate), stop).await;
    let _ = working.await;
    database.close().await?;
    Ok(())
}
