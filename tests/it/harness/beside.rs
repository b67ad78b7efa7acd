//! A further server of a district, with other settings.

use onestop::http::{App, serve, url_of};

use super::{District, Partner};

impl District {
    /// Serves this app, too, until the district ends; its address.
    pub async fn serve_beside(&self, app: App) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(listener.local_addr().unwrap());
        tokio::spawn(serve(listener, app, self.stop.subscribe()));
        url
    }
}

impl Partner {
    /// The same partner, who asks another server.
    pub fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }
}
