//! `page`: the page of the listener in a real browser, with real traffic between two network namespaces. Owns
//! the checks of the page, and the picture of it in the README.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::Options;
use super::browser::Browser;
use super::lab::Lab;
use super::screenshot::{TARGET, lend, talk, upload};
use crate::{shell, workspace};

/// The agent's listening address, in its namespace.
pub(super) const ADDRESS: &str = "127.0.0.1:9475";
/// Ordinary traffic before the upload.
const ORDINARY: Duration = Duration::from_secs(35);
/// Ordinary traffic after the rows were compared, so that the small plots are full.
const AFTER: Duration = Duration::from_secs(40);
const PATIENCE: Duration = Duration::from_secs(60);
/// The picture for the README.
const PICTURE: &str = "docs/page.png";
const SIZE: [u32; 2] = [1200, 780];
/// The views, and the sizes and colours in which each is looked at.
const VIEWS: [&str; 4] = ["now", "history", "why", "alerts"];
const LOOKS: [(&str, [u32; 2], bool); 3] =
    [("dark", SIZE, true), ("light", SIZE, false), ("narrow", [400, 800], true)];

/// Tests the page, and makes its pictures.
///
/// # Errors
/// If a browser or a privilege is missing, or the page does not show what the interface answers.
pub(crate) fn page(options: &Options) -> Result<()> {
    super::as_root("page", options, play)
}

fn play(program: &Path) -> Result<()> {
    shell::require("ip", "to make network namespaces")?;
    let lab = Lab::new().context("joining two network namespaces")?;
    lab.a.start_loopback()?;
    lend(&lab)?;
    let folder = workspace::target().join("page");
    std::fs::create_dir_all(&folder)?;
    let agent = Listening::start(&lab, program, &folder)?;
    let is_over = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        let talk = scope.spawn(|| talk(&lab, &is_over));
        let done = act(&lab, &folder);
        is_over.store(true, Ordering::Relaxed);
        let talked = talk.join().map_err(|_| anyhow::anyhow!("the traffic failed"))?;
        talked.and(done)
    });
    drop(agent);
    done
}

/// The agent, stopped at the end.
pub(super) struct Listening(Child);

impl Listening {
    pub(super) fn start(lab: &Lab, program: &Path, folder: &Path) -> Result<Self> {
        let state = folder.join("state");
        let _ = std::fs::remove_dir_all(&state);
        std::fs::create_dir_all(&state)?;
        let mut command = lab.a.command(program);
        command.args(["run", "--config", "none", "-i", lab.a.device, "--transfer-interval", "2s"]);
        command.args(["--host-name", "web1", "--listen", ADDRESS, "--state-dir"]).arg(state);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.spawn().context("starting the agent")?))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGINT);
        let _ = self.0.wait();
    }
}

fn act(lab: &Lab, folder: &Path) -> Result<()> {
    let mut browser = Browser::open(&lab.a)?;
    shell::say(format!("page: {} s of ordinary traffic", ORDINARY.as_secs()));
    thread::sleep(ORDINARY);
    browser.look(&url("now"), SIZE, true)?;
    wait(
        &mut browser,
        "earlier rates of a row",
        "document.querySelectorAll('.spark rect').length > 20",
    )?;
    check_rows(&mut browser)?;
    // All traffic here is one process's: pairs have more to show.
    browser.evaluate("document.querySelector('[data-by=pair]').click()")?;
    thread::sleep(AFTER);
    shell::say("page: an upload");
    upload(lab)?;
    wait(&mut browser, "an incident", "document.querySelectorAll('#notes .incident').length > 0")?;
    let path = workspace::root().join(PICTURE);
    save(&mut browser, &path)?;
    check_keys(&mut browser)?;
    check_history(&mut browser)?;
    check_row(&mut browser)?;
    save(&mut browser, &folder.join("row.png"))?;
    for view in VIEWS {
        for (name, size, is_dark) in LOOKS {
            browser.look("about:blank", size, is_dark)?;
            browser.look(&url(view), size, is_dark)?;
            wait(&mut browser, view, READY)?;
            ensure!(browser.evaluate(FITS)? == true, "{view} is wider than its window ({name})");
            save(&mut browser, &folder.join(format!("{view}-{name}.png")))?;
        }
    }
    ensure!(browser.complaints.is_empty(), "the browser complains: {:?}", browser.complaints);
    shell::say(format!("page: all is as it should be; pictures are in {}", folder.display()));
    Ok(())
}

/// An expression that is true once the view has content.
const READY: &str = "document.querySelectorAll('#rows tr, #text p').length > 0";
const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

fn url(view: &str) -> String {
    format!("http://{ADDRESS}/#{view}")
}

fn save(browser: &mut Browser, path: &PathBuf) -> Result<()> {
    let picture = browser.picture()?;
    std::fs::write(path, picture).with_context(|| format!("writing {}", path.display()))
}

