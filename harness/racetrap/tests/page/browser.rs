//! A headless browser in a PID namespace of its own, which ends with the test even if the test
//! panics.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

/// Arguments for a browser that runs as root and sends no requests by itself.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
    "--force-device-scale-factor=1",
];

/// The first process of the namespace, which runs the driver.
struct Namespace(Child);

impl Drop for Namespace {
    fn drop(&mut self) {
        // The kernel kills all processes of the namespace with its first one.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser with one page.
pub(crate) struct Browser {
    // Not dropped: its `drop` would wait for the end of the session, which ends with the namespace
    // anyway.
    driver: ManuallyDrop<WebDriver>,
    _namespace: Namespace,
    opened: BTreeSet<String>,
    place: TempDir,
}

impl Browser {
    /// Starts a browser. Panics with the packages to install if that fails.
    pub(crate) async fn start() -> Self {
        let place = TempDir::new().unwrap();
        let (namespace, port) = drive(&place);
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            capabilities.add_arg(argument).unwrap();
        }
        let profile = place.path().join("profile");
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        for log in ["browser", "performance"] {
            capabilities.set_logging_prefs(log, LoggingPrefsLogLevel::All).unwrap();
        }
        let server = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(server, capabilities).await.expect("chromium begins a session");
        let driver = ManuallyDrop::new(driver);
        Self { driver, opened: BTreeSet::new(), place, _namespace: namespace }
    }

    /// Writes a page to disk and opens it from there.
    pub(crate) async fn open(&mut self, page: &str) {
        let path = self.place.path().join("timeline.html");
        std::fs::write(&path, page).unwrap();
        self.open_file(path).await;
    }

    /// Opens a page from disk.
    pub(crate) async fn open_file(&mut self, path: PathBuf) {
        let url = format!("file://{}", path.to_str().unwrap());
        self.driver.goto(&url).await.unwrap();
        self.opened.insert(url);
    }

    /// Clicks a link to another page on disk.
    pub(crate) async fn follow(&mut self, selector: &str) {
        self.click(selector).await;
        let url = self.driver.current_url().await.unwrap().to_string();
        self.opened.insert(url.split('#').next().unwrap_or_default().to_owned());
    }

    /// Checks that the opened pages requested nothing but themselves, that no request went to a
    /// network, and that the console is empty; then ends the browser. Requests of the browser's own
    /// pages (`chrome://`) do not count.
    pub(crate) async fn end(self) {
        let console = self.driver.get_log("browser").await.unwrap();
        assert!(console.is_empty(), "the console says {console:?}");
        let mut requested = BTreeSet::new();
        for entry in self.driver.get_log("performance").await.unwrap() {
            let entry: Value = serde_json::from_str(&entry.message).unwrap();
            if entry["message"]["method"] == "Network.requestWillBeSent" {
                let page = entry["message"]["params"]["documentURL"].as_str().unwrap();
                let url = entry["message"]["params"]["request"]["url"].as_str().unwrap();
                assert!(!url.starts_with("http") && !url.starts_with("ws"), "{page}: {url}");
                if !page.starts_with("chrome://") {
                    requested.insert(url.to_owned());
                }
            }
        }
        assert_eq!(requested, self.opened, "the browser requests exactly the opened pages");
    }

    /// The value of a JavaScript expression in the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// The text of the first element that matches a selector.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0]).textContent";
        let text = self.driver.execute(script, vec![json!(selector)]).await.unwrap();
        text.json().as_str().unwrap().to_owned()
    }

    /// The number of elements that match a selector.
    pub(crate) async fn count(&self, selector: &str) -> usize {
        self.driver.find_all(By::Css(selector)).await.unwrap().len()
    }

    /// Clicks the middle of the first element that matches a selector.
    pub(crate) async fn click(&self, selector: &str) {
        self.driver.find(By::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Clicks a position in the window, in pixels.
    pub(crate) async fn click_at(&self, x: f64, y: f64) {
        let (x, y) = (x.round() as i64, y.round() as i64);
        self.driver.action_chain().move_to(x, y).click().perform().await.unwrap();
    }

    /// Moves the pointer to a position in the window, in pixels.
    pub(crate) async fn point_at(&self, x: f64, y: f64) {
        let (x, y) = (x.round() as i64, y.round() as i64);
        self.driver.action_chain().move_to(x, y).perform().await.unwrap();
    }

    /// Presses keys; the focused element receives them.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        let typed = self.driver.action_chain().send_keys(keys.into());
        typed.perform().await.unwrap();
    }

    /// Emulates a media type or a media feature.
    pub(crate) async fn emulate(&self, media: Value) {
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
    }

    /// Gives the window the size of another screen, in pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    }

    /// Drags from a position in the window to another one, in pixels.
    pub(crate) async fn drag(&self, from: (i64, i64), to: (i64, i64)) {
        let grip = self.driver.action_chain().move_to(from.0, from.1).click_and_hold();
        grip.move_to(to.0, to.1).release().perform().await.unwrap();
    }

    /// The printed page as a PDF.
    pub(crate) async fn print(&self) -> Vec<u8> {
        let parameters = thirtyfour::common::print::PrintParameters::default();
        self.driver.print_page(parameters).await.unwrap()
    }
}

/// Starts the driver, and returns the port that it has chosen.
fn drive(place: &TempDir) -> (Namespace, u16) {
    const MISSING: &str = "these tests need root, and the packages chromium and chromium-driver, \
                           which scripts/install installs";
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"])
        .args(["--mount-proc", "chromedriver", "--port=0"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("tests run where cargo is on PATH"))
        .env("HOME", place.path())
        .env("TMPDIR", place.path())
        // The browser sends signals to its process group, which must not be that of the tests.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    #[expect(clippy::disallowed_methods, reason = "the test owns the browser and ends it")]
    let mut child = command.spawn().expect(MISSING);
    let said = BufReader::new(child.stdout.take().expect("it is piped"));
    let namespace = Namespace(child);
    let port = said.lines().map_while(Result::ok).find_map(|line| {
        line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    (namespace, port.expect(MISSING))
}
