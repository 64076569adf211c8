//! A real run in a real terminal: tmux shows it, its keys are sent, and traffic passes between two
//! namespaces.

use std::cell::Cell;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Lab, wait_until};

/// How long anything may take to be shown.
const PATIENCE: Duration = Duration::from_secs(30);
/// The shell's prompt after a program has ended.
const PROMPT: &str = "prompt>";

/// A terminal of 100 columns and 30 lines, with a shell.
struct Screen {
    socket: String,
    _directory: Scratch,
}

impl Screen {
    fn open() -> Result<Self> {
        let directory = Scratch::new();
        let socket = directory.path("tmux").display().to_string();
        let screen = Self { socket, _directory: directory };
        let size = ["-x", "100", "-y", "30"];
        let shell = format!("env PS1='{PROMPT}' ENV= sh");
        screen.tmux(&[&["-f", "/dev/null", "new-session", "-d"], &size[..], &[&shell]].concat())?;
        screen.wait_for(PROMPT)?;
        Ok(screen)
    }

    fn tmux(&self, arguments: &[&str]) -> Result<String> {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.socket]).args(arguments).env("LC_ALL", "C.UTF-8");
        let output = tmux.stdin(Stdio::null()).output().context("running tmux")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "tmux {arguments:?}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Types a line into the shell.
    fn run(&self, command: &str) -> Result<()> {
        self.type_in(command)?;
        self.press("Enter")
    }

    fn type_in(&self, words: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", words]).map(drop)
    }

    fn press(&self, key: &str) -> Result<()> {
        self.tmux(&["send-keys", key]).map(drop)
    }

    fn text(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    fn wait_for(&self, words: &str) -> Result<()> {
        self.wait(words, |text| text.contains(words))
    }

    fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> Result<()> {
        let shown = wait_until(PATIENCE, || self.text().is_ok_and(|text| is_there(&text)));
        ensure!(shown, "{what} is not shown:\n{}", self.text()?);
        Ok(())
    }

    /// Waits until the shell has the screen as it was before.
    fn wait_for_shell(&self) -> Result<()> {
        self.wait("the shell", |text| {
            let last = text.trim_end().lines().last().unwrap_or_default();
            last.trim_end() == PROMPT && !text.contains("HERE ⇄ PEER")
        })?;
        // The terminal takes lines and shows them again.
        self.run("echo it is ba''ck")?;
        self.wait_for("it is back")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}

/// A shell with the view of the first host's device.
fn watching(lab: &Lab, prefix: &str) -> Result<Screen> {
    let screen = Screen::open()?;
    let (agent, place) = (binary().display(), lab.a.namespace.path());
    let inside = format!("nsenter --net={}", place.display());
    screen.run(&format!(
        "{prefix}{inside} {agent} top -i {} --config none --attribution off",
        lab.a.device
    ))?;
    screen.wait_for("HERE ⇄ PEER")?;
    Ok(screen)
}

fn talk(lab: &Lab) -> Result<()> {
    let flows = Flows { family: Family::V4, flows: 12, packets_each: 20 };
    many_flows(&lab.a, &lab.b, flows).map(drop)
}

#[test]
fn a_person_watches_in_a_terminal() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_person_watches_in_a_terminal")? else { return Ok(()) };
    let screen = watching(&lab, "")?;
    talk(&lab)?;
    screen.wait_for("10.77.0.1 ⇄ 10.77.0.2")?;
    screen.wait_for("equals the interface counters")?;
    screen.press("Enter")?;
    screen.wait_for("FLOWS of the last")?;
    screen.press("Escape")?;
    screen.wait_for("HERE ⇄ PEER")?;
    screen.press("/")?;
    screen.type_in("no such")?;
    screen.wait_for("no match")?;
    screen.press("Escape")?;
    screen.press("Tab")?;
    screen.wait("peers", |text| !text.contains("HERE ⇄ PEER") && text.contains(" PEER "))?;
    screen.tmux(&["resize-window", "-x", "60", "-y", "20"])?;
    screen.wait("the narrow table", |text| {
        text.contains("ODD") && text.lines().all(|line| line.chars().count() <= 60)
    })?;
    screen.press("q")?;
    screen.wait_for_shell()
}

/// The view in a shell, and its process.
fn watching_with_pid(lab: &Lab) -> Result<(Screen, Pid)> {
    // The shell names its own number, which stays that of the program.
    let directory = Scratch::new();
    let file = directory.path("number");
    let prefix = format!("sh -c 'echo $$ > {}; exec \"$@\"' sh ", file.display());
    let screen = watching(lab, &prefix)?;
    let number = std::fs::read_to_string(&file)?.trim().parse()?;
    Ok((screen, Pid::from_raw(number)))
}

#[test]
fn the_terminal_is_given_back_at_sigterm() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_terminal_is_given_back_at_sigterm")? else { return Ok(()) };
    let (screen, pid) = watching_with_pid(&lab)?;
    kill(pid, Signal::SIGTERM).context("ending the view")?;
    screen.wait_for_shell()
}

#[test]
fn a_view_ends_with_its_terminal() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_view_ends_with_its_terminal")? else { return Ok(()) };
    let (screen, pid) = watching_with_pid(&lab)?;
    drop(screen);
    // A process that has ended has no command line, even before it is waited for.
    let command_line = format!("/proc/{pid}/cmdline");
    let is_gone = || std::fs::read(&command_line).map_or(true, |words| words.is_empty());
    ensure!(wait_until(PATIENCE, is_gone), "the view outlives its terminal");
    Ok(())
}

