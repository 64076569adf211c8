//! Topic `start`: from the command to counting, and the size of the program. Owns nothing else;
//! refuses to measure how long a build takes, which is noted with its date in the documents.

use anyhow::{Context, Result, ensure};
use wherefore_tests::lab::Lab;

use crate::agent::{Agent, program};
use crate::driver::directory;
use crate::figure::Figure;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = sizes()?;
    if let Err(reason) = Lab::privilege() {
        eprintln!("start: only sizes: {reason}");
        return Ok(figures);
    }
    let lab = Lab::new()?;
    for (what, attach) in [("TCX", "tcx"), ("XDP", "xdp")] {
        let arguments = ["-i", &lab.b.device, "--attach", attach].map(str::to_owned);
        let agent = Agent::start(&lab.b.namespace, &arguments)?;
        let milliseconds = agent.started_in.as_secs_f64() * 1e3;
        figures.push(Figure::new(format!("until it counts, {what}"), milliseconds, "ms"));
        agent.stop()?;
    }
    Ok(figures)
}

/// Sizes of the release build as it is, and without symbols if `strip` is installed.
fn sizes() -> Result<Vec<Figure>> {
    let megabytes = |path: &std::path::Path| -> Result<f64> {
        Ok(std::fs::metadata(path).with_context(|| path.display().to_string())?.len() as f64 / 1e6)
    };
    let (built, stripped) = (program()?, directory()?.join("stripped"));
    let mut figures = vec![Figure::new("release build", megabytes(&built)?, "MB")];
    let strip = std::process::Command::new("strip").arg("-o").arg(&stripped).arg(&built).status();
    match strip {
        Err(error) => eprintln!("start: not stripped: {error}"),
        Ok(status) => {
            ensure!(status.success(), "strip: {status}");
            figures.push(Figure::new("release build, stripped", megabytes(&stripped)?, "MB"));
            std::fs::remove_file(&stripped)?;
        }
    }
    Ok(figures)
}
