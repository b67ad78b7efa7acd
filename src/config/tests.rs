use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Config::read(&Flags::default(), &|name| pairs.get(name).cloned())
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read(&[]).unwrap();
    assert_eq!(config.database, "sqlite:data/onestop.db");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn every_fault_is_named_with_an_example() {
    let faults = read(&[
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("ONESTOP_LISTEN", "8080"),
        ("ONESTOP_PUBLIC_URL", "https://onestop.example.cn/"),
        ("ONESTOP_LOG", "=="),
        ("ONESTOP_LOG_FORM", "xml"),
        ("ONESTOP_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("ONESTOP_MASTER_KEY", "5ec4e7"),
        ("ONESTOP_PATIENT_CHECKS", "0"),
        ("ONESTOP_PATIENTS", "many"),
        ("ONESTOP_CARDS", "-1"),
        ("ONESTOP_RETENTION_YEARS", "0"),
        ("ONESTOP_COST_CAPACITY", "0"),
        ("ONESTOP_COST_PER_SECOND", "2.5"),
        ("ONESTOP_PARTNER_REQUESTS", "0"),
        ("ONESTOP_ALL_REQUESTS", "-1"),
        ("ONESTOP_REQUEST_PATIENCE", "5s"),
        ("ONESTOP_REQUEST_TIMEOUT", "601"),
        ("ONESTOP_CORS_ORIGINS", "https://desk.example.cn,*"),
    ])
    .unwrap_err();
    // A folder or a file can have any name.
    for setting in
        SETTINGS.into_iter().filter(|setting| ![DATA.key, MASTER_KEY_FILE.key].contains(&setting.key))
    {
        let line = faults.lines().find(|line| line.starts_with(setting.variable)).unwrap();
        assert!(line.contains(setting.example), "{line}");
    }
    assert!(!faults.contains("hunter2"), "a faulty address may hold a password");
    assert!(!faults.contains("5ec4e7"), "a faulty key is nearly one");
    assert!(read(&[("DATABASE_URL", "sqlite::memory:")]).unwrap_err().contains("must be a file"));
}

#[test]
fn numbers_and_origins_are_read() {
    let config = read(&[
        ("ONESTOP_REQUEST_TIMEOUT", "600"),
        ("ONESTOP_CORS_ORIGINS", "https://desk.example.cn, http://127.0.0.1:3000"),
    ])
    .unwrap();
    assert_eq!((config.request_timeout, config.all_requests), (Some(600), None));
    assert_eq!(config.cors_origins, ["https://desk.example.cn", "http://127.0.0.1:3000"]);
    for wrong in [
        "*",
        "null",
        "https://Desk.example.cn",
        "https://desk.example.cn/",
        "https://*.example.cn/x",
        "desk.example.cn",
    ] {
        assert!(read(&[("ONESTOP_CORS_ORIGINS", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onestop.toml");
    std::fs::write(&file, "listen = \"0.0.0.0:1\"\nlog = \"warn\"\n").unwrap();
    let file = file.display().to_string();
    let environment = |name: &str| match name {
        FILE_VARIABLE => Some(file.clone()),
        "ONESTOP_LOG" => Some("debug".to_owned()),
        _ => None,
    };
    let config = Config::read(&Flags::default(), &environment).unwrap();
    assert_eq!((config.listen.port(), config.log.as_str()), (1, "debug"));
    let flags = Flags { listen: Some("127.0.0.1:2".into()), ..Flags::default() };
    assert_eq!(Config::read(&flags, &environment).unwrap().listen.port(), 2);
}

#[test]
fn a_faulty_file_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onestop.toml");
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        read(&[(FILE_VARIABLE, &file.display().to_string())]).unwrap_err()
    };
    assert!(with("listen = 8080\n").contains("listen = \"127.0.0.1:8080\""));
    assert!(with("port = \"1\"\n").contains("`port` is no setting"));
    assert!(with("a = \"1\"\nlisten \n").contains("line 2"));
    assert!(read(&[(FILE_VARIABLE, "/nonexistent/x.toml")]).unwrap_err().contains("cannot be read"));
}