#[test]
fn a_view_attaches_without_any_privilege() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_view_attaches_without_any_privilege")? else { return Ok(()) };
    let directory = Scratch::new();
    let socket = directory.path("view.sock").display().to_string();
    let agent = Agent::start(
        &lab.a.namespace,
        &["-i", &lab.a.device, "--socket", &socket, "--attribution", "off"],
    )?;
    let screen = Screen::open()?;
    let bare = "setpriv --bounding-set=-all --inh-caps=-all";
    screen.run(&format!("{bare} {} top --socket {socket} --config none", binary().display()))?;
    screen.wait_for("HERE ⇄ PEER")?;
    talk(&lab)?;
    screen.wait_for("10.77.0.1 ⇄ 10.77.0.2")?;
    // The agent counts on, whatever is pressed here.
    screen.press("q")?;
    screen.wait_for_shell()?;
    let report = agent.stop()?;
    ensure!(report.stderr.contains("counts equal the interface's"), "{}", report.stderr);
    ensure!(!std::path::Path::new(&socket).exists(), "the socket stays");
    Ok(())
}

/// A capture of 120 seconds that ends with a burst.
const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/made/quiet-then-burst.pcap.gz");

/// A shell with the view of a capture.
fn replaying(prefix: &str, speed: &str) -> Result<Screen> {
    let screen = Screen::open()?;
    let agent = binary().display();
    screen.run(&format!("{prefix}{agent} top --replay {CAPTURE} --speed {speed} --config none"))?;
    screen.wait_for("REPLAY")?;
    Ok(screen)
}

/// The second of the capture that the screen shows.
fn second(text: &str) -> Option<u32> {
    let time = text.lines().next()?.split_whitespace().last()?;
    let (minutes, seconds) = time.strip_suffix('Z')?.rsplit_once(':')?;
    let minutes: u32 = minutes.rsplit_once(':')?.1.parse().ok()?;
    Some(minutes * 60 + seconds.parse::<u32>().ok()?)
}

/// The same, once it does not change any more: a reading may be on its way when the replay begins to wait.
fn second_at_rest(screen: &Screen) -> Result<u32> {
    const ALIKE: u32 = 20;
    let seen = Cell::new((None, 0));
    screen.wait("the same second", |text| {
        let (last, alike) = seen.get();
        let now = second(text);
        seen.set((now, if now == last { alike + 1 } else { 0 }));
        now.is_some() && alike >= ALIKE
    })?;
    seen.get().0.context("no time is shown")
}

#[test]
fn a_replay_waits_steps_and_seeks() -> Result<()> {
    let screen = replaying("", "10")?;
    screen.wait("traffic", |text| second(text) >= Some(2) && text.contains("10.0.0.11 ⇄"))?;
    screen.press("Space")?;
    screen.wait_for("REPLAY: waiting")?;
    let before = second_at_rest(&screen)?;
    screen.press(".")?;
    screen.wait("one step", |text| second(text) == Some(before + 1))?;
    screen.press("Right")?;
    screen.wait("a minute later", |text| second(text) == Some(before + 61))?;
    screen.press("Left")?;
    screen.wait("the same again", |text| second(text) == Some(before + 1))?;
    for _ in 0..3 {
        screen.press("Right")?;
    }
    screen.press("Space")?;
    screen.wait_for("REPLAY: at the end")?;
    screen.wait_for("alerts: 1 open")?;
    screen.press("a")?;
    screen.wait_for("10.0.0.13 -> 198.51.100.99")?;
    screen.press("q")?;
    screen.wait_for_shell()
}

#[test]
fn a_view_goes_to_the_background_and_comes_back() -> Result<()> {
    let screen = replaying("", "1")?;
    screen.press("C-z")?;
    screen.wait("the shell", |text| {
        text.trim_end().lines().last().is_some_and(|line| line.trim_end() == PROMPT)
    })?;
    screen.run("fg")?;
    screen.wait_for("HERE ⇄ PEER")?;
    // A click on the tab of peers, as a terminal reports it.
    screen.wait_for(" peers ")?;
    let text = screen.text()?;
    let (row, line) =
        text.lines().enumerate().find(|(_, line)| line.contains(" peers ")).context("no tabs")?;
    let before = line.split(" peers ").next().unwrap_or_default().chars().count();
    let (column, row) = (before + 3, row + 1);
    screen.type_in(&format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m"))?;
    screen.wait("peers", |text| !text.contains("HERE ⇄ PEER") && text.contains(" PEER "))?;
    screen.press("q")?;
    screen.wait_for_shell()
}

#[test]
fn colours_appear_only_if_wanted() -> Result<()> {
    let is_coloured = |screen: &Screen| -> Result<bool> {
        let text = screen.tmux(&["capture-pane", "-p", "-e"])?;
        let codes = text.split("\u{1b}[").skip(1);
        let code = |piece: &str| piece.split('m').next().unwrap_or_default().to_owned();
        let is_colour = |code: &str| {
            let first: Option<u8> = code.split(';').next().and_then(|code| code.parse().ok());
            matches!(first, Some(30..=38 | 40..=48 | 90..=107))
        };
        Ok(codes.map(code).any(|code| code.split(';').any(&is_colour)))
    };
    for (variables, expected) in [("NO_COLOR=1 ", false), ("NO_COLOR= ", true)] {
        let screen = replaying(variables, "10")?;
        screen.wait_for("10.0.0.11 ⇄")?;
        ensure!(is_coloured(&screen)? == expected, "{variables}");
        screen.press("q")?;
        screen.wait_for_shell()?;
    }
    Ok(())
}
