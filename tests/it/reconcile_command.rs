//! `onestop reconcile`, run as a partner without a programmer runs it.

use std::process::Output;

use tokio::process::Command;

use crate::harness::District;
use crate::harness::district::SHOP;
use crate::harness::till::sale;

struct Desk {
    district: District,
    folder: tempfile::TempDir,
    token: String,
}

impl Desk {
    /// A shop that sold for 20.00 under the key `one`.
    async fn new() -> Self {
        let district = District::new().await;
        let shop = district.partner(SHOP).await;
        let card = district.card("200.00").await;
        let mut sale = sale(&card, "20.00", "R1");
        sale["key"] = "one".into();
        shop.redeem(sale).await.done("redeemAidCard");
        Self { district, folder: tempfile::tempdir().unwrap(), token: shop.token }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self, file: &str, url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
        command.current_dir(self.folder.path()).env_remove("ONESTOP_TOKEN").args([
            "reconcile",
            file,
            "--from",
            "2016-06-01",
            "--to",
            "2016-06-30",
            "--url",
            url,
        ]);
        command
    }

    async fn reconcile(&self, file: &str) -> (Option<i32>, String, String) {
        said(self.command(file, &self.district.url).env("ONESTOP_TOKEN", &self.token).output().await.unwrap())
    }
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const HEADER: &str = "key,result,ours,theirs,remedy\r\n";

#[tokio::test]
async fn the_exit_status_tells_whether_both_sides_agree() {
    let desk = Desk::new().await;
    desk.write("same.csv", "\u{feff}receipt,key,amount\r\nR1,one,20\r\n");
    let (status, out, sentence) = desk.reconcile("same.csv").await;
    assert_eq!((status, out.as_str()), (Some(0), HEADER), "{sentence}");
    assert_eq!(sentence, "Both sides agree on 1 acts and 20.00 yuan.\n");
    desk.write("other.csv", "key,amount\none,20.00\n=two,5.00\n");
    let (status, out, sentence) = desk.reconcile("other.csv").await;
    assert_eq!(status, Some(1), "{sentence}");
    assert_eq!(out, format!("{HEADER}'=two,ONLY_THEIRS,,5.00,redeemAidCard\r\n"));
    assert_eq!(sentence, "1 acts differ and 1 agree; the bureau counts 20.00 yuan, the file 25.00 yuan.\n");
    desk.write("token", &format!("{}\n", desk.token));
    let mut command = desk.command("same.csv", &format!("{}/", desk.district.url));
    let from_file =
        said(command.args(["--token-file", "token", "--fund", "CHARITY"]).output().await.unwrap());
    assert_eq!(from_file.0, Some(0), "{}", from_file.2);
}

#[tokio::test]
async fn what_could_not_be_compared_is_told_in_a_sentence() {
    let desk = Desk::new().await;
    desk.write("good.csv", "key,amount\none,20.00\n");
    desk.write("bad.csv", "key,amount\none,20.005\n");
    desk.write("large.csv", &format!("key,amount\n{}", "one,20.00\n".repeat(200_001)));
    for (file, why) in [
        ("absent.csv", "absent.csv cannot be read"),
        ("bad.csv", "refused (400): Line 2: The amount must be yuan"),
        ("large.csv", "refused (413): Line 200002:"),
    ] {
        let (status, out, sentence) = desk.reconcile(file).await;
        assert_eq!((status, out.as_str()), (Some(2), ""), "{file}: {sentence}");
        assert!(sentence.contains(why), "{file}: {sentence}");
    }
    let nobody = said(desk.command("good.csv", &desk.district.url).output().await.unwrap());
    assert!(nobody.0 == Some(2) && nobody.2.contains("ONESTOP_TOKEN"), "{}", nobody.2);
    // Refused before the file is sent.
    let mut command = desk.command("large.csv", &desk.district.url);
    let stranger = said(command.env("ONESTOP_TOKEN", "nonsense").output().await.unwrap());
    assert!(stranger.0 == Some(2) && stranger.2.contains("refused (401)"), "{}", stranger.2);
    for (url, why) in [
        ("http://onestop.example", "must begin with https://"),
        ("ftp://127.0.0.1", "no address of a server"),
        ("onestop", "no address of a server"),
        ("http://127.0.0.1:1", "was not reached"),
    ] {
        let mut command = desk.command("good.csv", url);
        let (status, _, sentence) = said(command.env("ONESTOP_TOKEN", &desk.token).output().await.unwrap());
        assert!(status == Some(2) && sentence.contains(why), "{url}: {sentence}");
    }
}

/// A server that breaks off in the middle of its answer.
#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let desk = Desk::new().await;
    desk.write("good.csv", "key,amount\none,20.00\n");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let whole =
        "key,result,ours,theirs,remedy,matched,differences\r\none,ONLY_OURS,1.00,,voidOperation,,\r\n";
    let serving = tokio::spawn(async move {
        for head in ["transfer-encoding: chunked\r\n\r\n58\r\n", "content-length: 88\r\n\r\n"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\n{head}{whole}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    assert_eq!(whole.len(), 88);
    for _ in 0..2 {
        let mut command = desk.command("good.csv", &url);
        let (status, _, sentence) = said(command.env("ONESTOP_TOKEN", "t").output().await.unwrap());
        assert!(status == Some(2) && sentence.contains("broke off"), "{sentence}");
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn the_token_is_never_an_argument() {
    let help =
        Command::new(env!("CARGO_BIN_EXE_onestop")).args(["reconcile", "--help"]).output().await.unwrap();
    let (_, help, _) = said(help);
    assert!(
        help.contains("ONESTOP_TOKEN") && help.contains("--token-file") && !help.contains("--token "),
        "{help}"
    );
}
