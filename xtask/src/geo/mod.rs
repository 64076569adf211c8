//! `geo`: makes the data file with the country and the AS of every address, from pinned packages of the npm
//! registry. Owns the packages and their licences. The format of the file is documented where it is read, in
//! `wherefore-agent/src/attribute/geo/packed.rs`.

mod packed;
mod ranges;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{shell, workspace};
use ranges::{Ranges, Width};

/// The path of the file, and the note about its sources.
const DATA: &str = "wherefore-agent/data/geo.zst";
const ATTRIBUTION: &str = "wherefore-agent/data/ATTRIBUTION.md";

/// The version of the packages, which ends with the date of the data: year, month, day, hour.
const VERSION: &str = "2.3.2026061719";
const DATE: &str = "2026-06-17";

/// A package of the npm registry.
struct Package {
    name: &'static str,
    archive: &'static str,
    sha256: &'static str,
}

const COUNTRIES: Package = Package {
    name: "@ip-location-db/geo-whois-asn-country",
    archive: "ip-location-db-geo-whois-asn-country",
    sha256: "2a3e609015884c93c2d398e777ce1d2d34cab026054c43559bff32b25669f606",
};

const SYSTEMS: Package = Package {
    name: "@ip-location-db/asn",
    archive: "ip-location-db-asn",
    sha256: "b9425daf2f011c28f8586685d4f89166e77627e2c15fd93c6262c3e2dead6153",
};

pub(crate) fn geo() -> Result<()> {
    let folder = workspace::root().join("target/geo");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let (systems, countries) = (SYSTEMS.fetch(&folder)?, COUNTRIES.fetch(&folder)?);
    let mut tables = packed::Tables::new(DATE);
    for (family, width) in [("4", Width::V4), ("6", Width::V6)] {
        let systems = unpacked(&systems, &format!("asn-ipv{family}-num.csv"))?;
        let countries =
            unpacked(&countries, &format!("geo-whois-asn-country-ipv{family}-num.csv"))?;
        let (systems, countries) = (Ranges::read(&systems)?, Ranges::read(&countries)?);
        tables.add(&systems.flat(width), &countries.flat(width));
    }
    let plain = folder.join("geo");
    fs::write(&plain, tables.bytes()).with_context(|| format!("writing {}", plain.display()))?;
    let data = workspace::root().join(DATA);
    let zstd = shell::require("zstd", "to compress the data")?;
    shell::run(shell::command(zstd).args(["-q", "-f", "-19"]).arg(&plain).arg("-o").arg(&data))?;
    let note = workspace::root().join(ATTRIBUTION);
    fs::write(&note, attribution()).with_context(|| format!("writing {}", note.display()))?;
    shell::say(format!("wrote {DATA} ({}) and {ATTRIBUTION}", tables.summary()));
    Ok(())
}

impl Package {
    /// Downloads the archive by npm unless it exists, and refuses one that is not the pinned one.
    fn fetch(&self, folder: &Path) -> Result<std::path::PathBuf> {
        let archive = folder.join(format!("{}-{VERSION}.tgz", self.archive));
        if !archive.is_file() {
            let npm = shell::require("npm", "to download the data")?;
            let package = format!("{}@{VERSION}", self.name);
            let mut pack = shell::command(npm);
            shell::run(pack.args(["pack", "--silent", &package]).current_dir(folder))?;
        }
        let sum = shell::output(shell::command("sha256sum").arg(&archive))?;
        ensure!(
            sum.starts_with(self.sha256),
            "{} is not the pinned archive: its SHA-256 is {sum}",
            archive.display()
        );
        Ok(archive)
    }
}

/// A file of an archive.
fn unpacked(archive: &Path, name: &str) -> Result<String> {
    shell::output(shell::command("tar").arg("-xzOf").arg(archive).arg(format!("package/{name}")))
}

fn attribution() -> String {
    format!(
        "<!-- Made by `cargo xtask geo`. -->\n\
# Data about addresses\n\
\n\
`geo.zst` holds the country and the AS of each address, as of {DATE}. It is made from these packages\n\
of the npm registry, and is under the same licences as they are:\n\
\n\
| package | version | licence | from |\n\
|---|---|---|---|\n\
| `{}` | {VERSION} | CC BY 4.0 (its `package.json` says CC0 1.0) | the registries' statistics, by the [Number Resource Organization](https://www.nro.net/) |\n\
| `{}` | {VERSION} | [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/) | [Route Views](https://www.routeviews.org/), the Number Resource Organization, and [IP to ASN Lite by DB-IP](https://db-ip.com/) |\n\
\n\
What was changed: country and AS are joined in one table; where ranges overlap, the narrowest counts;\n\
an IPv6 network of 64 bits has one country and one AS, those of its first address.\n\
\n\
The publisher stopped to update these packages and says that they contain errors. They are a base that\n\
works everywhere; `--geo FILE` takes a newer one in the MaxMind format.\n",
        COUNTRIES.name, SYSTEMS.name
    )
}