fn wait(browser: &mut Browser, what: &str, condition: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while browser.evaluate(condition)? != true {
        ensure!(Instant::now() < end, "{what} is not shown");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Rows of the table, and the interface's answer for the same interval.
const ROWS: &str = "(async () => {
  for (;;) {
    const api = await (await fetch('/api/v1/top?by=' + chosen.now)).json();
    await now();
    if (document.getElementById('rows').dataset.interval !== api.interval.end) continue;
    const cells = (row) => [...row.cells].map((cell) => [cell.className, cell.textContent]);
    return { api, rows: [...document.querySelectorAll('#rows tr')].map(cells) };
  }
})()";

/// Checks that names and rates of every view are those of the interface.
fn check_rows(browser: &mut Browser) -> Result<()> {
    wait(browser, "rows", READY)?;
    let ways = browser.evaluate("[...document.querySelectorAll('#by button')].length")?;
    for _ in 0..ways.as_u64().context("no ways to look")? {
        browser.press("g")?;
        let Value::Object(seen) = browser.evaluate(ROWS)? else { bail!("no rows") };
        let seconds = seen["api"]["interval"]["seconds"].as_f64().context("no interval")?;
        let items = seen["api"]["items"].as_array().context("no items")?;
        let rows = seen["rows"].as_array().context("no rows")?;
        ensure!(!items.is_empty() && rows.len() == items.len(), "{rows:?}\n{items:?}");
        for (row, item) in rows.iter().zip(items) {
            ensure!(row[0][1] == item["name"], "{row} is not {item}");
            for (side, field) in [("in", "in_bytes"), ("out", "out_bytes")] {
                let moved = item[field].as_f64().context("no bytes")?;
                let expected = rate(moved, seconds);
                let shown = row.as_array().into_iter().flatten().find(|cell| cell[0] == side);
                let shown = shown.and_then(|cell| cell[1].as_str()).unwrap_or_default();
                ensure!(shown == expected, "{side} of {row}: {expected}");
            }
        }
        shell::say(format!(
            "page: {} rows by {} equal the interface",
            rows.len(),
            seen["api"]["by"]
        ));
    }
    Ok(())
}

/// A rate in the page's format.
fn rate(moved: f64, seconds: f64) -> String {
    if moved == 0.0 { "·".to_owned() } else { format!("{}/s", bytes(moved / seconds)) }
}

fn bytes(mut number: f64) -> String {
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    let is_whole = number < 999.95;
    for next in units {
        if number < 999.95 {
            break;
        }
        number /= 1000.0;
        unit = next;
    }
    if is_whole { format!("{number:.0} {unit}") } else { format!("{number:.1} {unit}") }
}

/// The history's sums are those of the interface.
fn check_history(browser: &mut Browser) -> Result<()> {
    const SEEN: &str = "(async () => {
      const ask = async () => (await fetch('/api/v1/history?by=' + chosen.history + '&since=24h&top=50')).json();
      for (;;) {
        const api = await ask();
        await past();
        if (JSON.stringify((await ask()).total) !== JSON.stringify(api.total)) continue;
        return { api, sum: [...document.querySelector('tr.sum').cells].map((cell) => cell.textContent) };
      }
    })()";
    browser.press("2")?;
    wait(browser, "the history", "document.querySelector('tr.sum') !== null")?;
    let seen = browser.evaluate(SEEN)?;
    for (at, field) in [(1, "in_bytes"), (2, "out_bytes")] {
        let expected = bytes(seen["api"]["total"][field].as_f64().context("no total")?);
        ensure!(seen["sum"][at] == expected, "{}: {expected}", seen["sum"]);
    }
    Ok(())
}

/// The details of the peer that the upload went to: both its plots are there.
fn check_row(browser: &mut Browser) -> Result<()> {
    let target = Ipv4Addr::from(TARGET);
    let shown = format!("document.getElementById('plots').textContent.includes('{target}')");
    browser.look("about:blank", SIZE, true)?;
    browser.look(&url("why"), SIZE, true)?;
    wait(browser, "why", READY)?;
    browser.evaluate(&format!("open({{ dataset: {{ target: '{target}' }} }})"))?;
    wait(browser, "the peer's history", &shown)?;
    wait(browser, "what it just got", "document.querySelector('#plots path.out') !== null")
}

/// The keyboard reaches every view, the filter and a row's details.
fn check_keys(browser: &mut Browser) -> Result<()> {
    for (key, view) in ["1", "2", "3", "4", "1"].into_iter().zip(VIEWS.into_iter().chain(["now"])) {
        browser.press(key)?;
        wait(browser, view, &format!("location.hash === '#{view}'"))?;
    }
    wait(browser, "rows", READY)?;
    browser.press("/")?;
    ensure!(browser.evaluate("document.activeElement.id")? == "filter", "/ does not filter");
    browser.press("Escape")?;
    browser.press("ArrowDown")?;
    wait(browser, "a marked row", "document.activeElement.tagName === 'TR'")?;
    browser.press("Enter")?;
    wait(
        browser,
        "details",
        "location.hash === '#why' && document.querySelector('#text p') !== null",
    )?;
    wait(
        browser,
        "plots of a row",
        "document.querySelectorAll('#plots .canvas path.in, #plots .canvas path.out').length > 0",
    )?;
    browser.press("1")
}
