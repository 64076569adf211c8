//! A headless Chromium, driven over a pipe by its DevTools protocol: messages are JSON that ends with a
//! zero byte. Owns its process and its profile, and removes both at the end.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::lab::Host;
use crate::shell;

/// Names of the browser on distributions.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser with one page.
pub(super) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: String,
    number: u64,
    profile: PathBuf,
    /// Requests of the page that were blocked, and its exceptions.
    pub(super) complaints: Vec<String>,
}

impl Browser {
    /// Starts it in a namespace, with an empty page.
    ///
    /// # Errors
    /// If none is installed, or it does not start.
    pub(super) fn open(host: &Host) -> Result<Self> {
        let program = NAMES.into_iter().find_map(shell::find);
        let program = program.context("there is no Chromium: apt-get install chromium")?;
        let profile = std::env::temp_dir().join(format!("wf-browser-{}", std::process::id()));
        // The protocol is spoken on descriptors 3 and 4.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut command = host.command(std::path::Path::new("sh"));
        command.args(["-c", script]).arg(program);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        command.args(["--disable-background-networking", "--no-first-run"]);
        command.arg("--remote-debugging-pipe");
        command.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = child.stdin.take().context("no pipe to the browser")?;
        let from = BufReader::new(child.stdout.take().context("no pipe from the browser")?);
        let (session, complaints) = (String::new(), Vec::new());
        let mut browser = Self { child, to, from, session, number: 0, profile, complaints };
        browser.attach().context("starting the browser")?;
        Ok(browser)
    }

    fn attach(&mut self) -> Result<()> {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", attach)?;
        self.session = attached["sessionId"].as_str().context("no session")?.to_owned();
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(())
    }

    /// Calls a method of the protocol.
    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes())?;
        loop {
            let mut answer = Vec::new();
            ensure!(self.from.read_until(0, &mut answer)? > 1, "the browser is gone");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer)?;
            self.note(&answer);
            if answer["id"] == json!(self.number) {
                if let Some(error) = answer.get("error") {
                    bail!("{method}: {error}");
                }
                return Ok(answer["result"].clone());
            }
        }
    }

    fn note(&mut self, message: &Value) {
        let parameters = &message["params"];
        let entry = match message["method"].as_str() {
            Some("Log.entryAdded") => &parameters["entry"]["text"],
            Some("Runtime.exceptionThrown") => &parameters["exceptionDetails"],
            _ => return,
        };
        self.complaints.push(entry.to_string());
    }

    /// Goes to an address, seen in this size, dark or light.
    pub(super) fn look(
        &mut self,
        url: &str,
        [width, height]: [u32; 2],
        is_dark: bool,
    ) -> Result<()> {
        let scale =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", scale)?;
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}))?;
        self.call("Page.navigate", json!({"url": url})).map(drop)
    }

    /// The value of an expression in the page, once its promise is fulfilled.
    pub(super) fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let wanted = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", wanted)?;
        ensure!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        Ok(answer["result"]["value"].clone())
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: &str) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key});
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// A picture of the visible part, as PNG.
    pub(super) fn picture(&mut self) -> Result<Vec<u8>> {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}))?;
        Ok(decoded(picture["data"].as_str().context("no picture")?))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session.clear();
        let _ = self.call("Browser.close", json!({}));
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// From base64.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for value in text.bytes().filter_map(digit) {
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_read() {
        assert_eq!(super::decoded("V2hlcmVmb3JlIQ=="), b"Wherefore!");
    }
}
